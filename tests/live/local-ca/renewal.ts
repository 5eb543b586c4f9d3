import assert from "node:assert/strict";
import { test } from "node:test";
import { servedCertificate } from "../../support/certificates.ts";
import { docker, inspect } from "../../support/homeserver.ts";
import { eventually } from "../../support/http.ts";
import { askNginx, first, server } from "./server.ts";

test("a certificate that nears its end is renewed without a deployment, and nginx serves the new one", async () => {
    const renewal = `${server.name}-certificate-renewal`;
    const port = first.outputs.publishedPorts.https;
    const days = async () =>
        (Date.parse((await servedCertificate(port, "localhost")).valid_to) - Date.now()) / 86_400_000;
    const started = await inspect(server.nginx, "{{.Id}} {{.State.StartedAt}}");
    // Docker looks only every few seconds.
    await eventually(
        20,
        () => inspect(renewal, "{{.State.Health.Status}} {{.HostConfig.NetworkMode}}"),
        (state) => state === "healthy none",
    );
    const soon = `eval "$(printf %s "$ISSUE" | sed -n '/^install_pair()/,/^}/p')"
        cd /tmp
        ca=/ca/$(printf %s "$CONSTRAINTS" | sha256sum | cut -c 1-12)
        openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=soon -keyout key -out csr
        printf 'subjectAltName=%s\nauthorityKeyIdentifier=keyid\n' "$NAMES" >extensions
        openssl x509 -req -in csr -CA $ca/ca.pem -CAkey $ca/ca.key -days 29 -extfile extensions -out leaf
        install_pair leaf key "$OWNER"`;
    await docker("exec", renewal, "sh", "-euc", soon);
    assert.ok((await eventually(10, days, (left) => left < 30)) > 28);
    await docker("kill", "--signal=USR1", renewal);
    assert.ok((await eventually(15, days, (left) => left > 80)) < 91);
    assert.equal((await askNginx("/_matrix/client/versions")).status, 200);
    assert.equal(await inspect(server.nginx, "{{.Id}} {{.State.StartedAt}}"), started);
});
