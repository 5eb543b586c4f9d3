import assert from "node:assert/strict";
import { test } from "node:test";
import { assertOneFault, faultsIn, LEAST, read, refusal, testRefused } from "../../support/settings.ts";

const MODE = "an object with `mode`: acme, files, local-ca, proxy, synapse or none";
const ABSOLUTE = "an absolute path on the Docker host, without commas, quotes, spaces or ..";
const RELATIVE = "a path relative to tls.directory, without commas, quotes, spaces or ..";
const SET = (key: string) => `pulumi config set --path synapse:${key} <value>`;

testRefused(["tls", ["none"], MODE]);

test("who speaks TLS must be said, and which mode is for what is told", () => {
    assertOneFault({ serverName: "example.org" }, "tls", {
        got: "nothing",
        wanted: MODE,
        fix: /^pulumi config set --path synapse:tls\.mode acme, for a server on the internet; or local-ca for a first look /,
    });
    // An empty text is what Pulumi.yaml's defaults give.
    assert.equal(faultsIn(refusal({ serverName: "example.org", tls: "" })).tls?.got, "nothing");
});

test("a mode that does not exist is refused", () => {
    for (const mode of ["tls", "letsencrypt"])
        assertOneFault({ ...LEAST, tls: { mode } }, "tls.mode", {
            got: JSON.stringify({ mode }),
            wanted: MODE,
            fix: SET("tls.mode"),
        });
});

test("a profile that does not exist is refused", () => {
    assertOneFault({ ...LEAST, tls: { mode: "files", profile: "old" } }, "tls.profile", {
        got: '"old"',
        wanted: /"intermediate"\|"modern"/,
        fix: SET("tls.profile"),
    });
});

for (const mode of ["files", "synapse"]) {
    for (const [key, wanted, values] of [
        ["directory", ABSOLUTE, ["certs", "/a,readonly", "/a b", '/a"b', "/a/../b"]],
        ["certificate", RELATIVE, ["/a.pem", "../a.pem", "a,b", ""]],
        ["privateKey", RELATIVE, ["/a.pem", "../a.pem", "a,b", ""]],
        ["caBundle", "certificates in PEM", ["/etc/ca.pem"]],
    ] as const) {
        for (const value of values) {
            test(`in mode ${mode} tls.${key} ${JSON.stringify(value)} is refused`, () => {
                assertOneFault({ ...LEAST, tls: { mode, [key]: value } }, `tls.${key}`, {
                    got: JSON.stringify(value),
                    wanted,
                    fix: SET(`tls.${key}`),
                });
            });
        }
    }

    test(`in mode ${mode} the certificate is certbot's unless another is named`, () => {
        const { tls } = read({ ...LEAST, tls: { mode } });
        assert.ok("directory" in tls);
        assert.deepEqual(
            [tls.directory, tls.certificate, tls.caBundle],
            ["/etc/letsencrypt", undefined, undefined],
        );
        const given = {
            mode,
            directory: "/srv/tls",
            certificate: "a.pem",
            privateKey: "keys/a.key",
            caBundle: "-----BEGIN CERTIFICATE-----",
        };
        assert.deepEqual(
            { ...read({ ...LEAST, tls: given }).tls, ...given },
            read({ ...LEAST, tls: given }).tls,
        );
    });
}

test("a setting that another mode has is refused", () => {
    const message = refusal({ ...LEAST, tls: { mode: "none", directory: "/etc/letsencrypt" } });
    assert.equal(faultsIn(message)["tls.directory"]?.fix, "pulumi config rm --path synapse:tls.directory");
});

test("HTTP/3 wants a port that is known in advance", () => {
    const tls = { mode: "local-ca", http3: true };
    assert.match(
        refusal({ ...LEAST, tls, ephemeral: "true" }),
        /synapse:tls\.http3[\s\S]*synapse:ports\.https <value>/,
    );
    assert.equal(read({ ...LEAST, tls, ephemeral: "true", ports: { https: 8443 } }).ports.https, 8443);
    assert.equal(read({ ...LEAST, tls }).ports.https, 443);
});
