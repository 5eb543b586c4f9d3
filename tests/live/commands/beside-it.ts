import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Report } from "../../../commands/status/report.ts";
import { type } from "../../support/commands.ts";
import { docker } from "../../support/homeserver.ts";
import { run, server, user } from "./server.ts";

describe("beside it", () => {
    const status = () => type("status.ts", ["--json", "--stack", server.stack]);

    test("npm run status tells of the whole stack, and fails when a part of it does not run", async () => {
        const { code, stdout, stderr } = await status();
        assert.equal(code, 0, stderr);
        const report = JSON.parse(stdout) as Report;
        assert.deepEqual(
            report.services.map(({ service, health }) => [service, health]),
            ["synapse", "nginx", "certificate-renewal"].map((service) => [service, "healthy"]),
        );
        assert.match(report.synapseVersion ?? "", /^\d+\.\d+/);
        assert.ok(report.certificate !== null && "days" in report.certificate);
        assert.ok(report.certificate.days > 7, JSON.stringify(report.certificate));
        assert.ok(report.volumes?.some(({ name }) => name === `${server.name}-data`));
        assert.ok((report.disk?.free ?? 0) > 0);
        assert.equal(report.sizes?.database?.kind, "sqlite");
        assert.ok(report.sizes.database.bytes > 100_000);
        assert.ok(report.sizes.media !== null);

        await docker("stop", server.nginx);
        const without = await status();
        await docker("start", server.nginx);
        assert.equal(without.code, 1);
        assert.deepEqual((JSON.parse(without.stdout) as Report).faults, [
            `${server.nginx} does not run: it is exited`,
        ]);
    });

    test("npm run logs shows one service, or all of them by name", async () => {
        const of = (...args: string[]) => type("logs.ts", [...args, "--stack", server.stack]);
        assert.match((await of("synapse")).stdout, /synapse\.\S+ - \d+ - INFO - /);
        const all = await of();
        assert.equal(all.code, 0, all.stderr);
        for (const name of ["synapse", "nginx"]) assert.match(all.stdout, new RegExp(`^${name} +\\| `, "m"));
        assert.equal((await of("synapse", "--since", "2099-01-01T00:00:00Z")).stdout, "");
        const unknown = await of("postgres");
        assert.equal(unknown.code, 1);
        assert.match(unknown.stderr, /has no postgres; it has synapse, nginx, certificate-renewal/);
    });

    test("npm run open says where it is, also where nothing can be opened", async () => {
        const { code, stdout, stderr } = await type("open.ts", ["--stack", server.stack]);
        assert.equal(code, 0);
        assert.equal(stdout, `${run.outputs.clientUrl}/\n`);
        assert.match(stderr, /no display/);
    });

    test("npm run trust does nothing that was not agreed to", async () => {
        const { code, stdout, stderr } = await type("trust.ts", ["trust", "--stack", server.stack]);
        assert.equal(code, 1);
        assert.match(stdout, /CN=Private CA of localhost/);
        assert.match(stdout + stderr, /nothing was done|Cannot be done here/);
        const undo = await type("trust.ts", ["untrust", "--stack", server.stack]);
        assert.match(undo.stderr, /Nothing was trusted here/);
    });

    test("a server that does not run is said not to, with what to do", async () => {
        await docker("stop", server.name);
        const refused = await user(["list"]);
        await docker("start", server.name);
        assert.equal(refused.code, 1);
        assert.match(refused.stderr, new RegExp(`does not run: its container ${server.name} is exited`));
        assert.match(refused.stderr, new RegExp(`docker start ${server.name}`));
    });
});
