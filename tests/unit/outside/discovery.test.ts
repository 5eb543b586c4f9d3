import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { discover } from "../../../components/verification/discovery.ts";
import { FakeInternet, HOST, NAME, OTHER, SELF, SITE, WELL } from "../../support/fake-internet.ts";

const internet = await FakeInternet.start();
after(() => internet.stop());
beforeEach(() => internet.forget());

const SRV = { target: "srv.example.org", port: 7000 };

for (const [how, internetGiven, destination, endpoint, tlsName] of [
    ["the delegation's port", WELL, `${HOST}:8448`, `${SELF}:8448`, HOST],
    [
        "the delegated name's SRV record",
        {
            ...WELL,
            zone: { ...WELL.zone, "srv.example.org": [OTHER], [`_matrix-fed._tcp.${HOST}`]: SRV },
            site: { "/.well-known/matrix/server": `{"m.server":"${HOST}"}` },
        },
        `srv.example.org:7000, by the SRV record _matrix-fed._tcp.${HOST}`,
        `${OTHER}:7000`,
        HOST,
    ],
    [
        "the delegated name's port 8448",
        { ...WELL, site: { "/.well-known/matrix/server": `{"m.server":"${HOST}"}` } },
        `${HOST}:8448`,
        `${SELF}:8448`,
        HOST,
    ],
    [
        "a delegated address",
        { ...WELL, site: { "/.well-known/matrix/server": '{"m.server":"192.0.2.1:7000"}' } },
        "192.0.2.1:7000",
        "192.0.2.1:7000",
        "192.0.2.1",
    ],
    [
        "a delegated IPv6 address",
        { ...WELL, site: { "/.well-known/matrix/server": '{"m.server":"[2001:db8::1]"}' } },
        "[2001:db8::1]:8448",
        "2001:db8::1:8448",
        "2001:db8::1",
    ],
    [
        "the newer SRV record before the older",
        {
            zone: {
                "srv.example.org": [OTHER],
                [`_matrix-fed._tcp.${NAME}`]: SRV,
                [`_matrix._tcp.${NAME}`]: { ...SRV, port: 1 },
            },
        },
        `srv.example.org:7000, by the SRV record _matrix-fed._tcp.${NAME}`,
        `${OTHER}:7000`,
        NAME,
    ],
    [
        "the older SRV record",
        { zone: { "srv.example.org": [OTHER], [`_matrix._tcp.${NAME}`]: SRV } },
        `srv.example.org:7000, by the SRV record _matrix._tcp.${NAME}`,
        `${OTHER}:7000`,
        NAME,
    ],
    ["port 8448 of the name itself", { zone: { [NAME]: [OTHER] } }, `${NAME}:8448`, `${OTHER}:8448`, NAME],
    [
        "port 8448 of the name itself, when the file is none",
        { zone: WELL.zone, site: { "/.well-known/matrix/server": "<html>" } },
        `${NAME}:8448`,
        `${SITE}:8448`,
        NAME,
    ],
] as const) {
    test(`another server follows ${how}`, async () => {
        const route = await discover(NAME, internet.given(internetGiven));
        const [first] = route.endpoints;
        assert.deepEqual(
            [route.destination, `${first?.address}:${first?.port}`, route.tlsName],
            [destination, endpoint, tlsName],
        );
    });
}

test("redirects to the delegation are followed, and not for ever", async () => {
    // The site redirects to https://elsewhere/, whose every path redirects to itself.
    const zone = { ...WELL.zone, elsewhere: [SITE] };
    const route = await discover(
        NAME,
        internet.given({ zone, site: { "/.well-known/matrix/server": 301, "/": 301 } }),
    );
    assert.match(route.fault ?? "", /Hostname\/IP does not match/);
});
