import { engines } from "../support/deployment.ts";
import { Inhabitants, OPEN } from "../support/inhabitants.ts";
import { freePorts } from "../support/ports.ts";
import { backedUp } from "./backed-up.ts";
import { removed } from "./deployments.ts";
import { signal } from "./interrupt.ts";
import { moved } from "./moved.ts";
import { type Row, say, told } from "./report.ts";
import { ROUNDS } from "./rounds.ts";

const PEOPLE = { users: 20, rooms: 5, events: 400, files: 20 };
const SENDERS = 8;
const SEND_SECONDS = 10;

/** What moving to PostgreSQL and backups take, against the tools that they use alone; and what PostgreSQL is good for. */
export async function data(): Promise<Row[]> {
    const [port = 0] = await freePorts(1);
    const engine = engines().at(-1);
    if (engine === undefined) return [];
    const server = engine.deployment({
        tls: { mode: "none" },
        ports: { synapse: port },
        database: { kind: "sqlite" },
        extraConfig: OPEN,
    });
    const people = new Inhabitants();
    try {
        say("People move in");
        await server.mustUp();
        await people.moveIn(port, PEOPLE);
        const onSqlite = await sends(people, port, "SQLite");
        const rows = told(await moved(server, port));
        const sent = {
            what: `messages sent by ${SENDERS} people at once, on PostgreSQL (on SQLite)`,
            unit: "/s",
            digits: 0,
            ours: await sends(people, port, "PostgreSQL"),
            baseline: onSqlite,
        };
        return [...rows, ...told([sent]), ...told(await backedUp(server, people, port))];
    } finally {
        say("Removing what was made.");
        await removed(server);
    }
}

/** Messages a second, each sender's one after the other. */
async function sends(people: Inhabitants, port: number, database: string): Promise<number[]> {
    const rates = [];
    for (let round = 1; round <= ROUNDS; round++) {
        say(`Messages on ${database}, ${round} of ${ROUNDS}`);
        let sent = 0;
        const started = performance.now();
        const send = async (member: number) => {
            while (performance.now() - started < SEND_SECONDS * 1000) {
                signal.throwIfAborted();
                await people.write(port, undefined, member);
                sent += 1;
            }
        };
        await Promise.all(Array.from({ length: SENDERS }, (_, member) => send(member)));
        rates.push((sent * 1000) / (performance.now() - started));
    }
    return rates;
}
