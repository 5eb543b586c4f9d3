import { parseArgs } from "node:util";
import { runsOf, tableOf } from "./backup/runs.ts";
import { docker, exitOf, lastLine, mustDocker, startDocker } from "./docker.ts";
import { CommandError, carryOut } from "./failure.ts";
import { findRunningServer, type Server, STACK_OPTION } from "./server.ts";

const USAGE = `Makes a backup of a stack's server now, or lists those that there are.

  npm run backup -- [--stack NAME]
  npm run backup -- [--stack NAME] --list [--json]

The exit code is 1 when there is no good backup, and 75 while another one is under way.
`;

await carryOut({ usage: USAGE, run: backup });

async function backup(args: readonly string[]): Promise<number> {
    const flag = { type: "boolean", default: false } as const;
    const options = { ...STACK_OPTION, list: flag, json: flag };
    const { values } = parseArgs({ args: [...args], options });
    const server = await findRunningServer(values.stack);
    const container = await backupContainer(server);
    if (values.list) return list(server, container, values.json);
    // With its own words on standard error, as it goes.
    return exitOf(
        startDocker(server.dockerHost, ["exec", container, "sh", "/scripts/run.sh"], ["ignore", 1, 2]),
    );
}

async function list({ dockerHost }: Server, container: string, json: boolean): Promise<number> {
    const runs = runsOf(await mustDocker(dockerHost, ["exec", container, "sh", "/scripts/list.sh"]));
    process.stdout.write(`${json ? JSON.stringify(runs, null, 2) : tableOf(runs)}\n`);
    return 0;
}

async function backupContainer({ containerName, dockerHost, stack }: Server): Promise<string> {
    const container = `${containerName}-backup`;
    const asked = await docker(dockerHost, ["inspect", "--format", "{{.State.Status}}", container], {
        patience: 30_000,
    });
    if (asked.code === 0 && asked.stdout.trim() === "running") return container;
    throw new CommandError(
        asked.code === 0
            ? `The container ${container} is ${asked.stdout.trim()}. Start it with \`docker start ${container}\`.`
            : `The stack ${stack} makes no backups (${lastLine(asked.stderr)}): set synapse:backup and bring it up again; see docs/backup.md.`,
    );
}
