import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Facts, type Plan, planTrust, planUntrust } from "../../../commands/trust/plan.ts";
import { TestCa } from "../../support/test-ca.ts";

const CA = { name: "synapse-local", file: "/project/.state/local.ca.pem", sha1: "AB12" };
const DEBIAN = "/usr/local/share/ca-certificates";
const FEDORA = "/etc/pki/ca-trust/source/anchors";

interface Machine {
    readonly programs?: readonly string[];
    readonly paths?: readonly string[];
    readonly facts?: Partial<Facts>;
}

function machine({ programs = [], paths = [], facts = {} }: Machine): Facts {
    return {
        platform: "linux",
        isRoot: false,
        home: "/home/alice",
        hasProgram: (name) => programs.includes(name),
        exists: (path) => paths.includes(path),
        javaTrusts: () => false,
        firefoxProfiles: [],
        ...facts,
    };
}

/** As typed, one line each. */
function typed({ steps }: Plan): string[] {
    return steps.flatMap(({ calls }) => calls.map(({ argv }) => argv.join(" ")));
}

describe("on Debian", () => {
    const programs = ["update-ca-certificates", "sudo"];
    const file = `${DEBIAN}/synapse-local.crt`;

    test("the system's store takes the CA, and gives it back", () => {
        const debian = machine({ programs, paths: [DEBIAN, file] });
        assert.deepEqual(typed(planTrust(debian, CA)), [
            `sudo install -m 0644 ${CA.file} ${file}`,
            "sudo update-ca-certificates",
        ]);
        assert.deepEqual(typed(planUntrust(debian, CA)), [
            `sudo rm -f ${file}`,
            "sudo update-ca-certificates --fresh",
        ]);
    });

    test("Java's store gives it back as well, where it has it, which the system's does not tell", () => {
        const asked: string[] = [];
        const javaTrusts = (alias: string) => asked.push(alias) > 0;
        const debian = machine({ programs, paths: [DEBIAN, file], facts: { javaTrusts } });
        const forget = `keytool -delete -alias debian:synapse-local.pem -keystore /etc/ssl/certs/java/cacerts -storepass changeit`;
        assert.deepEqual(typed(planUntrust(debian, CA)).slice(2), [`sudo ${forget}`]);
        assert.deepEqual(asked, ["debian:synapse-local.pem"]);
        const before = machine({ paths: [DEBIAN], facts: { javaTrusts, isRoot: true } });
        assert.deepEqual(typed(planUntrust(before, CA)), [forget]);
        const without = planUntrust(machine({ facts: { javaTrusts } }), CA);
        assert.deepEqual(without.steps, []);
        assert.match(without.impossible.join(), /^Java's store: it needs root.*As root: keytool -delete/);
    });

    test("root needs no sudo", () => {
        const root = machine({ programs, paths: [DEBIAN], facts: { isRoot: true } });
        assert.deepEqual(typed(planTrust(root, CA)), [
            `install -m 0644 ${CA.file} ${file}`,
            "update-ca-certificates",
        ]);
    });

    test("without root and sudo it is said what root would type", () => {
        const { steps, impossible } = planTrust(
            machine({ programs: ["update-ca-certificates"], paths: [DEBIAN] }),
            CA,
        );
        assert.deepEqual(steps, []);
        assert.match(impossible.join(), /needs root.*As root: install -m 0644 .* && update-ca-certificates$/);
    });

    test("nothing is taken back from a store that does not have it", () => {
        assert.deepEqual(planUntrust(machine({ programs, paths: [DEBIAN] }), CA), {
            steps: [],
            impossible: [],
        });
    });
});

test("on Fedora the system's store is another one", () => {
    const file = `${FEDORA}/synapse-local.pem`;
    const fedora = machine({ programs: ["update-ca-trust", "sudo"], paths: [FEDORA, file] });
    assert.deepEqual(typed(planTrust(fedora, CA)), [
        `sudo install -m 0644 ${CA.file} ${file}`,
        "sudo update-ca-trust",
    ]);
    assert.deepEqual(typed(planUntrust(fedora, CA)), [`sudo rm -f ${file}`, "sudo update-ca-trust"]);
});

test("on another Linux it is said that the system's store is not known", () => {
    const { steps, impossible } = planTrust(machine({}), CA);
    assert.deepEqual(steps, []);
    assert.match(impossible.join(), /neither update-ca-certificates nor update-ca-trust/);
});

test("on macOS it is the login keychain, by the certificate's own hash", () => {
    const mac = machine({ facts: { platform: "darwin", home: "/Users/alice" } });
    const keychain = "/Users/alice/Library/Keychains/login.keychain-db";
    assert.deepEqual(typed(planTrust(mac, CA)), [
        `security add-trusted-cert -r trustRoot -k ${keychain} ${CA.file}`,
    ]);
    assert.deepEqual(typed(planUntrust(mac, CA)), [
        `security remove-trusted-cert ${CA.file}`,
        `security delete-certificate -Z AB12 ${keychain}`,
    ]);
});

describe("browsers on Linux", () => {
    const nss = "/home/alice/.pki/nssdb";
    const profile = "/home/alice/.mozilla/firefox/x.default";
    const both = machine({
        programs: ["certutil"],
        paths: [`${nss}/cert9.db`, `${profile}/cert9.db`],
        facts: { firefoxProfiles: [profile] },
    });
    const of = (directory: string, ...args: string[]) =>
        ["certutil", "-d", `sql:${directory}`, ...args].join(" ");
    const removed = (directory: string) => of(directory, "-D", "-n", CA.name);
    const added = (directory: string) => of(directory, "-A", "-t", "C,,", "-n", CA.name, "-i", CA.file);

    test("are told one by one, in place of an older CA of the stack", () => {
        const plan = planTrust(both, CA);
        assert.deepEqual(typed(plan), [removed(nss), added(nss), removed(profile), added(profile)]);
        // There may be none.
        assert.ok(plan.steps.every(({ calls }) => calls[0]?.mayFail));
        assert.deepEqual(typed(planUntrust(both, CA)), [removed(nss), removed(profile)]);
    });

    test("that have never been started get a store", () => {
        const fresh = machine({ programs: ["certutil", "chromium"] });
        assert.deepEqual(typed(planTrust(fresh, CA)), [
            `mkdir -p ${nss}`,
            of(nss, "-N", "--empty-password"),
            added(nss),
        ]);
        assert.deepEqual(typed(planUntrust(fresh, CA)), []);
    });

    test("cannot be told without certutil, which is said", () => {
        const { steps, impossible } = planTrust({ ...both, hasProgram: () => false }, CA);
        assert.deepEqual(steps, []);
        assert.match(impossible.join("\n"), /Chromium.*no certutil \(Debian: libnss3-tools/);
        assert.match(impossible.join("\n"), /Firefox's profile .*no certutil/);
    });

    test("that are not there are not spoken of", () => {
        const server = machine({ programs: ["update-ca-certificates", "sudo"], paths: [DEBIAN] });
        assert.deepEqual(planTrust(server, CA).impossible, []);
    });
});

test("certutil accepts what is planned, twice in a row, and untrust leaves nothing", (t) => {
    if (spawnSync("certutil", ["-H"]).error !== undefined) {
        t.skip("CERTUTIL NOT TRIED: it is missing (scripts/setup.sh --tests installs it)");
        return;
    }
    const home = mkdtempSync(join(tmpdir(), "trust-"));
    t.after(() => rmSync(home, { recursive: true }));
    const profile = join(home, "profile");
    mkdirSync(profile);
    mustRun(["certutil", "-d", `sql:${profile}`, "-N", "--empty-password"]);
    const testCa = new TestCa();
    t.after(() => testCa.remove());
    const facts = machine({ programs: ["certutil", "chromium"] });
    const here = { ...facts, home, exists: existsSync, firefoxProfiles: [profile] };
    const ca = { ...CA, file: testCa.file };
    const stores = [profile, join(home, ".pki/nssdb")];
    const trusted = () =>
        stores.map((store) => mustRun(["certutil", "-d", `sql:${store}`, "-L"]).includes(`${CA.name} `));

    for (let round = 0; round < 2; round++) {
        carriedOut(planTrust(here, ca));
        assert.deepEqual(trusted(), [true, true]);
    }
    carriedOut(planUntrust(here, ca));
    assert.deepEqual(trusted(), [false, false]);
});

function carriedOut({ steps }: Plan): void {
    for (const { argv, mayFail } of steps.flatMap(({ calls }) => calls)) mustRun(argv, mayFail);
}

function mustRun([program, ...args]: readonly [string, ...string[]], mayFail = false): string {
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
    assert.ok(mayFail || status === 0, stderr);
    return stdout;
}
