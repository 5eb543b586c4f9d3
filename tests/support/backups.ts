import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { type Run, runsOf } from "../../commands/backup/runs.ts";
import { docker } from "./homeserver.ts";
import { eventually } from "./http.ts";

/** What `docker exec` of a backup ended with. */
export interface Attempt {
    readonly code: number;
    readonly printed: string;
}

/** The backups of a stack, by its containers. */
export class Backups {
    readonly container: string;
    readonly database: string;

    constructor(name: string) {
        this.container = `${name}-backup`;
        this.database = `${name}-backup-database`;
    }

    /** Makes one now, and says how that ended. */
    async attempt(): Promise<Attempt> {
        const args = ["exec", this.container, "sh", "/scripts/run.sh"];
        return promisify(execFile)("docker", args).then(
            ({ stdout, stderr }) => ({ code: 0, printed: stdout + stderr }),
            (error: { code?: number; stdout?: string; stderr?: string }) => ({
                code: error.code ?? -1,
                printed: `${error.stdout}${error.stderr}`,
            }),
        );
    }

    /** Makes one now, or fails; returns its name. */
    async make(): Promise<string> {
        // The one at the first start may be under way.
        const { printed } = await eventually(
            60,
            () => this.attempt(),
            ({ code }) => code !== 75,
        ).then((attempt) => {
            if (attempt.code !== 0) throw new Error(attempt.printed);
            return attempt;
        });
        return /The backup (\S+) is made/.exec(printed)?.[1] ?? "";
    }

    async runs(): Promise<Run[]> {
        return runsOf(await docker("exec", this.container, "sh", "/scripts/list.sh"));
    }

    /** Waits until the pipe holds a name, one a line. */
    async until(name: RegExp): Promise<void> {
        await eventually(
            30,
            () => docker("exec", this.container, "ls", "/pipe"),
            (names) => name.test(names),
        );
    }

    /** Waits until both containers run, as Docker starts them again. */
    async isThere(): Promise<void> {
        for (const container of [this.container, this.database])
            await eventually(
                60,
                () => docker("exec", container, "true"),
                () => true,
            );
    }

    /** Waits for the one that is made without anybody asking for it. */
    first(): Promise<unknown> {
        return eventually(
            60,
            () => docker("exec", this.container, "cat", "/state/checked", "/state/last"),
            () => true,
        );
    }
}

/** A password that nothing else holds. */
export const somePassword = () => `password-${randomBytes(12).toString("hex")}`;
