import { randomBytes } from "node:crypto";
import type { Deployment } from "../support/deployment.ts";
import { docker, images } from "../support/homeserver.ts";
import { freePorts } from "../support/ports.ts";
import { removeLabelled, run } from "./commands.ts";
import { signal } from "./interrupt.ts";
import { outage } from "./probe.ts";
import { type Row, say } from "./report.ts";

/** The move of a server from SQLite to PostgreSQL, against the same data moved by hand with Synapse's tools. Once: there is no way back. */
export async function moved(server: Deployment, port: number): Promise<Row[]> {
    const name = `bench-${randomBytes(3).toString("hex")}`;
    const [byHands = 0] = await freePorts(1);
    const { synapse = "", postgres = "" } = images;
    const environment = {
        NAME: name,
        PORT: String(byHands),
        SYNAPSE_IMAGE: synapse,
        POSTGRES_IMAGE: postgres,
    };
    const byHand = (step: string) =>
        run(["sh", `${import.meta.dirname}/move-by-hand.sh`, step], environment, signal);
    try {
        await docker("volume", "create", "--label", name, `${name}-data`);
        // SQLite's file is copied while nobody writes it.
        await docker("stop", server.name);
        const copy = ["-v", `${server.name}-data:/from:ro`, "-v", `${name}-data:/to`, "--entrypoint=cp"];
        await docker("run", "--rm", "--user=0", ...copy, synapse, "-a", "/from/.", "/to/");
        await docker("start", server.name);
        say("Moved to PostgreSQL by hand");
        await byHand("start");
        const baseline = await timed(byHands, () => byHand("move"));
        await removeLabelled(name);
        say("Moved to PostgreSQL by the program");
        const ours = await timed(port, () => server.mustUp({ database: { kind: "postgres" } }));
        const unit = { unit: "s", digits: 1 };
        return [
            {
                ...unit,
                what: "without an answer while it moves to PostgreSQL (Synapse's tools by hand)",
                ours: [ours.outage],
                baseline: [baseline.outage],
                goal: { atMost: 1.1 },
            },
            {
                ...unit,
                what: "… the whole of it",
                ours: [ours.whole],
                baseline: [baseline.whole],
            },
        ];
    } finally {
        await removeLabelled(name);
    }
}

/** In seconds. */
async function timed(port: number, work: () => Promise<unknown>): Promise<{ outage: number; whole: number }> {
    let whole = 0;
    const measured = async () => {
        const started = performance.now();
        await work();
        whole = performance.now() - started;
    };
    const longest = await outage(port, measured, signal, "plain");
    return { outage: longest / 1000, whole: whole / 1000 };
}
