import { servedCertificate } from "../../support/certificates.ts";
import { docker, Homeserver, inspect } from "../../support/homeserver.ts";
import type { Pebble } from "../../support/pebble.ts";

export const HOST = "matrix.test";

/** A stack that gets its certificate from a {@link Pebble}. */
export class AcmeHomeserver extends Homeserver {
    readonly certbot = `${this.name}-certbot`;

    /** As renew.sh does it twice a day. */
    async obtain(): Promise<{ readonly code: number; readonly printed: string }> {
        return docker("exec", this.certbot, "sh", "-c", "sh /scripts/obtain.sh 2>&1").then(
            (printed) => ({ code: 0, printed }),
            (error: { code: number; stdout: string; stderr: string }) => ({
                code: error.code,
                printed: error.stdout + error.stderr,
            }),
        );
    }

    health(): Promise<string> {
        return inspect(this.certbot, "{{.State.Health.Status}}");
    }
}

export const tls = (pebble: Pebble, more: Record<string, unknown> = {}) => ({
    tls: {
        mode: "acme",
        email: "admin@example.org",
        server: pebble.directory,
        caBundle: pebble.caBundle,
        ...more,
    },
});
export const trust = async (pebble: Pebble) => ({ NODE_EXTRA_CA_CERTS: await pebble.rootFile() });
export const namesOf = async (port: number) =>
    (await servedCertificate(port, HOST)).subjectaltname?.split(", ").sort();
export const serialOf = async (port: number) => (await servedCertificate(port, HOST)).serialNumber;
