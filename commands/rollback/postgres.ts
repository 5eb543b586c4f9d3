import { docker, lastLine, mustDocker } from "../docker.ts";
import { CommandError } from "../failure.ts";
import type { Server } from "../server.ts";
import { type Dump, imageOf } from "./dumps.ts";

const RESTORED = "synapse_rollback";
const CONNECTION = ["--host=/var/run/postgresql", "--username=postgres"];

/**
 * Restores a dump into a database beside the server's, and then lets them change places: killed at any moment, the
 * server has the one or the other, or the next run goes on. Returns the name under which the other one is kept.
 */
export async function putBackInPostgres(server: Server, dump: Dump): Promise<string> {
    const postgres = `${server.containerName}-postgres`;
    const { code, stdout } = await docker(server.dockerHost, [
        "container",
        "inspect",
        "--format",
        "{{.State.Running}}",
        postgres,
    ]);
    if (code !== 0 || stdout.trim() !== "true")
        throw new CommandError(
            `PostgreSQL's container ${postgres} does not run. If it is another's server: docs/upgrade.md says how the dump is put back there. ` +
                "Synapse is stopped.",
        );
    const kept = `synapse_before_${new Date().toISOString().replaceAll(/\D/g, "")}`;
    await sql(server, postgres, [
        `DROP DATABASE IF EXISTS ${RESTORED} WITH (FORCE)`,
        `CREATE DATABASE ${RESTORED} OWNER synapse TEMPLATE template0 ENCODING UTF8 LOCALE 'C'`,
    ]);
    await restore(server, postgres, dump);
    const away = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'synapse'";
    const [found] = await sql(server, postgres, [
        "SELECT count(*) FROM pg_database WHERE datname = 'synapse'",
    ]);
    await sql(server, postgres, [
        ...(found === "0" ? [] : [away, `ALTER DATABASE synapse RENAME TO ${kept}`]),
        `ALTER DATABASE ${RESTORED} RENAME TO synapse`,
    ]);
    return found === "0" ? "the databases synapse_before_…" : `the database ${kept}`;
}

async function sql(
    { dockerHost }: Server,
    postgres: string,
    statements: readonly string[],
): Promise<string[]> {
    const args = ["psql", ...CONNECTION, "--dbname=postgres", "--no-psqlrc", "-qtA", "--set=ON_ERROR_STOP=1"];
    // One by one: some may stand in no transaction.
    const commands = statements.map((statement) => `--command=${statement}`);
    const { code, stderr, stdout } = await docker(dockerHost, ["exec", postgres, ...args, ...commands]);
    if (code !== 0) throw new CommandError(`PostgreSQL refused it: ${lastLine(stderr)}. Synapse is stopped.`);
    return stdout.trim().split("\n");
}

async function restore(server: Server, postgres: string, { name }: Dump): Promise<void> {
    const { containerName, dockerHost } = server;
    await mustDocker(dockerHost, [
        "run",
        "--rm",
        // Its own loopback, where the owner's password is asked for.
        `--network=container:${postgres}`,
        `--mount=type=volume,src=${containerName}-dumps,dst=/dumps,readonly`,
        `--mount=type=volume,src=${containerName}-database,dst=/database,readonly`,
        "--user=999:999",
        "--cap-drop=ALL",
        "--entrypoint=/bin/sh",
        await imageOf(server, postgres),
        "-euc",
        `export PGPASSFILE=/tmp/pgpass; umask 077; sed 's/^[^:]*:[^:]*:[^:]*:/*:*:*:/' /database/postgres.pgpass >"$PGPASSFILE"
exec pg_restore --host=127.0.0.1 --username=synapse --dbname=${RESTORED} --no-owner --exit-on-error /dumps/${name}/database`,
    ]);
}
