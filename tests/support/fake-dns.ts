import { createSocket, type Socket } from "node:dgram";
import { isIP } from "node:net";

/** What a {@link FakeDns} knows: name → its addresses, or its SRV record. A name that is not in it does not exist. */
export type Zone = Readonly<
    Record<string, readonly string[] | { readonly target: string; readonly port: number }>
>;

const TYPES = { A: 1, AAAA: 28, SRV: 33 } as const;
const NAME_ERROR = 3;

/** A DNS server on this machine. */
export class FakeDns {
    zone: Zone;
    /** Names that were asked for, as `SRV _matrix._tcp.example.org`. */
    readonly asked: string[] = [];
    readonly #socket: Socket = createSocket("udp4");
    #silent = false;

    private constructor(zone: Zone) {
        this.zone = zone;
        this.#socket.on("message", (query, { port, address }) => {
            if (!this.#silent) this.#socket.send(this.#answer(query), port, address);
        });
    }

    static async start(zone: Zone): Promise<FakeDns> {
        const dns = new FakeDns(zone);
        await new Promise<void>((resolve) => dns.#socket.bind(0, "127.0.0.1", resolve));
        return dns;
    }

    /** For VERIFICATION_DNS. */
    get address(): string {
        return `127.0.0.1:${this.#socket.address().port}`;
    }

    /** Answers nobody any more. */
    silence(): void {
        this.#silent = true;
    }

    stop(): void {
        this.#socket.close();
    }

    #answer(query: Buffer): Buffer {
        const { name, end } = questionIn(query);
        const type = query.readUInt16BE(end);
        const kind = Object.entries(TYPES).find(([, number]) => number === type)?.[0] ?? String(type);
        this.asked.push(`${kind} ${name}`);
        const found = this.zone[name];
        const records = recordsOf(found, type);
        const header = Buffer.alloc(12);
        header.writeUInt16BE(query.readUInt16BE(0), 0);
        header.writeUInt16BE(0x8180 | (found === undefined ? NAME_ERROR : 0), 2);
        header.writeUInt16BE(1, 4);
        header.writeUInt16BE(records.length, 6);
        const answers = records.map((data) => {
            const record = Buffer.alloc(12);
            // The name of the question.
            record.writeUInt16BE(0xc00c, 0);
            record.writeUInt16BE(type, 2);
            record.writeUInt16BE(1, 4);
            record.writeUInt16BE(data.length, 10);
            return Buffer.concat([record, data]);
        });
        return Buffer.concat([header, query.subarray(12, end + 4), ...answers]);
    }
}

function questionIn(query: Buffer): { name: string; end: number } {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
        labels.push(query.toString("latin1", at + 1, at + 1 + length));
        at += 1 + length;
    }
    return { name: labels.join(".").toLowerCase(), end: at + 1 };
}

function recordsOf(found: Zone[string] | undefined, type: number): Buffer[] {
    if (found === undefined) return [];
    if (!("target" in found)) {
        const family = { [TYPES.A]: 4, [TYPES.AAAA]: 6 }[type];
        return found.filter((address) => isIP(address) === family).map(bytes);
    }
    if (type !== TYPES.SRV) return [];
    const numbers = Buffer.alloc(6);
    numbers.writeUInt16BE(found.port, 4);
    const labels = found.target.split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
    return [Buffer.concat([numbers, ...labels, Buffer.from([0])])];
}

function bytes(address: string): Buffer {
    if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
    const [head = "", tail = ""] = address.split("::");
    const groups = (part: string) => part.split(":").filter((group) => group !== "");
    const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill("0");
    const all = [...groups(head), ...zeros, ...groups(tail)];
    return Buffer.from(
        all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]),
    );
}
