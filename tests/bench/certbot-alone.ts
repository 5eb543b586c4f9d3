import { randomBytes } from "node:crypto";
import { certbotArguments, PATHS } from "../../components/certificates/certbot-arguments.ts";
import type { AcmeSource } from "../../components/certificates/source.ts";
import { docker, images } from "../support/homeserver.ts";
import { removeLabelled, run } from "./commands.ts";

/** certbot by one docker command, through an nginx that runs: what tls.mode acme is measured against. */
export class CertbotAlone {
    readonly #name = `bench-${randomBytes(3).toString("hex")}`;
    #runs = 0;

    /**
     * Gets a certificate with a new account, for a name that the CA has not seen. Returns how many milliseconds that
     * took.
     */
    async obtain(source: AcmeSource, webrootVolume: string, signal: AbortSignal): Promise<number> {
        this.#runs += 1;
        const letsencrypt = `${this.#name}-${this.#runs}`;
        await docker("volume", "create", "--label", this.#name, letsencrypt);
        const trusting = 'printf %s "$CA_BUNDLE" >/tmp/ca.pem; exec certbot "$@"';
        const started = performance.now();
        await run(
            [
                ...(["docker", "run", "--rm", "--label", this.#name] as const),
                ...["--volume", `${letsencrypt}:${PATHS.letsencrypt}`],
                ...["--volume", `${webrootVolume}:${PATHS.webroot}`],
                ...["--env", "CA_BUNDLE", "--env", "REQUESTS_CA_BUNDLE=/tmp/ca.pem"],
                ...["--entrypoint", "/bin/sh", images.certbot ?? "", "-euc", trusting, "certbot", "certonly"],
                ...certbotArguments(source, `alone-${this.#runs}.test`),
            ],
            { CA_BUNDLE: source.caBundle ?? "" },
            signal,
        );
        return performance.now() - started;
    }

    /** Removes all that {@link obtain} made. */
    remove(): Promise<void> {
        return removeLabelled(this.#name);
    }
}
