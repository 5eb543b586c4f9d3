import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { images, inspect } from "./homeserver.ts";

const SCRIPT = new URL("../../components/synapse/database.py", import.meta.url);

/** What the check of the database says, run as its task runs it, of a database that the server has not been given. */
export async function checkAlone(
    server: string,
    connection: Readonly<Record<string, string>>,
    chosen = true,
): Promise<string> {
    const compiled = /^PYTHONPYCACHEPREFIX=(.*)$/m.exec(
        await inspect(server, "{{range .Config.Env}}{{println .}}{{end}}"),
    )?.[1];
    const environment = {
        PGPORT: "5432",
        PGUSER: "synapse",
        ...connection,
        SERVER_NAME: "localhost",
        IMAGE_REFERENCE: "the image",
        CHOSEN: chosen ? "yes" : "no",
        PYTHONPYCACHEPREFIX: compiled ?? "",
    };
    const volumes = ["data:/data", "compiled:/compiled", "database:/database"];
    const { stdout, stderr } = await promisify(execFile)("docker", [
        ...["run", "--rm", "--network", server, "--user", "991:991"],
        ...volumes.flatMap((volume) => ["-v", `${server}-${volume}:ro`]),
        ...Object.entries(environment).flatMap((variable) => ["-e", variable.join("=")]),
        ...["--entrypoint", "python3", images.synapse ?? "", "-c", readFileSync(SCRIPT, "utf8")],
    ]).catch((error: { stdout: string; stderr: string }) => error);
    return (stdout + stderr).trim();
}

/** The stack's own PostgreSQL, for {@link checkAlone}. */
export const OWN = {
    PGHOST: "postgres",
    PGDATABASE: "synapse",
    PGPASSFILE: "/database/synapse.pgpass",
} as const;
