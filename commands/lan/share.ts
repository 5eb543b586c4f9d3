import { type ChildProcess, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { remoteName } from "../../components/verification/place.ts";
import { ownConfig, readConfig } from "../../engine/config.ts";
import { outputs, type StackArgs } from "../../engine/stack.ts";
import { exitOf } from "../docker.ts";
import { CommandError } from "../failure.ts";
import { addressesOf, chooseAddress, routedAddress } from "./address.ts";
import { announcement, farewell } from "./announcement.ts";
import { contents } from "./page.ts";
import { openSite } from "./site.ts";

export interface ShareArgs {
    /** The address that was named, when this machine has several. */
    readonly address: string | undefined;
    readonly pagePort: string;
    /** The program's main file. */
    readonly main: string;
    /** Settings that come before those of the stack's file. */
    readonly overrides: Readonly<Record<string, unknown>> | undefined;
    /** Where the result of the run is to be written. */
    readonly json: string | undefined;
}

const STACK_COMMAND = join(import.meta.dirname, "../stack.ts");

/**
 * Brings a stack up for the machines on this one's network, with settings that hold for that run alone, and serves a
 * page that tells a phone how to trust it, until it is interrupted. Returns the exit code.
 */
export async function shareOnLan(
    { project, stack, report }: Pick<StackArgs, "project" | "stack" | "report">,
    { address: named, pagePort, main, overrides, json }: ShareArgs,
): Promise<number> {
    const { address, interface: network } = chooseAddress(
        addressesOf(networkInterfaces()),
        await routedAddress(),
        named,
    );
    const config = { ...overrides, publicHost: address, listenAddresses: { public: ["0.0.0.0"] } };
    const serverName = sharedServerName(ownConfig(project.name, readConfig(project, stack, config)));
    const interrupt = listenForInterrupts();
    const site = await openSite(address, portOf(pagePort));
    try {
        // A process of its own: for as long as one lives that has brought a stack up, no other may touch the stack.
        const options = ["--stack", stack, "--main", main, "--config", JSON.stringify(config)];
        const child = spawn(
            process.execPath,
            [
                ...process.execArgv,
                STACK_COMMAND,
                "up",
                ...options,
                ...(json === undefined ? [] : ["--json", json]),
            ],
            { stdio: "inherit" },
        );
        interrupt.handTo(child);
        const code = await exitOf(child);
        if (code !== 0 || interrupt.came) return code === 0 ? 130 : code;

        const { clientUrl, caCertificate } = outputs({ project, stack });
        if (typeof clientUrl !== "string" || typeof caCertificate !== "string")
            throw new CommandError("The server has no private CA, so there is nothing to show a phone.");
        const told = {
            clientUrl,
            serverName,
            fingerprint: new X509Certificate(caCertificate).fingerprint256,
        };
        site.show(contents(told, caCertificate));
        const colours = process.stdout.isTTY;
        for (const line of announcement({ ...told, stack, address, network, pageUrl: site.url, colours }))
            report.say(line);
        await interrupt.awaited;
        report.say(farewell(stack));
        return 0;
    } finally {
        await site.close();
    }
}

/** The name of the server that settings make; refuses those whose server has nothing to show a phone. */
export function sharedServerName({
    serverName = "",
    tls = "{}",
    dockerHost,
}: Readonly<Record<string, string | undefined>>): string {
    // Empty, as Pulumi.yaml has it, leaves it to the environment.
    const elsewhere = remoteName(dockerHost || process.env.DOCKER_HOST);
    if (elsewhere !== undefined)
        throw new CommandError(`--lan: the Docker engine is on ${elsewhere}, not on this machine.`);
    // What is wrong with it otherwise is for the program to say.
    const mode = /"mode":\s*"([\w-]+)"/.exec(tls)?.[1];
    if (mode !== "local-ca")
        throw new CommandError(
            `--lan is for a first look, with a private CA: it wants tls.mode local-ca, and this stack has ${mode ?? "none"}.`,
        );
    return serverName;
}

function portOf(text: string): number {
    const port = Number(text);
    if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
        throw new CommandError(`--page-port ${text}: a port is a number from 1 to 65535.`);
    return port;
}

/** A Ctrl-C, that npm may hand on once more, ends what is under way and else the page. */
function listenForInterrupts() {
    let came = false;
    let child: ChildProcess | undefined;
    const awaited = new Promise<void>((resolve) => {
        for (const signal of ["SIGINT", "SIGTERM"] as const) {
            process.on(signal, () => {
                came = true;
                if (child?.exitCode === null) child.kill(signal);
                resolve();
            });
        }
    });
    return {
        awaited,
        get came() {
            return came;
        },
        handTo: (process: ChildProcess) => {
            child = process;
        },
    };
}
