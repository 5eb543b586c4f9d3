import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { faultsOf, functionsOf, type Place } from "../support/image-programs.ts";

/** Every shell script of the program, by where it runs. What is here is all that is known of it: keep it true. */
const RUNS_IN: Readonly<Record<string, readonly Place[]>> = {
    "certificates/install-pair.sh": ["certbot", "nginx", "synapse"],
    "certificates/issue.sh": ["nginx"],
    "certificates/lock.sh": ["certbot", "nginx"],
    "certificates/obtain.sh": ["certbot"],
    "certificates/own.sh": ["certbot"],
    "certificates/placeholder.sh": ["certbot"],
    "certificates/reissue.sh": ["nginx"],
    "certificates/relay.sh": ["nginx", "synapse"],
    "certificates/renew.sh": ["certbot"],
    "certificates/served.sh": ["certbot"],
    "certificates/store.sh": ["certbot"],
    "certificates/valid.sh": ["certbot"],
    "docker/deployment.sh": ["pulumi"],
    "docker/ready.sh": ["pulumi"],
    "docker/ipv6.sh": ["pulumi"],
    "docker/task.sh": ["pulumi"],
    "nginx/configure.sh": ["nginx"],
    "nginx/health.sh": ["nginx"],
    "nginx/reload.sh": ["pulumi"],
    "nginx/start.sh": ["nginx"],
    "docker/at-work.sh": ["pulumi"],
    "docker/away.sh": ["pulumi"],
    "docker/remove-others.sh": ["synapse"],
    "docker/secret-files.sh": ["synapse"],
    "backup/backup.sh": ["restic"],
    "backup/dump.sh": ["postgres", "synapse"],
    "backup/dump-postgres.sh": ["postgres"],
    "backup/dump-sqlite.sh": ["synapse"],
    "backup/health.sh": ["restic"],
    "backup/list.sh": ["restic"],
    "backup/own.sh": ["synapse"],
    "backup/prove.sh": ["restic"],
    "backup/receive.sh": ["restic"],
    "backup/restic.sh": ["restic"],
    "backup/restore-database.sh": ["postgres"],
    "backup/restore.sh": ["restic"],
    "backup/run.sh": ["restic"],
    "backup/schedule.sh": ["restic"],
    "postgres/cluster.sh": ["postgres"],
    "postgres/initialize.sh": ["postgres"],
    "postgres/let-in.sh": ["postgres"],
    "postgres/store.sh": ["synapse"],
    "postgres/upgrade.sh": ["postgres"],
    "postgres/upgrade-away.sh": ["pulumi"],
    "synapse/check.sh": ["synapse"],
    "synapse/dump.sh": ["postgres", "synapse"],
    "synapse/dump-postgres.sh": ["postgres"],
    "synapse/dump-sqlite.sh": ["synapse"],
    "synapse/generate.sh": ["synapse"],
    "synapse/start.sh": ["synapse"],
};

const components = new URL("../../components/", import.meta.url);
const read = (file: string) => readFileSync(new URL(file, components), "utf8");
const scripts = readdirSync(components, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".sh"),
);

test("it is known of every script where it runs", () => {
    assert.deepEqual(scripts.sort(), Object.keys(RUNS_IN).sort());
});

/** They stand before others, which call their functions. */
const library = [
    "certificates/install-pair.sh",
    "certificates/lock.sh",
    "backup/dump-sqlite.sh",
    "synapse/dump-sqlite.sh",
    "backup/restic.sh",
    "backup/schedule.sh",
    "postgres/cluster.sh",
].flatMap((file) => [...functionsOf(read(file))]);

describe("a script uses nothing that the official image lacks", () => {
    for (const [file, places] of Object.entries(RUNS_IN)) {
        for (const place of places) {
            test(`${file} in ${place}`, () => {
                const before = library.map((name) => `${name}() { :; }\n`).join("");
                assert.deepEqual(faultsOf(before + read(file), place), []);
            });
        }
    }
});

