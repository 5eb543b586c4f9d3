import assert from "node:assert/strict";
import { test } from "node:test";
import { Homeserver } from "../../components/homeserver/homeserver.ts";
import { answers } from "../support/answers.ts";
import { fakeEngine, settled } from "../support/engine.ts";
import { some } from "../support/some.ts";

/** Several servers in one program. */

const registrations = await fakeEngine("dev", answers);
const COMMON = { tls: { mode: "local-ca" }, ephemeral: true } as const;
for (const name of ["chat", "lab"]) new Homeserver(name, { ...COMMON, serverName: `${name}.localhost` });
await settled();

const of = (server: string) => registrations.filter(({ name }) => name.split("-")[0] === server);

test("each has everything of its own, and the names of all of it begin with the server's", () => {
    const bare = (server: string) =>
        of(server)
            .map(({ type, name }) => `${type} ${name.slice(server.length).replace(/-[0-9a-f]{12}-/, "-")}`)
            .sort();
    assert.ok(bare("chat").length > 20);
    assert.deepEqual(bare("chat"), bare("lab"));
    assert.equal(of("chat").length + of("lab").length, registrations.length);
});

test("nothing on the Docker host has one name twice, and each keeps to its own provider", () => {
    const named = some(registrations.filter(({ type }) => /:(Volume|Container|Network)$/.test(type)));
    const names = named.map(({ type, inputs }) => `${type} ${String(inputs.name)}`);
    assert.equal(new Set(names).size, names.length);
    for (const server of ["chat", "lab"]) {
        for (const { provider, name } of of(server).filter(({ type }) => type.startsWith("docker:")))
            assert.match(provider, new RegExp(`::${server}-docker::`), name);
    }
});

test("their hooks are not each other's", () => {
    const hooks = (server: string) =>
        new Set(some(of(server)).flatMap(({ hooks }) => [...hooks.beforeCreate, ...hooks.beforeUpdate]));
    const [chat, lab] = [hooks("chat"), hooks("lab")];
    assert.ok(chat.size > 2);
    assert.deepEqual(
        [...chat].filter((hook) => lab.has(hook)),
        [],
    );
});

test("two that would be named alike on the Docker host are refused before anything is made", () => {
    const before = registrations.length;
    assert.throws(
        () => new Homeserver("other", { ...COMMON, serverName: "other.localhost", name: "chat-dev" }),
        /the homeservers "chat" and "other" are both to be named chat-dev/,
    );
    assert.equal(registrations.length, before);
});
