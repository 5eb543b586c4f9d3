import { afterEach, beforeEach } from "node:test";
import { docker, EmbeddedStack } from "../fixtures/embedded.ts";

export let stack: EmbeddedStack;
export let prefix: string;
beforeEach(() => {
    stack = new EmbeddedStack("small");
    prefix = `engtest-${stack.name}`;
});
afterEach(() => stack.destroy());

export const server = () => docker("inspect", "--format", "{{.Id}}", `${prefix}-server`);
export const stackObjects = async () => {
    const all = await Promise.all([
        docker("ps", "-a", "--format", "{{.Names}}"),
        docker("network", "ls", "--format", "{{.Name}}"),
        docker("volume", "ls", "--format", "{{.Name}}"),
    ]);
    return all.flatMap((names) => names.split("\n")).filter((name) => name.startsWith(prefix));
};
