import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate and its key, PEM. */
export interface Pair {
    readonly cert: string;
    readonly key: string;
}

/** A CA that nobody trusts unless told to. */
export class TestCa {
    readonly #folder = mkdtempSync(join(tmpdir(), "test-ca-"));
    /** File with its certificate. */
    readonly file = join(this.#folder, "ca.pem");
    readonly pem: string;

    constructor() {
        this.#openssl(`req -x509 ${NEW_KEY} -days 10 -subj /CN=test-ca -keyout ca.key -out ca.pem`);
        this.pem = readFileSync(this.file, "utf8");
    }

    /** A certificate for names and addresses. */
    issue(...names: string[]): Pair {
        return this.#issue(names, ["20200101000000Z", "20990101000000Z"]);
    }

    /** One that has ended. */
    issueEnded(...names: string[]): Pair {
        return this.#issue(names, ["20200101000000Z", "20200201000000Z"]);
    }

    remove(): void {
        rmSync(this.#folder, { recursive: true });
    }

    #issue(names: readonly string[], [begin, end]: readonly [string, string]): Pair {
        const alternatives = names.map((name) => `${isIP(name) === 0 ? "DNS" : "IP"}:${name}`);
        writeFileSync(
            join(this.#folder, "leaf.cnf"),
            `[leaf]\nsubjectAltName=${alternatives.join()}\nextendedKeyUsage=serverAuth\n` +
                `[ca]\ndatabase=index.txt\nserial=serial\nrand_serial=yes\nnew_certs_dir=.\ndefault_md=sha256\npolicy=any\n` +
                `[any]\ncommonName=supplied\n`,
        );
        writeFileSync(join(this.#folder, "index.txt"), "");
        this.#openssl(`req -new ${NEW_KEY} -subj /CN=leaf -keyout leaf.key -out leaf.csr`);
        // Not `x509`, which knows dates in the past since OpenSSL 3.4 alone.
        this.#openssl(
            `ca -batch -notext -config leaf.cnf -name ca -startdate ${begin} -enddate ${end} -cert ca.pem -keyfile ca.key -extfile leaf.cnf -extensions leaf -in leaf.csr -out leaf.pem`,
        );
        const read = (name: string) => readFileSync(join(this.#folder, name), "utf8");
        return { cert: read("leaf.pem"), key: read("leaf.key") };
    }

    #openssl(args: string): void {
        execFileSync("openssl", args.split(" "), { cwd: this.#folder, stdio: "pipe" });
    }
}

const NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
