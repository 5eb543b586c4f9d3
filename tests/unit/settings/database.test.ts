import assert from "node:assert/strict";
import { test } from "node:test";
import { usedImages } from "../../../settings/images.ts";
import { assertOneFault, faultsIn, LEAST, read, refusal, testRefused } from "../../support/settings.ts";

const HOST = "db.example.org";
const PASSWORD = "Hunter2";
const external = (more: object = {}) => ({
    ...LEAST,
    database: { kind: "external", host: HOST, password: PASSWORD, ...more },
});
const SECRET = { secret: ["database"] };

test("a stack that does not say has PostgreSQL of its own, and a throw-away SQLite", () => {
    const { database, databaseChosen } = read(LEAST);
    assert.deepEqual(database, { kind: "postgres", version: 17, upgrade: false, moved: false });
    assert.equal(databaseChosen, false);
    assert.deepEqual(read({ ...LEAST, ephemeral: true }).database, { kind: "sqlite" });
    const said = read({ ...LEAST, ephemeral: true, database: { kind: "postgres" } });
    assert.deepEqual(said.database, database);
    assert.equal(said.databaseChosen, true);
});

test("of a database elsewhere only the host and the password must be said", () => {
    assert.deepEqual(read(external(), SECRET).database, {
        kind: "external",
        host: HOST,
        port: 5432,
        name: "synapse",
        user: "synapse",
        password: PASSWORD,
        tls: "verify-full",
        moved: false,
    });
});

test("digits may be quoted", () => {
    const { database } = read({ ...LEAST, database: { kind: "postgres", version: "16" } });
    assert.deepEqual(database, { kind: "postgres", version: 16, upgrade: false, moved: false });
    assert.equal((read(external({ port: "5433" }), SECRET).database as { port: number }).port, 5433);
});

test("the image is the newest of the major, and is there for all but SQLite", () => {
    for (const [version, image] of [
        [14, "postgres:14.22-trixie"],
        [15, "postgres:15.17-trixie"],
        [16, "postgres:16.13-trixie"],
        [17, "postgres:17.9-trixie"],
        [18, "postgres:18.3-trixie"],
    ] as const)
        assert.equal(usedImages(read({ ...LEAST, database: { kind: "postgres", version } })).postgres, image);
    assert.equal(usedImages(read({ ...LEAST, database: { kind: "sqlite" } })).postgres, undefined);
    // Of another's it has the tools.
    assert.equal(usedImages(read(external(), SECRET)).postgres, "postgres:17.9-trixie");
});

const OBJECT = "an object with `kind`: postgres, sqlite or external";
const MAJOR = "a major version of PostgreSQL that Synapse supports, 14 to 18";

testRefused(
    ["database", ["postgres", ["postgres"], 17], OBJECT],
    ["memory.postgres", [128, 512.5, "1G"], "a whole number of MiB, at least 256"],
);

for (const [database, key, got, wanted] of [
    [{ kind: "mysql" }, "database.kind", '{"kind":"mysql"}', OBJECT],
    [{ version: 17 }, "database.kind", '{"version":17}', OBJECT],
    [{ kind: "postgres", version: 13 }, "database.version", "13", MAJOR],
    [{ kind: "postgres", version: "17.9" }, "database.version", '"17.9"', MAJOR],
    [{ kind: "postgres", moved: "yes" }, "database.moved", '"yes"', "true or false"],
] as const) {
    test(`${JSON.stringify(database)} is refused, with the setting that is wrong and how to set it`, () => {
        const fix = `pulumi config set --path synapse:${key} <value>`;
        assertOneFault({ ...LEAST, database }, key, { got, wanted, fix });
    });
}

