import { mustDocker } from "../docker.ts";
import { CommandError } from "../failure.ts";
import type { Server } from "../server.ts";
import { type Dump, imageOf } from "./dumps.ts";

const PUT_BACK = `[ ! -e /data/.database ] || exit 3
cp "/dumps/$DUMP/database" /data/homeserver.db.rollback
sync
for suffix in -wal -shm -journal ""; do
    [ ! -e "/data/homeserver.db$suffix" ] || mv "/data/homeserver.db$suffix" "/data/$KEPT$suffix"
done
mv /data/homeserver.db.rollback /data/homeserver.db`;

/** Puts a dump in the place of the SQLite file, which is kept under the name that is returned. */
export async function putBackSqlite(server: Server, dump: Dump): Promise<string> {
    const { containerName, dockerHost } = server;
    const kept = `homeserver.db.before-rollback-${new Date().toISOString().replaceAll(/[:.]/g, "")}`;
    await mustDocker(dockerHost, [
        "run",
        "--rm",
        "--network=none",
        `--mount=type=volume,src=${containerName}-dumps,dst=/dumps,readonly`,
        `--mount=type=volume,src=${containerName}-data,dst=/data`,
        "--user=991:991",
        "--cap-drop=ALL",
        `--env=DUMP=${dump.name}`,
        `--env=KEPT=${kept}`,
        "--entrypoint=/bin/sh",
        await imageOf(server, containerName),
        "-euc",
        PUT_BACK,
    ]).catch(() => {
        throw new CommandError(
            "The file could not be put back. If the server's data has been moved to PostgreSQL since, this dump is of before that; see `docker logs` and `npm run rollback -- --list`.",
        );
    });
    return `/data/${kept}`;
}
