import type { Answer } from "./client.ts";

/** Why an answer to `/_matrix/key/v2/server` is not that of a server with this name and key; undefined when it is. */
export function keyFault(answer: Answer, serverName: string, verifyKey: string): string | undefined {
    const [id = "", key] = verifyKey.split(" ");
    const { server_name, verify_keys } = parsed(answer.body);
    if (server_name === serverName && verify_keys?.[id]?.key === key) return undefined;
    return `wanted ${serverName} with the recorded key ${verifyKey}, got ${answer.body.slice(0, 600)}`;
}

function parsed(body: string): { server_name?: string; verify_keys?: Record<string, { key?: string }> } {
    try {
        return (JSON.parse(body) ?? {}) as object;
    } catch {
        return {};
    }
}
