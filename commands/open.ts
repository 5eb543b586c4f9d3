import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { carryOut } from "./failure.ts";
import { findServer, STACK_OPTION } from "./server.ts";

const USAGE = `Prints where a stack's server is, and opens it in a browser where there is a display.

  npm run open -- [--stack NAME]
`;

await carryOut({ usage: USAGE, run: open });

async function open(args: readonly string[]): Promise<number> {
    const { values } = parseArgs({ args: [...args], options: STACK_OPTION });
    const { clientUrl } = await findServer(values.stack);
    const url = `${clientUrl}/`;
    process.stdout.write(`${url}\n`);
    const opener = openerOf(process.platform, process.env);
    if (opener === undefined) {
        process.stderr.write("There is no display here: open it in a browser of yours.\n");
    } else if (!(await started(opener, url))) {
        process.stderr.write(`${opener} could not open it: open it in a browser of yours.\n`);
    }
    return 0;
}

function openerOf(platform: string, { DISPLAY, WAYLAND_DISPLAY }: NodeJS.ProcessEnv): string | undefined {
    if (platform === "darwin") return "open";
    return DISPLAY || WAYLAND_DISPLAY ? "xdg-open" : undefined;
}

function started(opener: string, url: string): Promise<boolean> {
    return new Promise((resolve) => {
        const child = spawn(opener, [url], { stdio: "ignore" });
        child.on("error", () => resolve(false));
        child.on("close", (code) => resolve(code === 0));
    });
}
