import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { libpqEnvironment } from "../../../components/postgres/connection.ts";
import { pgpass } from "../../../components/postgres/external.ts";
import { layoutOf } from "../../../components/postgres/layout.ts";

const CONNECTION = {
    host: "db",
    port: 5432,
    dbname: "synapse",
    user: "synapse",
    sslmode: "verify-full",
    sslrootcert: "system",
} as const;

test("libpq is told by its own variables, and of the password only the file", () => {
    assert.deepEqual(libpqEnvironment(CONNECTION, "postgres"), {
        PGHOST: "db",
        PGPORT: "5432",
        PGDATABASE: "synapse",
        PGUSER: "synapse",
        PGSSLMODE: "verify-full",
        PGSSLROOTCERT: "system",
        PGPASSFILE: "/database/postgres.pgpass",
    });
    const unchecked = libpqEnvironment({ ...CONNECTION, sslrootcert: undefined }, "synapse");
    assert.ok(!("PGSSLROOTCERT" in unchecked));
    assert.equal(unchecked.PGPASSFILE, "/database/synapse.pgpass");
});

for (const [password, line] of [
    ["plain", "db:5432:synapse:synapse:plain\n"],
    ["a:b\\c", "db:5432:synapse:synapse:a\\:b\\\\c\n"],
    ["\\", "db:5432:synapse:synapse:\\\\\n"],
    [" '\"$& ", "db:5432:synapse:synapse: '\"$& \n"],
] as const) {
    test(`the password ${password} stands in a password file as libpq reads it`, () => {
        assert.equal(pgpass({ ...CONNECTION, password }), line);
    });
}

test("an IPv6 address stands there as one field", () => {
    assert.equal(
        pgpass({ ...CONNECTION, host: "fd00::1", password: "x" }),
        "fd00\\:\\:1:5432:synapse:synapse:x\n",
    );
});

test("whatever the password, libpq reads it back", () => {
    const oneLine = fc.string({ minLength: 1 }).filter((text) => !/[\r\n\0]/.test(text));
    fc.assert(
        fc.property(oneLine, (password) => {
            const line = pgpass({ ...CONNECTION, password }).slice(0, -1);
            const fields = [...line.matchAll(/((?:\\.|[^:\\])*)(?::|$)/gsu)].map(([, field = ""]) => field);
            assert.equal(fields[4]?.replaceAll(/\\(.)/gsu, "$1"), password);
        }),
    );
});

test("a major's data is in a folder of its own, on a volume that is mounted where its image has it", () => {
    for (const major of [14, 15, 16, 17])
        assert.deepEqual(layoutOf(major), {
            mount: "/var/lib/postgresql/data",
            data: `/var/lib/postgresql/data/${major}/docker`,
        });
    assert.deepEqual(layoutOf(18), { mount: "/var/lib/postgresql", data: "/var/lib/postgresql/18/docker" });
});
