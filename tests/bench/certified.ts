import type { AcmeSource } from "../../components/certificates/source.ts";
import { Homeserver } from "../support/homeserver.ts";
import { Pebble } from "../support/pebble.ts";
import { CertbotAlone } from "./certbot-alone.ts";
import { removed, somePorts } from "./deployments.ts";
import { signal } from "./interrupt.ts";
import { firstAnswer } from "./probe.ts";
import { type Row, say } from "./report.ts";
import { ROUNDS } from "./rounds.ts";

/** What tls.mode acme takes, against certbot alone: the same image, CA and nginx, a new account each time. */
export async function certified(): Promise<Row[]> {
    const ports = await somePorts();
    const pebble = await Pebble.start({ httpPort: ports.http });
    const source: AcmeSource = {
        mode: "acme",
        email: "admin@example.org",
        server: pebble.directory,
        caBundle: pebble.caBundle,
        names: [],
        keyType: "ecdsa",
        challenge: { type: "http-01" },
        expiryWarningDays: 14,
    };
    const host = "matrix.test";
    const server = new Homeserver({ publicHost: host, ports, tls: source }, { compiles: true });
    const alone = new CertbotAlone();
    const figures = { trusted: [] as number[], alone: [] as number[], afterwards: [] as number[] };
    try {
        const environment = { NODE_EXTRA_CA_CERTS: await pebble.rootFile() };
        const trust = { host, ca: await pebble.root() };
        for (let round = 1; round <= ROUNDS; round++) {
            say(`From nothing to a trusted certificate, ${round} of ${ROUNDS}`);
            if (round > 1) await removed(server);
            const up = () => server.mustUp({}, environment);
            const { answered, trusted } = await firstAnswer(ports.https, up, signal, trust);
            figures.trusted.push(trusted / 1000);
            figures.afterwards.push((trusted - answered) / 1000);
            // Through the nginx that now runs.
            figures.alone.push((await alone.obtain(source, `${server.name}-acme-webroot`, signal)) / 1000);
        }
    } finally {
        say("Removing what was made.");
        // A certbot that was interrupted holds a volume of the server's.
        await alone.remove().finally(() => removed(server).finally(() => pebble.stop()));
    }
    const unit = { unit: "s", digits: 1 };
    const added = figures.trusted.map((seconds, round) => seconds - (figures.alone[round] ?? Number.NaN));
    return [
        {
            ...unit,
            what: "from nothing to a trusted certificate (certbot alone)",
            ours: figures.trusted,
            baseline: figures.alone,
        },
        { ...unit, what: "… ours minus certbot alone", ours: added },
        {
            ...unit,
            what: "… from the first answer, on a placeholder (certbot alone)",
            ours: figures.afterwards,
            baseline: figures.alone,
        },
    ];
}
