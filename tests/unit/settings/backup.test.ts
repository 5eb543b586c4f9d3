import assert from "node:assert/strict";
import { test } from "node:test";
import { placeOf, secretFiles } from "../../../components/backup/place.ts";
import { faultsIn, LEAST, read, refusal } from "../../support/settings.ts";

const PASSWORD = "Hunter2-of-backups";
const backup = { repository: "volume:kept", password: PASSWORD };
const secret = ["backup"];
const faultOf = (value: Record<string, unknown>, more: Record<string, unknown> = {}) =>
    faultsIn(refusal({ ...LEAST, backup: { ...backup, ...value }, ...more }));

test("a repository and a password are enough", () => {
    const { backup: settings } = read({ ...LEAST, backup }, { secret });
    assert.deepEqual(settings, {
        ...backup,
        environment: {},
        every: 24,
        at: "03:00",
        keep: { last: 0, hourly: 0, daily: 7, weekly: 4, monthly: 6, yearly: 0 },
    });
    assert.equal(read({ ...LEAST, backup: {} }).backup, undefined);
});

for (const repository of [
    "/mnt/backups",
    "volume:chat-backups",
    "sftp:user@host:/path",
    "sftp://user@host:2222//path",
    "s3:https://s3.example.net/bucket/folder",
    "rest:https://backups.example.net/chat",
    "b2:bucket:chat",
]) {
    test(`the repository ${repository} is taken`, () => {
        const sftp = {
            privateKey: "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
            knownHosts: "host ssh-ed25519 AAAA",
        };
        const more = repository.startsWith("sftp:") ? { sftp } : {};
        assert.equal(
            read({ ...LEAST, backup: { ...backup, repository, ...more } }, { secret }).backup?.repository,
            repository,
        );
    });
}

for (const repository of ["backups", "/a/../b", "/a b", "/a,b", "volume:", "ftp:host", "s3: x", "sftp:", 5]) {
    test(`the repository ${JSON.stringify(repository)} is refused`, () => {
        assert.match(
            faultOf({ repository })["backup.repository"]?.wanted ?? "",
            /^an absolute path on the Docker host/,
        );
    });
}

test("a password in the repository's URL is refused, and not repeated", () => {
    const message = refusal({
        ...LEAST,
        backup: { ...backup, repository: "rest:https://user:Hunter3@host/" },
    });
    assert.doesNotMatch(message, /Hunter3/);
    assert.match(message, /RESTIC_REST_PASSWORD in backup\.environment/);
});

test("the password must be there, be long enough, and is never repeated", () => {
    const missing = faultsIn(refusal({ ...LEAST, backup: { repository: "/mnt/x" } }))["backup.password"];
    assert.equal(missing?.fix, "pulumi config set --secret --path synapse:backup.password <password>");
    for (const password of ["short", "Hunter2-of-backups\nHunter2"]) {
        const message = refusal({ ...LEAST, backup: { ...backup, password } });
        assert.doesNotMatch(message, /short"|Hunter2/);
        assert.match(message, /\[secret\]/);
    }
});

test("secrets in the clear are refused, each by its own name", () => {
    const environment = { AWS_SECRET_ACCESS_KEY: "Hunter4" };
    const message = refusal({ ...LEAST, backup: { ...backup, environment } });
    assert.doesNotMatch(message, /Hunter/);
    assert.deepEqual(Object.keys(faultsIn(message)), ["backup.password", "backup.environment"]);
});

test("variables that restic does not know are refused, and its password's and repository's belong to settings", () => {
    const wrong = faultOf({
        environment: { PATH: "Hunter5", RESTIC_PASSWORD: "Hunter5", RESTIC_REPOSITORY: "x" },
    });
    assert.match(wrong["backup.environment.PATH"]?.wanted ?? "", /a variable that restic knows/);
    assert.match(
        wrong["backup.environment.RESTIC_PASSWORD"]?.wanted ?? "",
        /the setting backup\.password says it/,
    );
    assert.match(
        wrong["backup.environment.RESTIC_REPOSITORY"]?.wanted ?? "",
        /the setting backup\.repository says it/,
    );
    assert.doesNotMatch(JSON.stringify(wrong), /Hunter5/);
});

test("sftp says how an sftp repository is reached, and no other", () => {
    assert.match(
        faultOf({ repository: "sftp:a@b:/c" })["backup.sftp"]?.fix ?? "",
        /backup\.sftp\.privateKey/,
    );
    const sftp = { privateKey: "Hunter6", knownHosts: "host ssh-ed25519 AAAA" };
    const bad = refusal({ ...LEAST, backup: { ...backup, repository: "sftp:a@b:/c", sftp } });
    assert.match(bad, /a private key of ssh's/);
    assert.doesNotMatch(bad, /Hunter6/);
    const key = {
        ...sftp,
        privateKey: "-----BEGIN OPENSSH PRIVATE KEY-----\nA\n-----END OPENSSH PRIVATE KEY-----",
    };
    assert.match(faultOf({ sftp: key })["backup.sftp"]?.wanted ?? "", /is not reached by ssh/);
});

test("times, intervals and what is kept are held to what they can be", () => {
    for (const [key, value] of [
        ["every", 0],
        ["every", 169],
        ["at", "24:00"],
        ["at", "3:00"],
        ["keep", { daily: 0, weekly: 0, monthly: 0 }],
    ] as const)
        assert.ok(`backup.${key}` in faultOf({ [key]: value }), key);
});

test("a restore needs the repository, and a backup's name", () => {
    assert.match(
        faultsIn(refusal({ ...LEAST, restore: "latest" })).restore?.wanted ?? "",
        /the setting backup/,
    );
    assert.match(faultOf({}, { restore: "yesterday" }).restore?.wanted ?? "", /latest, or a backup/);
    const restore = "20260301T030000Z-1a2b3c";
    assert.equal(read({ ...LEAST, backup, restore }, { secret }).restore, restore);
});

test("restic finds its files by their names, whatever is in them", () => {
    const files = secretFiles({ password: "it's", environment: { AWS_ACCESS_KEY_ID: "a'b$c" } });
    assert.deepEqual(files, {
        password: "it's\n",
        environment: "export AWS_ACCESS_KEY_ID='a'\\''b$c'\n",
        hidden: "it's\na'b$c\n",
    });
});

test("a path and a volume are mounted, and what is elsewhere is reached over the network", () => {
    const local = { repository: "/repository", remote: false };
    const mount = { target: "/repository", readOnly: false };
    assert.deepEqual(placeOf("/mnt/x"), { ...local, mounts: [{ ...mount, source: "/mnt/x", type: "bind" }] });
    assert.deepEqual(placeOf("volume:x"), { ...local, mounts: [{ ...mount, source: "x", type: "volume" }] });
    assert.deepEqual(placeOf("b2:x:y"), { repository: "b2:x:y", mounts: [], remote: true });
});
