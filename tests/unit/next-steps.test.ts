import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "js-yaml";
import { nextSteps } from "../../components/homeserver/next-steps.ts";
import { topology } from "../../components/homeserver/topology.ts";
import { LEAST, read } from "../support/settings.ts";

const VERIFIED = [
    "the client API at 127.0.0.1:8443: speaks v1.12",
    "the redirect to HTTPS at 127.0.0.1:8080: https://localhost:8443/",
];

function steps(stack: string, verified: readonly string[] = VERIFIED): string {
    const settings = read(LEAST);
    return nextSteps(topology(settings), settings, {
        stack,
        clientUrl: "https://example.org",
        verified,
        privateCa: false,
    });
}

test("the CLI shows it line by line, since it is no YAML", () => {
    for (const verified of [VERIFIED, VERIFIED.slice(0, 1)]) {
        assert.ok(verified.every((line) => steps("prod", verified).includes(`\n  ${line}\n`)));
        assert.throws(() => load(steps("prod", verified)), /YAML|mapping/i);
    }
});

test("the commands are for the stack, but for the one that they take by themselves", () => {
    assert.match(steps("prod"), /npm run status -- --stack prod$/m);
    assert.match(steps("prod"), /npm stop -- --stack prod; if Pulumi brought it up, pulumi destroy$/m);
    assert.match(steps("local"), /npm run status$/m);
    assert.match(steps("local"), /npm run user -- add alice --admin$/m);
});
