import { z } from "zod";
import type { FieldFault } from "./faults.ts";
import { federationPlace } from "./federation.ts";
import { front } from "./front.ts";
import { unquoted, wholeNumber } from "./kinds.ts";
import type { Given } from "./schema.ts";

/** Ports on the Docker host, 1 to 65535; undefined where Docker picks (throw-away stacks only). */
export interface Ports {
    readonly http: number | undefined;
    readonly https: number | undefined;
    readonly federation: number | undefined;
    /** `off`: not published. */
    readonly synapse: number | "off" | undefined;
}

const PORT = "a whole number from 1 to 65535";
const port = () => z.preprocess(unquoted, wholeNumber(PORT, 1, 65535)).meta({ type: "integer" });

export const ports = z
    .strictObject({
        http: port()
            .optional()
            .describe("nginx, redirects to HTTPS; in mode `proxy` all that your proxy passes on."),
        https: port().optional().describe("nginx, clients."),
        federation: port().optional().describe("nginx, or Synapse in mode `synapse`: other servers."),
        synapse: z
            .union([port(), z.literal("off")], { error: `${PORT}, or off` })
            .optional()
            .describe("Synapse's plain HTTP listener; `off` publishes none."),
    })
    .superRefine(differ)
    .prefault({})
    .describe(
        "Ports on the Docker host. Left out: 80 (8080 in mode `proxy`), 443, 8448 and 8008; in a throw-away stack one that Docker picks.",
    );

function differ(ports: Readonly<Record<string, number | "off" | undefined>>, context: z.RefinementCtx): void {
    const uses = Object.entries(ports).filter(
        (entry): entry is [string, number] => typeof entry[1] === "number",
    );
    for (const [index, [use, number]] of uses.entries()) {
        const other = uses.slice(0, index).find(([, earlier]) => earlier === number);
        if (other === undefined) continue;
        const message = `a port of its own, and not that of ports.${other[0]}`;
        context.addIssue({ code: "custom", path: [use], message, input: number });
    }
}

export function completePorts(given: Given): Ports {
    const { ephemeral, ports } = given;
    const standard = ephemeral ? undefined : standardPorts(given);
    return {
        http: ports.http ?? standard?.http,
        https: ports.https ?? standard?.https,
        federation: ports.federation ?? standard?.federation,
        synapse: ports.synapse ?? standard?.synapse,
    };
}

/** What a stack that is not a throw-away uses for a port that its settings leave out: the well-known ones. */
function standardPorts({ tls }: Pick<Given, "tls">) {
    // On 80 is the proxy before it.
    const http = tls.mode === "proxy" ? 8080 : 80;
    return { http, https: 443, federation: 8448, synapse: 8008 };
}

/** The ports that a stack publishes. */
function published(given: Pick<Given, "federation" | "tls">): (keyof Ports)[] {
    switch (front(given)) {
        case "none":
            return ["synapse"];
        case "tls":
            return ["federation", "synapse"];
        case "proxy":
            if (given.tls.mode === "proxy") return ["http", "synapse"];
            return federationPlace(given) === "apart"
                ? ["http", "https", "federation", "synapse"]
                : ["http", "https", "synapse"];
    }
}

/** A port that was given and is also the standard one of a port that was left out: the schema has not seen those. */
export function standardPortFaults(given: Given): FieldFault[] {
    const { ephemeral, ports } = given;
    if (ephemeral) return [];
    const standard = standardPorts(given);
    const leftOut = published(given).filter((use) => ports[use] === undefined);
    return published(given).flatMap((use) => {
        const other = leftOut.find((left) => standard[left] === ports[use]);
        if (other === undefined) return [];
        return {
            key: `ports.${use}`,
            got: String(ports[use]),
            wanted: `a port of its own, and not that of ports.${other}, which is the same when it is left out`,
            fix: `pulumi config set --path synapse:ports.${other} <value>, or another ports.${use}`,
        };
    });
}

export function offFaults(given: Given): FieldFault[] {
    if (given.ports.synapse !== "off" || front(given) !== "none") return [];
    return [
        {
            key: "ports.synapse",
            got: '"off"',
            wanted: "a port: in tls.mode none there is no other",
            fix: "pulumi config rm --path synapse:ports.synapse, or another tls.mode",
        },
    ];
}
