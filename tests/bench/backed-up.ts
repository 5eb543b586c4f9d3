import { randomBytes } from "node:crypto";
import { Backups, somePassword } from "../support/backups.ts";
import type { Deployment } from "../support/deployment.ts";
import { docker, images } from "../support/homeserver.ts";
import type { Inhabitants } from "../support/inhabitants.ts";
import { removeLabelled, run } from "./commands.ts";
import { signal } from "./interrupt.ts";
import { type Row, say } from "./report.ts";
import { ROUNDS } from "./rounds.ts";

const MESSAGES_BETWEEN = 100;

/** Backups of a server on PostgreSQL, against `pg_dump` and restic by hand: the same work, `restic forget --prune` included. */
export async function backedUp(server: Deployment, people: Inhabitants, port: number): Promise<Row[]> {
    const name = `bench-${randomBytes(3).toString("hex")}`;
    const ours = `${server.name}.kept`;
    const figures = { ours: [] as number[], byHand: [] as number[] };
    const backups = new Backups(server.name);
    try {
        await docker("volume", "create", "--label", name, ours);
        await docker("volume", "create", "--label", name, `${name}-repository`);
        const backup = { repository: `volume:${ours}`, password: somePassword(), keep: { last: 50 } };
        await server.mustUp({ database: { kind: "postgres" }, backup });
        await backups.first();
        await startRestic(name, `${server.name}-data`);
        await byHand(name, server);
        for (let round = 1; round <= ROUNDS; round++) {
            say(`A backup, ${round} of ${ROUNDS}`);
            for (let message = 0; message < MESSAGES_BETWEEN; message++) await people.write(port);
            figures.byHand.push(await seconds(() => byHand(name, server)));
            figures.ours.push(await seconds(() => backups.make()));
            signal.throwIfAborted();
        }
        return [
            {
                what: "a backup of what is new (pg_dump and restic by hand)",
                unit: "s",
                digits: 1,
                ours: figures.ours,
                baseline: figures.byHand,
                goal: { atMost: 1.1 },
            },
            {
                what: `… the repository after ${ROUNDS + 1} of them`,
                unit: "MiB",
                digits: 2,
                ours: [await size(ours)],
                baseline: [await size(`${name}-repository`)],
                goal: { atMost: 1.1 },
            },
        ];
    } finally {
        // Its backups hold the volumes.
        await server.mustUp({ database: { kind: "postgres" } }).finally(() => removeLabelled(name));
    }
}

/** A container to give restic's commands in, so that both sides start none for a backup. */
async function startRestic(name: string, data: string): Promise<void> {
    const place = ["--label", name, "--name", `${name}-restic`, "--user=0", "--network=none"];
    const volumes = ["-v", `${data}:/data:ro`, "-v", `${name}-repository:/repository`];
    const settings = ["-e", "RESTIC_REPOSITORY=/repository", "-e", "RESTIC_PASSWORD=bench"];
    const image = images.restic ?? "";
    await docker("run", "--detach", ...place, ...volumes, ...settings, "--entrypoint=sleep", image, "1d");
    await docker("exec", `${name}-restic`, "restic", "init", "--quiet");
}

function byHand(name: string, server: Deployment): Promise<void> {
    const containers = { POSTGRES: `${server.name}-postgres`, RESTIC: `${name}-restic` };
    return run(["sh", `${import.meta.dirname}/back-up-by-hand.sh`], containers, signal);
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
    const started = performance.now();
    await work();
    return (performance.now() - started) / 1000;
}

/** Of a volume's files, in MiB. */
async function size(volume: string): Promise<number> {
    const place = ["--rm", "--user=0", "--network=none", "-v", `${volume}:/volume:ro`, "--entrypoint=du"];
    const printed = await docker("run", ...place, images.postgres ?? "", "-sb", "/volume");
    return Number(printed.split(/\s/)[0]) / 1024 ** 2;
}
