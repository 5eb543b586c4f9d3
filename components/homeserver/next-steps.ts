import { isPublicName } from "../../hosts.ts";
import type { Settings } from "../../settings/settings.ts";
import type { Topology } from "./topology.ts";

/** What is known of a server that runs. */
export interface Running {
    /** Name of the stack. */
    readonly stack: string;
    /** Where clients connect. */
    readonly clientUrl: string;
    /** One line for each thing that was verified. */
    readonly verified: readonly string[];
    /** Whether clients must be told to trust a private CA. */
    readonly privateCa: boolean;
}

/** What was verified, a line each, and what to do next, for the end of a deployment. */
export function nextSteps(topology: Topology, settings: Settings, running: Running): string {
    const { clientUrl, privateCa, stack, verified } = running;
    // The stack that the commands take when none is named.
    const option = stack === "local" ? "" : `--stack ${stack}`;
    const steps: readonly (readonly [what: string, how: string] | undefined)[] = [
        ["make the first user", run("user", "add alice --admin", option)],
        ["open it", `${clientUrl}/ (${run("open", option)})`],
        privateCa ? ["trust its CA", run("trust", option)] : undefined,
        ["see how it is", run("status", option)],
        isPublicName(settings.serverName) && topology.federation !== "off"
            ? [
                  "see it as others do",
                  `https://federationtester.matrix.org/#${settings.serverName} (it asks from the internet)`,
              ]
            : undefined,
        // Which of the two it was that brought it up is not known here.
        [
            "stop it",
            `npm stop${option === "" ? "" : ` -- ${option}`}; if Pulumi brought it up, pulumi destroy`,
        ],
    ];
    const told = steps.filter((step) => step !== undefined);
    const width = Math.max(...told.map(([what]) => what.length));
    return [
        // No colon here, and no list: the CLI takes a text that is YAML for an object, and shows it as one.
        `${settings.serverName} works. It was asked, and answered`,
        ...verified.map((line) => `  ${line}`),
        "What to do next",
        ...told.map(([what, how]) => `  ${what.padEnd(width)}  ${how}`),
    ].join("\n");
}

function run(script: string, ...options: readonly string[]): string {
    const given = options.filter((option) => option !== "");
    return `npm run ${script}${given.length === 0 ? "" : ` -- ${given.join(" ")}`}`;
}