describe("certbot's image, which is busybox's, refuses", () => {
    for (const script of [
        "flock -w 300 9",
        "flock -n -E 3 9",
        "flock --timeout 3 9",
        "stat --format %u /x",
        "stat --printf=%u /x",
        "timeout --foreground 3 true",
        "find /x -printf %p",
        "find /x -newermt '-60 seconds'",
        "grep -P '\\d' /x",
        "grep -qP '\\d' /x",
        "ls | xargs -d ' ' rm",
        "readlink -e /x",
        "readlink -m /x",
        "tail --pid 3 -f /x",
        "date +%s%N",
        "date -d 'next week'",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's notation.
        'echo "${v^^}"',
        "printf %q x",
        "wait -n",
        "setpriv --reuid 3 true",
        "cat <<<x",
        "bash -c true",
        "curl -f http://x",
        "getent hosts x",
        "jq . /x",
        // Wherever they stand.
        "if ! x=$(curl http://x); then exit 1; fi",
        'echo "a $(curl http://x) b"',
        "case $x in a | b) curl http://x ;; esac",
        "f() { curl http://x; }",
        "true && timeout 5 curl http://x",
        "trap 'curl http://x' TERM",
        "sh -euc 'curl http://x'",
        "find /x -exec curl {} +",
        "x=1 curl http://x",
        "x=$((1 + $(curl http://x)))",
        "cat <<END\n$(curl http://x)\nEND",
        "while sleep 1; do\n    curl http://x\ndone",
        "true | curl http://x",
        "(curl http://x) &",
    ]) {
        test(script, () => assert.equal(faultsOf(script, "certbot").length, 1));
    }
});

describe("certbot's image does not refuse", () => {
    for (const script of [
        "flock -n 9",
        "stat -L -c '%u:%g' /x",
        "timeout 3 openssl s_client -connect x:1 -servername y </dev/null 2>/dev/null",
        "find /x -mindepth 1 -maxdepth 1 -mtime +1 ! -name y -exec rm -rf {} +",
        "find /x -mmin -1",
        "date -d @1 +%s",
        'echo "curl is only a word; flock -w 3 too" # curl http://x',
        "cat <<'END'\n$(curl http://x)\nEND",
        "mv -T /x /y",
        "certbot certonly --non-interactive 9>&-",
        "for curl in a b; do echo $curl; done",
        "case curl in curl) echo curl ;; esac",
        "readlink -f /x",
    ]) {
        test(script, () => assert.deepEqual(faultsOf(script, "certbot"), []));
    }
});

test("restic's image is busybox's too, with jq and ssh and without openssl, curl and PostgreSQL's programs", () => {
    for (const script of [
        "flock -w 3 9",
        "stat --format %u /x",
        "openssl rand 3",
        "curl http://x",
        "pg_dump x",
        "bash -c true",
    ])
        assert.equal(faultsOf(script, "restic").length, 1, script);
    assert.deepEqual(faultsOf("restic backup --json /x | jq --raw-output .x && ssh x", "restic"), []);
});

test("PostgreSQL's image has its own programs, and neither curl nor Python nor procps", () => {
    for (const script of ["curl http://x", "python3 -c pass", "ps", "restic version"])
        assert.equal(faultsOf(script, "postgres").length, 1, script);
    assert.deepEqual(
        faultsOf("initdb -D /x && pg_dump x | zstd && gosu postgres psql -Atc x", "postgres"),
        [],
    );
    assert.equal(faultsOf("psql x", "synapse").length, 1);
});

test("nginx's image has curl and no Python, Synapse's both, and neither has procps", () => {
    assert.equal(faultsOf("python3 -c pass", "nginx").length, 1);
    assert.equal(faultsOf("pgrep x", "nginx").length, 1);
    assert.equal(faultsOf("ps", "synapse").length, 1);
    assert.equal(faultsOf("sqlite3 x", "synapse").length, 1);
    assert.deepEqual(faultsOf("curl -f http://x && python3 -c pass", "synapse"), []);
});
