import { readShell, type ShellCommand } from "./shell-commands.ts";

/** Where a script of `components` runs: in an official image, or on the machine that runs Pulumi. */
export type Place = "certbot" | "nginx" | "postgres" | "restic" | "synapse" | "pulumi";

/** Those whose shell and tools are busybox's. */
const BUSYBOX: ReadonlySet<Place> = new Set(["certbot", "restic"]);

const words = (text: string) => text.trim().split(/\s+/);

const BUILTINS = words(`
    . : [ break cd command continue echo eval exec exit export false getopts kill local printf pwd read readonly return
    set shift test times trap true type ulimit umask unset wait`);

/** What `sh`, coreutils, findutils, grep, sed and busybox have in common: POSIX, and what came after it. */
const COMMON = words(`
    awk base64 basename cat chgrp chmod chown cksum cmp comm cp cut date dd df diff dirname du env expand expr find flock
    fold getopt grep head hostname id install ln ls md5sum mkdir mkfifo mktemp mv nice nl nohup nproc od paste printenv
    readlink realpath rm rmdir sed seq setpriv setsid sh sha1sum sha256sum sha512sum shuf sleep sort split stat stty sync
    tac tail tar tee timeout touch tr truncate tty uname uniq unlink unshare wc which whoami xargs yes gzip gunzip zcat`);

/** Read in the official images' Dockerfiles and in those of their bases. */
const PROGRAMS: Readonly<Record<Place, ReadonlySet<string>>> = {
    // Alpine's busybox, with the rest of the applets that its configuration names; openssl by apk; Python below it.
    certbot: new Set([
        ...BUILTINS,
        ...COMMON,
        ...words("certbot python3 openssl killall pgrep pidof pkill ps usleep"),
    ]),
    // Debian slim with curl: no procps, no Python.
    nginx: new Set([
        ...BUILTINS,
        ...COMMON,
        ...words("bash curl envsubst getent gettext nginx numfmt openssl"),
    ]),
    // Debian slim: no curl, and no certificates of CAs. Of PostgreSQL's programs the client's are postgresql-common's.
    postgres: new Set([
        ...BUILTINS,
        ...COMMON,
        ...words(`bash createdb docker-ensure-initdb.sh docker-entrypoint.sh dropdb getent gosu initdb numfmt openssl perl
            pg_controldata pg_ctl pg_dump pg_dumpall pg_isready pg_restore pg_upgrade postgres psql reindexdb vacuumdb xz
            zstd`),
    ]),
    // Alpine's busybox with restic, jq and ssh: no openssl, no PostgreSQL.
    restic: new Set([
        ...BUILTINS,
        ...COMMON,
        ...words("restic jq ssh ssh-keygen ssh-keyscan sftp ionice killall pgrep pidof pkill ps usleep"),
    ]),
    // Debian slim with Python: no procps, no sqlite3, no psql.
    synapse: new Set([
        ...BUILTINS,
        ...COMMON,
        ...words("/start.py bash curl getent gosu numfmt openssl python3 register_new_matrix_user"),
    ]),
    pulumi: new Set([...BUILTINS, ...COMMON, "docker"]),
};

/** Long options that busybox's applets know. */
const LONG_OPTIONS: Readonly<Record<string, readonly string[]>> = {
    openssl: [],
    certbot: [],
    python3: [],
    restic: [],
    jq: [],
};

/** What busybox's applets refuse, or print instead of obeying. */
const REFUSED: Readonly<Record<string, RegExp>> = {
    date: /%[-_0^#]*\d*N|(^| )(-d ?)['"]?(next|last|yesterday|tomorrow|now|\d+ (second|minute|hour|day|week)|-\d)/,
    echo: /^-[a-zA-Z]*E/,
    find: /-(printf|fprintf|newer[aBcm][aBcmt]|regextype|readable|writable|ls)\b/,
    flock: /(^| )-(?![sxnu]+( |$))/,
    grep: /(^| )-[a-zA-Z]*P/,
    printf: /%[-\d.]*q/,
    readlink: /(^| )-[a-z]*[em]/,
    tail: /(^| )--pid/,
    wait: /(^| )-n/,
    xargs: /(^| )-[a-zA-Z]*d/,
};

/** What a shell other than bash does not read, or reads as something else. */
const BASHISMS: readonly RegExp[] = [
    /\$\{\w+(\^|,|@[A-Za-z]|:-?\d+:|\/)/,
    /<<</,
    /[<>]\(/,
    /^\s*(function|source|declare|typeset|let|shopt|mapfile|readarray)\s/m,
    /\w+=\(/,
    /\[\[/,
    /\$'/,
    /&>/,
];

/** Why a script cannot run in one of its places. */
export function faultsOf(script: string, place: Place): string[] {
    const { commands, functions } = readShell(script);
    const faults = commands.flatMap(nested).flatMap(({ name, args, line }) => {
        const said = [name, ...args].join(" ");
        if (functions.has(name)) return [];
        if (!PROGRAMS[place].has(name)) return [`line ${line}: ${place} has no ${name}: ${said}`];
        return BUSYBOX.has(place) && isRefused(name, args) ? [`line ${line}: busybox refuses ${said}`] : [];
    });
    // As in the heads of scripts: what stands in a comment runs nowhere.
    const code = script.replaceAll(/^\s*#.*$/gm, "");
    return [...faults, ...BASHISMS.filter((bashism) => bashism.test(code)).map(String)];
}

/** The functions that a script brings with it for others. */
export function functionsOf(script: string): ReadonlySet<string> {
    return readShell(script).functions;
}

function isRefused(name: string, args: readonly string[]): boolean {
    const isLong = (arg: string) => /^--./.test(arg);
    if (!BUILTINS.includes(name) && !(name in LONG_OPTIONS) && args.some(isLong)) return true;
    return REFUSED[name]?.test(args.join(" ")) ?? false;
}

/** A command, and what it runs in its turn. */
function nested(command: ShellCommand): ShellCommand[] {
    const { name, args, line } = command;
    const run = (words: readonly string[]): ShellCommand[] => {
        const [first, ...rest] = words;
        return first === undefined ? [] : nested({ name: first, args: rest, line });
    };
    switch (name) {
        case "exec":
            return run(args);
        case "command":
            return args[0]?.startsWith("-") ? [command] : run(args);
        case "timeout": {
            const duration = args.findIndex((arg) => /^\d/.test(arg));
            return [{ ...command, args: args.slice(0, duration) }, ...run(args.slice(duration + 1))];
        }
        case "find": {
            const exec = args.indexOf("-exec");
            return exec === -1 ? [command] : [command, ...run(args.slice(exec + 1))];
        }
        case "trap":
            return readShell(args[0] ?? "").commands.flatMap(nested);
        case "sh":
        case "/bin/sh": {
            const text = /^-[a-z]*c$/.test(args[0] ?? "") ? args[1] : undefined;
            // What comes by a variable is another script of the table.
            return text === undefined || text.startsWith("$") ? [] : readShell(text).commands.flatMap(nested);
        }
        default:
            return [command];
    }
}
