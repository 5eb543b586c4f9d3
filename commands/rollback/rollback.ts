import { parseArgs } from "node:util";
import { docker, mustDocker } from "../docker.ts";
import { CommandError, carryOut } from "../failure.ts";
import { findServer, type Server, STACK_OPTION } from "../server.ts";
import { confirm } from "../user/confirm.ts";
import { type Dump, listDumps, table } from "./dumps.ts";
import { putBackInPostgres } from "./postgres.ts";
import { putBackSqlite } from "./sqlite.ts";

const USAGE = `Puts the database back that was dumped before another Synapse image ran on it. What was written since is not in it;
it is kept under another name. Synapse is stopped, and stays so until the older image is deployed.

  npm run rollback -- [--stack NAME] [--dump NAME] [--yes]
  npm run rollback -- [--stack NAME] --list

  --dump   one of those that --list shows; the newest unless given
  --yes    do not ask
`;

const OPTIONS = {
    ...STACK_OPTION,
    dump: { type: "string" },
    list: { type: "boolean", default: false },
    yes: { type: "boolean", default: false },
} as const;

await carryOut({ usage: USAGE, run: rollback });

async function rollback(args: readonly string[]): Promise<number> {
    const { values } = parseArgs({ args: [...args], options: OPTIONS });
    const server = await findServer(values.stack);
    const dumps = await listDumps(server);
    if (values.list) {
        process.stdout.write(`${table(dumps)}\n`);
        return 0;
    }
    const dump = chosen(dumps, values.dump);
    if (!values.yes)
        await confirm(
            `Stop ${server.containerName}, and put its database back as it was at ${dump.time} (Synapse ${dump.version})?`,
        );
    await stop(server);
    const kept =
        dump.kind === "postgres" ? await putBackInPostgres(server, dump) : await putBackSqlite(server, dump);
    process.stdout.write(`${told(server, dump, kept)}\n`);
    return 0;
}

function chosen(dumps: readonly Dump[], name: string | undefined): Dump {
    const found = name === undefined ? dumps.at(-1) : dumps.find((dump) => dump.name === name);
    if (found !== undefined) return found;
    throw new CommandError(
        name === undefined
            ? "There is no dump: none was made yet, as no other image has run here, or synapse:upgrade.dump is false."
            : `There is no dump ${name}. Those that there are:\n${table(dumps)}`,
    );
}

/** What writes to a database that is being put back writes for nothing, or into the one that is kept. */
async function stop({ containerName, dockerHost }: Server): Promise<void> {
    const { code } = await docker(dockerHost, ["container", "inspect", containerName]);
    if (code === 0) await mustDocker(dockerHost, ["stop", "-t", "60", containerName]);
}

function told({ stack }: Server, { image, time, version }: Dump, kept: string): string {
    const reference = image === "" ? `<the image of Synapse ${version}>` : image;
    return [
        `The database is as it was at ${time}. What was there is kept as ${kept}.`,
        "Synapse is stopped. Deploy the image that belongs to it:",
        `  pulumi config set --path synapse:images.synapse ${reference} --stack ${stack}`,
        `  pulumi up --refresh --stack ${stack}`,
        `or with \`npm start\` after images.synapse was set to it in Pulumi.${stack}.yaml.`,
    ].join("\n");
}
