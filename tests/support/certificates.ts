import { execFileSync } from "node:child_process";
import {
    chmodSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    renameSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type PeerCertificate } from "node:tls";

/** A directory as certbot keeps one, readable by root alone, with certificates from a CA of its own. */
export class CertbotDirectory {
    readonly path = mkdtempSync(join(tmpdir(), "letsencrypt-"));
    /** PEM. */
    readonly ca: string;
    /** File with the CA, for NODE_EXTRA_CA_CERTS. */
    readonly caFile = join(this.path, "test-ca.pem");
    readonly #host: string;
    #issued = 0;

    constructor(host: string) {
        this.#host = host;
        this.#openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=test-ca -keyout test-ca.key -out test-ca.pem",
        );
        this.ca = readFileSync(this.caFile, "utf8");
        for (const folder of ["live", "archive"]) mkdirSync(join(this.path, folder), { mode: 0o700 });
        mkdirSync(join(this.path, "live", host));
        mkdirSync(join(this.path, "archive", host));
    }

    /** Issues a certificate and leads `live/` to it, as a renewal does. Returns its serial number. */
    renew(): string {
        this.#issued += 1;
        const folder = join("archive", this.#host);
        const [key, request, chain] = [
            `${folder}/privkey${this.#issued}.pem`,
            "request.pem",
            `${folder}/fullchain${this.#issued}.pem`,
        ];
        const serial = String(1000 + this.#issued);
        writeFileSync(
            join(this.path, "names.cnf"),
            `subjectAltName=DNS:${this.#host}\ncrlDistributionPoints=URI:http://127.0.0.1/none.crl\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature`,
        );
        this.#openssl(
            `req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj / -keyout ${key} -out ${request}`,
        );
        this.#openssl(
            `x509 -req -in ${request} -CA test-ca.pem -CAkey test-ca.key -set_serial ${serial} -days 90 -extfile names.cnf -out ${chain}`,
        );
        chmodSync(join(this.path, key), 0o600);
        this.#link("privkey.pem", `privkey${this.#issued}.pem`);
        this.#link("fullchain.pem", `fullchain${this.#issued}.pem`);
        return serial;
    }

    /** Leads the certificate to one file and the key to another: what must never be taken up. */
    mismatch(): void {
        this.#link("fullchain.pem", `fullchain${this.#issued - 1}.pem`);
    }

    /** Undoes {@link mismatch}. */
    match(): void {
        this.#link("fullchain.pem", `fullchain${this.#issued}.pem`);
    }

    remove(): void {
        rmSync(this.path, { recursive: true });
    }

    #link(name: string, file: string): void {
        const link = join(this.path, "live", this.#host, name);
        symlinkSync(`../../archive/${this.#host}/${file}`, `${link}.new`);
        renameSync(`${link}.new`, link);
    }

    #openssl(args: string): void {
        execFileSync("openssl", args.split(" "), { cwd: this.path, stdio: "pipe" });
    }
}

/** The certificate that a port of this machine serves for a name. */
export function servedCertificate(port: number, servername: string): Promise<PeerCertificate> {
    return new Promise((resolve, reject) => {
        const socket = connect({ port, host: "127.0.0.1", servername, rejectUnauthorized: false });
        socket.on("secureConnect", () => {
            resolve(socket.getPeerCertificate());
            socket.destroy();
        });
        socket.on("error", reject);
    });
}
