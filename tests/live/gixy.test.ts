import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { nginxConf } from "../../components/nginx/conf.ts";
import { ARGS } from "../support/nginx-conf.ts";

/** nginx.conf against its own checker, which needs no nginx. */

for (const mode of ["files", "acme", "local-ca", "proxy"] as const) {
    test(`gixy finds nothing in the nginx.conf of ${mode}`, async () => {
        const { text } = nginxConf({
            ...ARGS,
            hsts: mode !== "local-ca" && mode !== "proxy",
            trustedProxies: mode === "proxy" ? { addresses: ["10.0.0.0/8"], host: false } : undefined,
            http3: mode === "acme",
            acmeChallenges: mode === "acme",
            listen: { http: [80, 10080], https: [443, 10443], federation: [8448, 18448] },
        });
        const directory = await mkdtemp(join(tmpdir(), "gixy-"));
        const file = join(directory, "nginx.conf");
        await writeFile(file, text);
        // A private CA is for first looks: telling browsers to stay with HTTPS would lock other things on localhost out.
        const skips = mode === "local-ca" ? ["--skips", "hsts_header"] : [];
        const { stdout } = await promisify(execFile)(".tools/gixy/bin/gixy", [...skips, "-f", "json", file]);
        await rm(directory, { recursive: true });
        assert.deepEqual(JSON.parse(stdout), []);
    });
}
