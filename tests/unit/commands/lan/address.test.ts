import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { addressesOf, chooseAddress, routedAddress } from "../../../../commands/lan/address.ts";

const info = (address: string, family: "IPv4" | "IPv6" = "IPv4", internal = false) =>
    ({ address, family, internal, netmask: "", mac: "", cidr: null, scopeid: 0 }) as const;

const OWN = addressesOf({
    lo: [info("127.0.0.1", "IPv4", true)],
    eth0: [info("192.168.1.5"), info("fe80::1", "IPv6"), info("169.254.7.7")],
    wlan0: [info("10.0.0.9")],
    docker0: [info("172.17.0.1")],
});

test("this machine's addresses are the IPv4 ones that others can use", () => {
    assert.deepEqual(OWN, [
        { address: "192.168.1.5", interface: "eth0" },
        { address: "10.0.0.9", interface: "wlan0" },
        { address: "172.17.0.1", interface: "docker0" },
    ]);
});

test("the address of the default route is taken, unless another one is named", () => {
    assert.equal(chooseAddress(OWN, "10.0.0.9", undefined).interface, "wlan0");
    assert.equal(chooseAddress(OWN, "10.0.0.9", "192.168.1.5").interface, "eth0");
    assert.equal(chooseAddress(OWN, undefined, "172.17.0.1").interface, "docker0");
});

test("what is named and is not this machine's is refused, with what there is", () => {
    const there =
        /It has 192\.168\.1\.5 \(eth0\), 10\.0\.0\.9 \(wlan0\): name one, as in `npm start -- --lan 192\.168\.1\.5`/;
    for (const [named, why] of [
        ["192.168.1.6", /no address of this machine/],
        ["127.0.0.1", /no address of this machine/],
        ["fe80::1", /no IPv4 address/],
        ["example.org", /no IPv4 address/],
    ] as const) {
        assert.throws(() => chooseAddress(OWN, "10.0.0.9", named), why);
        assert.throws(() => chooseAddress(OWN, "10.0.0.9", named), there);
    }
});

test("without a default route the only address is taken, and of several one has to be named", () => {
    const [eth0, , docker0] = OWN;
    assert.ok(eth0 && docker0);
    assert.equal(chooseAddress([docker0, eth0], undefined, undefined), eth0);
    assert.throws(() => chooseAddress(OWN, undefined, undefined), /name one/);
    assert.throws(() => chooseAddress([], undefined, undefined), /none but its loopback addresses/);
});

test("the address of the default route is one of this machine's", async () => {
    const routed = await routedAddress();
    const own = Object.values(networkInterfaces()).flatMap((infos = []) =>
        infos.map(({ address }) => address),
    );
    assert.ok(routed === undefined || own.includes(routed), `${routed}`);
});
