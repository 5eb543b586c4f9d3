import assert from "node:assert/strict";
import { test } from "node:test";
import { asked, portsOf, registered, uploadsOf } from "./looks.ts";
import { behindOther, behindUnknown, runs } from "./runs.ts";

test("for a proxy on the Docker host nginx has plain HTTP alone, on the loopback address, and no certificate", () => {
    assert.deepEqual(portsOf(runs.proxy, "nginx-container"), [
        { internal: 80, external: 8080, ip: "127.0.0.1" },
    ]);
    const mounts = registered(runs.proxy, "nginx-container").inputs.mounts as { target: string }[];
    assert.ok(!mounts.some(({ target }) => target.includes("certificates")));
    const conf = String(registered(runs.proxy, "nginx-configuration").inputs.stdin);
    assert.match(conf, /^ +include \/run\/host\.conf;$/m);
    assert.doesNotMatch(conf, /ssl|set_real_ip_from/);
});

test("a proxy elsewhere is the only one to be believed, and comes to each address that was set", () => {
    assert.deepEqual(portsOf(behindOther, "nginx-container"), [
        { internal: 80, external: 8888, ip: "10.0.0.2" },
        { internal: 10080, external: 8888, ip: "10.0.0.3" },
    ]);
    const conf = String(registered(behindOther, "nginx-configuration").inputs.stdin);
    assert.deepEqual(conf.match(/set_real_ip_from .*/g), ["set_real_ip_from 10.0.0.5;"]);
    assert.doesNotMatch(conf, /host\.conf/);
    assert.equal(behindOther.outputs.clientUrl, "https://matrix.example.org:8443");
    assert.equal(behindOther.outputs.federationAddress, null);
    assert.equal(asked(behindOther).believesHost, false);
});

test("what is behind a proxy is asked by plain HTTP, and says the proxy's URL", () => {
    const { listeners, clientUrl, federationAddress, proxied, believesHost } = asked(runs.proxy);
    const addresses = ["127.0.0.1"];
    assert.deepEqual(listeners, [
        { serves: ["clients", "federation"], port: 8080, addresses, tls: false },
        { serves: ["operator"], port: 8008, addresses, tls: false },
    ]);
    assert.deepEqual(
        { clientUrl, federationAddress, proxied, believesHost },
        {
            clientUrl: "https://matrix.example.org",
            federationAddress: "matrix.example.org:443",
            proxied: true,
            believesHost: true,
        },
    );
    const [homeserver] = uploadsOf(runs.proxy, "synapse-config");
    assert.match(homeserver?.content ?? "", /^public_baseurl: https:\/\/matrix\.example\.org\/$/m);
    assert.match(homeserver?.content ?? "", /x_forwarded: true/);
});

test("where a proxy serves is known, whatever port Docker picks for nginx", () => {
    const { clientUrl, federationAddress, publishedPorts } = behindUnknown.outputs;
    assert.equal(clientUrl, "https://matrix.example.org:8443");
    assert.equal(federationAddress, "matrix.example.org:8443");
    assert.deepEqual(publishedPorts, { synapse: 32768, http: 32768 });
    const conf = String(registered(behindUnknown, "nginx-configuration").inputs.stdin);
    assert.match(conf, /"base_url":"https:\/\/\$client_authority"/);
    assert.match(conf, /default "matrix\.example\.org:8443";/);
});

test("what the internet finds at the proxy is looked at, although nginx is on the loopback address", () => {
    const [call] = runs.proxy.calls;
    const { OUTSIDE = "{}" } = (call?.environment ?? {}) as Record<string, string>;
    const { clientPort, federationPort, publishesIpv6, behind } = JSON.parse(OUTSIDE) as Record<
        string,
        unknown
    >;
    assert.deepEqual(
        { clientPort, federationPort, publishesIpv6, behind },
        { clientPort: 443, federationPort: 443, publishesIpv6: true, behind: "127.0.0.1:8080" },
    );
    assert.match(
        String(runs.proxy.outputs.dnsRecords),
        /^matrix\.example\.org\. .* as your proxy is reached,/,
    );
});
