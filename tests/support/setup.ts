import { spawn } from "node:child_process";
import {
    chmodSync,
    cpSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SETUP = fileURLToPath(new URL("../../scripts/setup.sh", import.meta.url));

/** What setup.sh uses of a machine and what changes nothing there. */
const TOOLS = ["sh", "cat", "dirname", "env", "find", "mktemp", "node", "rm", "sleep", "tail", "touch"];

/** How a run ended. */
export interface SetupRun {
    readonly code: number | null;
    /** Both streams. */
    readonly printed: string;
    /** What would have been done as root. */
    readonly installed: string;
}

/** A machine that setup.sh takes for its own: programs that only write down what they are called for. */
export class SetupMachine {
    readonly directory = mkdtempSync(join(tmpdir(), "setup-"));
    readonly #log = join(this.directory, "installed");
    readonly #bin = join(this.directory, "bin");

    /** @param programs name → shell script; those of {@link TOOLS} are there anyway */
    constructor(programs: Readonly<Record<string, string>> = {}) {
        mkdirSync(join(this.directory, "scripts"));
        mkdirSync(this.#bin);
        cpSync(SETUP, join(this.directory, "scripts/setup.sh"));
        // npm's packages are somebody else's then, and left alone.
        symlinkSync(this.directory, join(this.directory, "node_modules"));
        writeFileSync(this.#log, "");
        for (const tool of TOOLS) this.add(tool, `exec ${pathOf(tool)} "$@"`);
        this.add("npm", "exit 0");
        this.add("id", "[ $1 = -u ] && echo 0 || echo root");
        this.add("uname", "echo Linux");
        this.add("apt-cache", "exit 0");
        // What it installs is a docker client whose engine answers.
        this.add(
            "apt-get",
            `echo "$*" >>${this.#log}
            [ $1 = update ] || { printf '#!/bin/sh\\n' >${this.#bin}/docker; chmod +x ${this.#bin}/docker; }`,
        );
        this.add("chmod", `exec ${pathOf("chmod")} "$@"`);
        for (const [name, script] of Object.entries(programs)) this.add(name, script);
    }

    add(name: string, script: string): void {
        const file = join(this.#bin, name);
        writeFileSync(file, `#!${pathOf("sh")}\n${script}\n`);
        chmodSync(file, 0o755);
    }

    /**
     * @param answer what is typed at a terminal once it asks; without one there is no terminal
     * @param into where the shell sends its standard output
     */
    async run(
        args: readonly string[],
        environment: NodeJS.ProcessEnv = {},
        answer?: string,
        into = "",
    ): Promise<SetupRun> {
        const command = `exec sh scripts/setup.sh ${args.join(" ")} ${into}`;
        const [program, ...rest] =
            answer === undefined
                ? [pathOf("sh"), "-c", command]
                : [pathOf("script"), "--quiet", "--return", "--command", command, "/dev/null"];
        const child = spawn(program, rest, {
            cwd: this.directory,
            // `script` runs a shell that it is told of.
            env: { PATH: this.#bin, HOME: this.directory, SHELL: pathOf("sh"), ...environment },
        });
        let printed = "";
        let answered = false;
        for (const stream of [child.stdout, child.stderr]) {
            stream.setEncoding("utf8").on("data", (text: string) => {
                printed += text;
                if (answer === undefined || answered || !printed.includes("[y/N]")) return;
                answered = true;
                child.stdin.write(answer);
            });
        }
        if (answer === undefined) child.stdin.end();
        const code = await new Promise<number | null>((resolve, reject) =>
            child.on("error", reject).on("close", resolve),
        );
        return { code, printed, installed: readFileSync(this.#log, "utf8") };
    }

    remove(): void {
        rmSync(this.directory, { recursive: true });
    }
}

function pathOf(tool: string): string {
    if (tool === "node") return process.execPath;
    return tool === "sh" ? "/bin/sh" : `/usr/bin/${tool}`;
}
