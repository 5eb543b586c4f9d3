import assert from "node:assert/strict";
import { test } from "node:test";
import { certbotArguments, certificateProfile } from "../../../components/certificates/certbot-arguments.ts";
import { BY_DNS, sourceOf } from "../../support/acme-settings.ts";

test("certbot gets every name once, the server's own first, which also names the certificate", () => {
    const told = certbotArguments(sourceOf({ names: ["chat.example.org", "example.org"] }), "example.org");
    assert.ok(told.includes("--cert-name=example.org"));
    assert.deepEqual(
        told.filter((argument) => argument.startsWith("--domain=")),
        ["--domain=example.org", "--domain=chat.example.org"],
    );
});

test("an address is asked for as one, without brackets, in the only profile in which Let's Encrypt certifies it", () => {
    const told = certbotArguments(sourceOf({ names: ["192.0.2.1", "[2001:db8::1]"] }), "example.org");
    assert.deepEqual(told.slice(6, 11), [
        "--cert-name=example.org",
        "--domain=example.org",
        "--ip-address=192.0.2.1",
        "--ip-address=2001:db8::1",
        "--preferred-profile=shortlived",
    ]);
    const alone = certbotArguments(sourceOf({}), "2001:db8::1");
    assert.ok(alone.includes("--ip-address=2001:db8::1"));
    assert.ok(alone.includes("--preferred-profile=shortlived"));
});

test("a profile that is asked for is insisted on, and is what a certificate must have been asked for in", () => {
    const source = sourceOf({ certificateProfile: "tlsserver", names: ["192.0.2.1"] });
    const told = certbotArguments(source, "example.org");
    assert.deepEqual(
        told.filter((argument) => argument.includes("profile")),
        ["--required-profile=tlsserver"],
    );
    assert.equal(certificateProfile(source, "example.org"), "tlsserver");
    assert.equal(certificateProfile(sourceOf({}), "192.0.2.1"), "shortlived");
    assert.equal(certificateProfile(sourceOf({}), "example.org"), "");
});

test("without an e-mail address the account has none", () => {
    const told = certbotArguments(sourceOf({ email: undefined }), "example.org");
    assert.ok(told.includes("--register-unsafely-without-email"));
    assert.ok(!told.some((argument) => argument.startsWith("--email")));
});

test("over HTTP certbot writes its answers where nginx serves them", () => {
    const told = certbotArguments(sourceOf({}), "example.org");
    assert.deepEqual(told, [
        "--non-interactive",
        "--agree-tos",
        "--no-eff-email",
        "--max-log-backups=5",
        "--email=admin@example.org",
        "--server=https://acme-v02.api.letsencrypt.org/directory",
        "--cert-name=example.org",
        "--domain=example.org",
        "--renew-with-new-domains",
        "--key-type=ecdsa",
        "--authenticator=webroot",
        "--webroot-path=/webroot",
    ]);
});

test("by the DNS certbot gets its plugin with a file, and nothing of what is in it", () => {
    const source = sourceOf({
        challenge: { ...BY_DNS, propagationSeconds: 30 },
        externalAccount: { keyId: "key-1", hmacKey: "Hunter2" },
    });
    const told = certbotArguments(source, "example.org");
    assert.deepEqual(told.slice(-4), [
        "--config=/secrets/account.ini",
        "--authenticator=dns-cloudflare",
        "--dns-cloudflare-credentials=/secrets/credentials.ini",
        "--dns-cloudflare-propagation-seconds=30",
    ]);
    assert.doesNotMatch(told.join(" "), /Hunter2|key-1/);
});

test("Amazon's plugin, which takes no file as an argument, gets none", () => {
    const source = sourceOf({ challenge: { ...BY_DNS, plugin: "route53" } });
    assert.deepEqual(certbotArguments(source, "example.org").slice(-1), ["--authenticator=dns-route53"]);
});