for (const [more, key, wanted] of [
    [{ host: undefined }, "database.host", "a host name or address"],
    [{ host: "" }, "database.host", "a host name or address"],
    [{ host: "/var/run/postgresql" }, "database.host", "a host name or address"],
    [{ host: "a,b" }, "database.host", "a host name or address"],
    [{ port: 0 }, "database.port", "a whole number from 1 to 65535"],
    [{ port: 65536 }, "database.port", "a whole number from 1 to 65535"],
    [{ port: "pg" }, "database.port", "a whole number from 1 to 65535"],
    [{ name: "a b" }, "database.name", "a name of letters, digits, _ and -, at most 63"],
    [{ name: "a".repeat(64) }, "database.name", "a name of letters, digits, _ and -, at most 63"],
    [{ user: "1st" }, "database.user", "a name of letters, digits, _ and -, at most 63"],
    [{ user: 'a"b' }, "database.user", "a name of letters, digits, _ and -, at most 63"],
    [{ tls: "prefer" }, "database.tls", "one of disable, require, verify-ca, verify-full"],
    [{ tls: "allow" }, "database.tls", "one of disable, require, verify-ca, verify-full"],
    [
        { ca: "ca.pem" },
        "database.ca",
        "an absolute path on the Docker host, without commas, quotes, spaces or ..",
    ],
    [
        { ca: "/a/../b" },
        "database.ca",
        "an absolute path on the Docker host, without commas, quotes, spaces or ..",
    ],
] as const) {
    test(`of a database elsewhere ${JSON.stringify(more)} is refused, and nothing of it is repeated`, () => {
        const faults = faultsIn(refusal(external(more), SECRET));
        const fix = `pulumi config set --path synapse:${key} <value>`;
        // With a password in it the whole setting is a secret to Pulumi.
        assert.deepEqual(faults, { [key]: { got: "[secret]", wanted, fix } });
    });
}

for (const password of [undefined, "", "two\nlines", "a\0b", 27182818, ["Hunter2"], { Hunter2: "Hunter2" }]) {
    test(`the password ${JSON.stringify(password)} is refused, and never shown`, () => {
        for (const options of [SECRET, {}]) {
            const message = refusal(external({ password }), options);
            assert.doesNotMatch(message, /Hunter2|27182818|two|a\\u0000b/);
            const { "database.password": fault, ...others } = faultsIn(message);
            assert.deepEqual(others, {});
            assert.equal(fault?.wanted, "a password of one line");
            assert.equal(fault.fix, "pulumi config set --secret --path synapse:database.password <value>");
        }
    });
}

test("a password in plain text is refused, and not repeated", () => {
    const message = refusal(external());
    assert.doesNotMatch(message, /Hunter2/);
    assert.deepEqual(faultsIn(message), {
        "database.password": {
            got: "plain text",
            wanted: "a secret: Pulumi keeps it encrypted then, and previews show nothing of it",
            fix: "pulumi config set --secret --path synapse:database.password; and if anybody else could read the file, another secret",
        },
    });
});

test("a password beside another fault is not repeated with it", () => {
    const unknown = refusal({ ...LEAST, database: { kind: "mysql", password: PASSWORD } });
    assert.doesNotMatch(unknown, /Hunter2/);
    assert.equal(faultsIn(unknown)["database.kind"]?.got, '{"kind":"mysql","password":"[secret]"}');
    const message = refusal(external({ tls: "none", passwort: PASSWORD }));
    assert.doesNotMatch(message, /Hunter2/);
});

for (const [more, got, wanted, fix] of [
    [
        { tls: "verify-ca" },
        "nothing",
        /^the CA of its certificate: with tls verify-ca any certificate of a public CA would do/,
        "pulumi config set --path synapse:database.ca <file>, or database.tls verify-full",
    ],
    [
        { tls: "require", ca: "/ca.pem" },
        '"/ca.pem"',
        /^nothing: with tls require no certificate is checked$/,
        "pulumi config set --path synapse:database.tls verify-full, or pulumi config rm --path synapse:database.ca",
    ],
    [
        { tls: "disable", ca: "/ca.pem" },
        '"/ca.pem"',
        /^nothing: with tls disable no certificate is checked$/,
        /database\.tls verify-full/,
    ],
] as const) {
    test(`a CA and what is checked with it go together: ${JSON.stringify(more)}`, () => {
        const hidden = faultsIn(refusal(external(more), SECRET));
        assert.equal(hidden["database.ca"]?.got, "[secret]");
        // In the clear the value is shown, beside the fault that it is in the clear.
        const { "database.ca": fault } = faultsIn(refusal(external(more)));
        assert.equal(fault?.got, got);
        assert.match(fault.wanted ?? "", wanted);
        if (typeof fix === "string") assert.equal(fault.fix, fix);
        else assert.match(fault.fix ?? "", fix);
    });
}

test("a CA may be given for either check of the certificate", () => {
    for (const tls of ["verify-ca", "verify-full"])
        assert.ok(read(external({ tls, ca: "/etc/ca.pem" }), SECRET).database);
});
