import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { versionOf } from "../../images/ensure.ts";
import { findRecipe } from "../../images/recipes.ts";
import { images } from "./homeserver.ts";

/** How the program runs every container, as options of `docker run`. */
export const HARDENED = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"];

/** An image that the tests use. */
export interface Used {
    readonly tag: string;
    readonly version: string;
    readonly isEquivalent: boolean;
}

/** The official image, or the equivalent where that stands in. */
export function used(name: string): Used {
    const tag = images[name] ?? "";
    const recipe = findRecipe(name);
    const isEquivalent = recipe?.tag === tag;
    const version = isEquivalent ? recipe?.version : versionOf(tag);
    assert.ok(version, `no version of ${name}: ${tag}`);
    return { tag, version, isEquivalent };
}

/** For a test of what equivalents alone promise. */
export function equivalent({ tag, isEquivalent }: Used): { skip: string | false } {
    return { skip: isEquivalent ? false : `${tag} is no equivalent` };
}

/** How a docker command ended. */
export interface Outcome {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
}

/** Runs a docker command that may fail. */
export function docker(...words: string[]): Promise<Outcome> {
    return new Promise((resolve) => {
        execFile("docker", words, (error, stdout, stderr) => {
            resolve({ code: Number(error?.code ?? 0), stdout: stdout.trim(), stderr: stderr.trim() });
        });
    });
}

/** Runs one that must not, and returns what it wrote to its output. */
export async function succeed(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await docker(...words);
    assert.equal(code, 0, `docker ${words.join(" ")}\n${stdout}\n${stderr}`);
    return stdout;
}

/** Runs a command in a container until it succeeds. */
export async function until(container: string, ...command: string[]): Promise<void> {
    for (let tries = 0; tries < 120; tries++) {
        if ((await docker("exec", container, ...command)).code === 0) return;
        await sleep(250);
    }
    const { stdout, stderr } = await docker("logs", "--tail=20", container);
    assert.fail(`${command.join(" ")} kept failing in ${container}\n${stdout}\n${stderr}`);
}
