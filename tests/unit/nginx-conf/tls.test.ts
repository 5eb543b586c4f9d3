import assert from "node:assert/strict";
import { test } from "node:test";
import { nginxConf } from "../../../components/nginx/conf.ts";
import { everywhere } from "../../support/nginx.ts";
import { ARGS, headersOf, locationsOf, only, parsed, publicServer } from "../../support/nginx-conf.ts";
import { some } from "../../support/some.ts";

test("the intermediate profile is TLS 1.2 and 1.3 with forward secrecy and authenticated encryption", () => {
    const conf = parsed({ profile: "intermediate" });
    assert.deepEqual(only(conf, "ssl_protocols").args, ["TLSv1.2", "TLSv1.3"]);
    const ciphers = only(conf, "ssl_ciphers").args[0]?.split(":") ?? [];
    assert.equal(ciphers.length, 6);
    for (const cipher of ciphers) assert.match(cipher, /^ECDHE-(ECDSA|RSA)-(AES\d+-GCM|CHACHA20-POLY1305)/);
});

test("the modern profile is TLS 1.3 alone", () => {
    const conf = parsed({ profile: "modern" });
    assert.deepEqual(only(conf, "ssl_protocols").args, ["TLSv1.3"]);
    assert.deepEqual(everywhere(conf, "ssl_ciphers"), []);
});

test("sessions keep forward secrecy", () => {
    assert.deepEqual(only(parsed(), "ssl_session_tickets").args, ["off"]);
});

test("the certificate is read through the stable path", () => {
    const current = "/etc/nginx/certificates/current";
    assert.deepEqual(only(parsed(), "ssl_certificate").args, [`${current}/fullchain.pem`]);
    assert.deepEqual(only(parsed(), "ssl_certificate_key").args, [`${current}/privkey.pem`]);
});

test("browsers are told to stay with HTTPS in every answer, when it is asked for", () => {
    const server = publicServer(parsed({ hsts: true }));
    assert.deepEqual(headersOf(server)["Strict-Transport-Security"], ["max-age=63072000", "always"]);
    // A header in a location would drop those outside it.
    for (const { block } of some(locationsOf(server))) assert.deepEqual(everywhere(block, "add_header"), []);
    assert.doesNotMatch(nginxConf({ ...ARGS, hsts: false }).text, /Strict-Transport-Security/);
});
