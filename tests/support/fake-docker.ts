import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** Something on the Docker host. */
export interface Thing {
    /** @default "leftover" */
    readonly name?: string;
    /** Docker's labels, without their common prefix. */
    readonly labels?: Readonly<Record<string, string>>;
}

/** A docker client before every other one in this process's PATH, which writes down what it is asked. */
export class FakeDocker {
    readonly #directory = mkdtempSync(join(tmpdir(), "fake-docker-"));
    readonly #log = join(this.#directory, "log");

    constructor() {
        process.env.PATH = `${this.#directory}${delimiter}${process.env.PATH}`;
        delete process.env.DOCKER_HOST;
    }

    /** These stand on the Docker host from now on. */
    has(things: readonly Thing[]): void {
        const inspected = things.map(({ name = "leftover", labels = {} }) =>
            JSON.stringify({
                name,
                labels: Object.fromEntries(
                    Object.entries(labels).map(([key, value]) => [`synapse.${key}`, value]),
                ),
                since: "2026-01-02T03:04:05Z",
                status: "running",
            }),
        );
        const file = join(this.#directory, "inspected");
        writeFileSync(file, inspected.map((line) => `${line}\n`).join(""));
        this.runs(`echo "$DOCKER_HOST $*" >>'${this.#log}'
case "$*" in
    *Containers*) echo 'one two ' ;;
    *inspect*) [ -s '${file}' ] || { echo 'Error: No such object' >&2; exit 1; }; cat '${file}' ;;
    'container ls'*) [ ! -s '${file}' ] || echo id ;;
esac`);
    }

    /** It is this shell script from now on. */
    runs(script: string): void {
        const client = join(this.#directory, "docker");
        writeFileSync(client, `#!/bin/sh\n${script}\n`);
        chmodSync(client, 0o755);
    }

    /** What it was asked to change. */
    changes(): string[] {
        const lines = existsSync(this.#log) ? readFileSync(this.#log, "utf8").trim().split("\n") : [];
        return lines.filter((line) => !/ inspect | ls /.test(line)).map((line) => line.trim());
    }

    forget(): void {
        rmSync(this.#log, { force: true });
    }

    remove(): void {
        rmSync(this.#directory, { recursive: true });
    }
}
