import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { SetupMachine } from "../support/setup.ts";

/** What setup.sh says and asks before it changes a machine. */

const skip =
    existsSync("/etc/debian_version") && existsSync("/usr/bin/script")
        ? false
        : "SETUP'S QUESTIONS NOT TRIED: this is no Debian or Ubuntu";

function machine(t: TestContext, programs: Readonly<Record<string, string>> = {}): SetupMachine {
    const made = new SetupMachine(programs);
    t.after(() => made.remove());
    return made;
}

const SAYS =
    /to install as root, with apt-get, as the server runs in Docker's containers:\s+setup: {3}docker\.io\s/;

describe("before it installs Docker", { skip }, () => {
    test("it names the packages and why, and installs them on a yes", async (t) => {
        const { code, printed, installed } = await machine(t).run([], {}, "y\n");
        assert.match(printed, SAYS);
        assert.match(printed, /install them now\? \[y\/N\]/);
        assert.equal(code, 0, printed);
        assert.match(installed, /^update\ninstall .*docker\.io docker-cli\n$/);
    });

    for (const [what, answer] of [
        ["a no", "n\n"],
        ["nothing but Enter", "\n"],
        ["a Ctrl-C", "\u0003"],
        ["the end of the input", "\u0004"],
    ] as const) {
        test(`${what} at its question installs nothing and ends it with a sentence`, async (t) => {
            const { code, printed, installed } = await machine(t).run([], {}, answer);
            assert.match(printed, /nothing was installed\. Install it yourself, or run this again/);
            assert.deepEqual([code, installed], [1, ""]);
        });
    }

    for (const [what, args, environment] of [
        ["--yes", ["--yes"], {}],
        ["SYNAPSE_SETUP_YES=1", [], { SYNAPSE_SETUP_YES: "1" }],
    ] as const) {
        test(`${what} answers at a terminal, and it still says what`, async (t) => {
            const { code, printed, installed } = await machine(t).run(args, environment, "");
            assert.match(printed, SAYS);
            assert.doesNotMatch(printed, /\[y\/N\]/);
            assert.equal(code, 0, printed);
            assert.match(installed, /docker\.io/);
        });
    }

    test("it asks though its output goes elsewhere than to the terminal", async (t) => {
        const { code, printed, installed } = await machine(t).run([], {}, "n\n", ">/dev/null");
        assert.match(printed, SAYS);
        assert.match(printed, /install them now\? \[y\/N\]/);
        assert.deepEqual([code, installed], [1, ""]);
    });

    test("it says what and goes on where there is no terminal", async (t) => {
        const { code, printed, installed } = await machine(t).run([]);
        assert.match(printed, SAYS);
        assert.doesNotMatch(printed, /\[y\/N\]/);
        assert.equal(code, 0, printed);
        assert.match(installed, /docker\.io/);
    });

    test("without root it installs nothing, and says what is missing", async (t) => {
        const { code, printed, installed } = await machine(t, { id: "echo 1000" }).run([], {}, "y\n");
        assert.match(printed, /Docker is needed/);
        assert.deepEqual([code, installed], [1, ""]);
    });
});

/** A docker client with a chosen context, whose engine at the usual place answers or does not. */
const client = (context: string, answers: boolean) => ({
    docker: `case $1 in context) echo ${context} ;; *) exit ${answers ? 0 : 1} ;; esac`,
});

const EXPORT = /export DOCKER_HOST=\$\(docker context inspect --format '\{\{\.Endpoints\.docker\.Host\}\}'\)/;

describe("of a context chosen with `docker context use`", () => {
    test("it says that it is not used, and how it is", async (t) => {
        const { code, printed } = await machine(t, client("far-away", true)).run([]);
        assert.equal(code, 0, printed);
        assert.match(printed, /note: the context far-away is not used unless DOCKER_HOST names it/);
        assert.match(printed, EXPORT);
    });

    test("it installs no other engine where none answers at the usual place", async (t) => {
        const { code, printed, installed } = await machine(t, client("far-away", false)).run([]);
        assert.deepEqual([code, installed], [1, ""]);
        assert.match(
            printed,
            /no Docker engine answers at \/var\/run\/docker\.sock, and the context far-away/,
        );
        assert.match(printed, EXPORT);
    });

    test("it says nothing when there is none, or when DOCKER_HOST is set", async (t) => {
        assert.equal((await machine(t, client("default", true)).run([])).printed, "");
        const environment = { DOCKER_HOST: "tcp://192.0.2.1:2375" };
        assert.equal((await machine(t, client("far-away", true)).run([], environment)).printed, "");
    });
});

test("on macOS it names Docker Desktop's socket where no engine answers at the usual place", async (t) => {
    const mac = machine(t, { ...client("default", false), uname: "echo Darwin" });
    const directory = join(mac.directory, ".docker/run");
    mkdirSync(directory, { recursive: true });
    const socket = createServer();
    await new Promise<void>((resolve) => socket.listen(join(directory, "docker.sock"), resolve));
    t.after(() => socket.close());
    const { code, printed } = await mac.run([]);
    assert.equal(code, 1);
    assert.match(printed, new RegExp(`export DOCKER_HOST=unix://${directory}/docker.sock`));
});
