import assert from "node:assert/strict";
import { test } from "node:test";
import { OWNED_OPTIONS } from "../../../settings/homeserver-options.ts";
import { settingsSchema } from "../../../settings/schema.ts";
import { assertOneFault, faultsIn, LEAST, read, refusal } from "../../support/settings.ts";
import { some } from "../../support/some.ts";

for (const [option, instead] of Object.entries(OWNED_OPTIONS)) {
    test(`extraConfig's ${option} is refused: ${instead}`, () => {
        const fault = faultsIn(refusal({ ...LEAST, extraConfig: { [option]: "own-value" } }))[
            `extraConfig.${option}`
        ];
        assert.equal(fault?.wanted, "nothing: the program owns this option");
        assert.equal(fault?.fix, instead);
        assert.doesNotMatch(fault?.got ?? "", /own-value/);
    });
}

test("whatever the rendered homeserver.yaml decides for itself is an owned option", () => {
    for (const option of ["server_name", "public_baseurl", "listeners", "database", "signing_key_path"]) {
        assert.ok(Object.hasOwn(OWNED_OPTIONS, option), option);
    }
});

test("every setting that an owned option's refusal points to exists", () => {
    const named = Object.values(OWNED_OPTIONS).flatMap((instead) => [...instead.matchAll(/synapse:(\w+)/g)]);
    for (const [, key = ""] of some(named)) assert.ok(key in settingsSchema.shape, key);
});

for (const [option, fix] of [
    ["serve_server_wellknown", /synapse:wellKnown\.server/],
    ["web_client_location", /leave it out/],
] as const) {
    test(`${option} is refused where it would be without effect`, () => {
        const extraConfig = { [option]: "https://app.example.org" };
        const wanted = /^nothing: behind nginx it has no effect$/;
        assertOneFault({ ...LEAST, tls: { mode: "local-ca" }, extraConfig }, `extraConfig.${option}`, {
            wanted,
            fix,
        });
    });
}

test("what has no effect behind nginx has one without it", () => {
    const extraConfig = { serve_server_wellknown: true, web_client_location: "https://app.example.org" };
    assert.deepEqual(read({ ...LEAST, tls: { mode: "synapse" }, extraConfig }).extraConfig, extraConfig);
});

test("an option that only happens to be a word of JavaScript is nobody's own", () => {
    assert.deepEqual(read({ ...LEAST, extraConfig: { constructor: 1 } }).extraConfig, { constructor: 1 });
});

test("secretConfig cannot set what the program owns either, nor an option twice", () => {
    const secret = ["secretConfig"];
    const owned = refusal({ ...LEAST, secretConfig: { macaroon_secret_key: "Hunter2" } }, { secret });
    assert.match(owned, /wanted: nothing: the program owns this option/);
    const twice = { extraConfig: { modules: [] }, secretConfig: { modules: [{ module: "a.B" }] } };
    assert.match(refusal({ ...LEAST, ...twice }, { secret }), /synapse:extraConfig\.modules\n/);
    const blocks = {
        extraConfig: { email: { smtp_host: "a" } },
        secretConfig: { email: { smtp_pass: "b" } },
    };
    assert.ok(read({ ...LEAST, ...blocks }, { secret }));
});
