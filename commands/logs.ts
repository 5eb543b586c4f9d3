import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { exitOf, startDocker } from "./docker.ts";
import { CommandError, carryOut, UsageError } from "./failure.ts";
import { findServer, type Server, STACK_OPTION } from "./server.ts";
import { inspectContainers, type ServiceStatus, servicesOf } from "./status/containers.ts";

const USAGE = `Shows what the containers of a stack have logged.

  npm run logs -- [SERVICE] [--follow] [--since 10m] [--stack NAME]

  SERVICE is synapse, nginx or certbot; all of them, one after another, unless given.
`;

const OPTIONS = {
    ...STACK_OPTION,
    follow: { type: "boolean", default: false },
    since: { type: "string" },
} as const;

await carryOut({ usage: USAGE, run: logs });

async function logs(args: readonly string[]): Promise<number> {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    const [wanted, ...rest] = positionals;
    if (rest.length > 0) throw new UsageError("logs shows one service, or all of them");
    const server = await findServer(values.stack);
    const flags = [
        ...(values.follow ? ["--follow"] : []),
        ...(values.since === undefined ? [] : ["--since", values.since]),
    ];
    const services = await servicesWithLogs(server, wanted);
    if (services.length === 1) return show(server, services[0]?.container ?? "", flags);
    const width = Math.max(...services.map(({ service }) => service.length));
    const showing = services.map(
        ({ service, container }) =>
            () =>
                showWithName(server, container, flags, service.padEnd(width)),
    );
    if (values.follow) return Math.max(...(await Promise.all(showing.map((start) => start()))));
    let code = 0;
    for (const start of showing) code = Math.max(code, await start());
    return code;
}

async function servicesWithLogs(server: Server, wanted: string | undefined): Promise<ServiceStatus[]> {
    const there = servicesOf(server, await inspectContainers(server)).filter(
        ({ state }) => state !== "missing",
    );
    const chosen = there.filter(({ service }) => wanted === undefined || service === wanted);
    if (chosen.length > 0) return chosen;
    const names = there.map(({ service }) => service).join(", ");
    throw new CommandError(
        there.length === 0
            ? `The stack ${server.stack} has no containers on its Docker host. Bring it up again.`
            : `The stack ${server.stack} has no ${wanted ?? ""}; it has ${names}.`,
    );
}

/** Both streams of a container are its log, for a pipe as well. */
function show({ dockerHost }: Server, container: string, flags: readonly string[]): Promise<number> {
    return exitOf(startDocker(dockerHost, ["logs", ...flags, container], ["ignore", 1, 1]));
}

async function showWithName(
    { dockerHost }: Server,
    container: string,
    flags: readonly string[],
    name: string,
): Promise<number> {
    const child = startDocker(dockerHost, ["logs", ...flags, container], ["ignore", "pipe", "pipe"]);
    for (const input of [child.stdout, child.stderr]) {
        if (input !== null)
            createInterface({ input }).on("line", (line) => process.stdout.write(`${name} | ${line}\n`));
    }
    // With nobody to read it, a log that is followed would never end.
    let isRead = true;
    process.stdout.on("error", () => {
        isRead = false;
        child.kill();
    });
    const code = await exitOf(child);
    return isRead ? code : 0;
}
