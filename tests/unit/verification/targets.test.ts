import assert from "node:assert/strict";
import { test } from "node:test";
import type { Listener } from "../../../components/verification/expectations.ts";
import { remoteName } from "../../../components/verification/place.ts";
import { targets } from "../../../components/verification/targets.ts";

const OWN = ["127.0.0.1", "::1", "192.0.2.7", "2001:db8::7"];

function asked(addresses: readonly string[], own = OWN, remote?: { name: string; addresses: string[] }) {
    const listener: Listener = { serves: ["clients"], port: 443, addresses, tls: true };
    const found = targets([listener], { own, ...(remote && { remote }) });
    return { addresses: found.asked.map(({ address }) => address), notes: found.notes };
}

test("every published address is asked, and all of them by the loopback one and one that others reach", () => {
    assert.deepEqual(asked(["192.0.2.7", "::1"]), { addresses: ["192.0.2.7", "::1"], notes: [] });
    assert.deepEqual(asked(["0.0.0.0", "::"]), {
        addresses: ["127.0.0.1", "192.0.2.7", "::1", "2001:db8::7"],
        notes: [],
    });
    assert.deepEqual(asked(["0.0.0.0"], ["127.0.0.1"]).addresses, ["127.0.0.1"]);
});

test("on a machine without IPv6 it says that it did not ask there", () => {
    assert.deepEqual(asked(["0.0.0.0", "::"], ["127.0.0.1"]), {
        addresses: ["127.0.0.1"],
        notes: ["Not asked: [::]:443, since this machine has no IPv6."],
    });
});

test("of another machine the loopback address is named, not passed over", () => {
    const remote = { name: "docker.example.org", addresses: ["192.0.2.9"] };
    assert.deepEqual(asked(["0.0.0.0", "::", "127.0.0.1", "192.0.2.10"], OWN, remote), {
        addresses: ["192.0.2.9", "192.0.2.10"],
        notes: [
            "Not asked: [::]:443, since docker.example.org leads to no IPv6 address from here.",
            "Not asked: 127.0.0.1:443, since it is the loopback address of another machine, docker.example.org.",
        ],
    });
});

test("the Docker host is this machine unless its URL says otherwise", () => {
    for (const [url, name] of [
        [undefined, undefined],
        ["unix:///run/docker.sock", undefined],
        ["tcp://127.0.0.1:2375", undefined],
        ["ssh://deploy@docker.example.org", "docker.example.org"],
        ["tcp://[2001:db8::1]:2376", "2001:db8::1"],
    ] as const) {
        assert.equal(remoteName(url), name, url ?? "this machine");
    }
});
