import { KEY_ROTATION } from "../../components/synapse/guard.ts";
import { mustDocker } from "../docker.ts";
import { findServer, type Server } from "../server.ts";
import type { RotateArgs } from "./arguments.ts";
import { idOf } from "./export.ts";

/** Says what a rotation does, and the commands for it. It is a change of the settings: those are kept in Git, and a preview shows it. */
export async function explainRotation({ stack }: RotateArgs): Promise<void> {
    const server = await findServer(stack);
    const { containerName, dockerHost } = server;
    const format = "{{range .Config.Env}}{{println .}}{{end}}";
    const environment = await mustDocker(dockerHost, ["inspect", "--format", format, containerName]);
    process.stdout.write(inWords(server, rotationIn(environment)));
}

/** How often the key of a server has been replaced, by its container's variables. */
export function rotationIn(environment: string): number {
    const [, number = "0"] = new RegExp(`^${KEY_ROTATION}=(\\d+)$`, "m").exec(environment) ?? [];
    return Number(number);
}

export function inWords(
    { stack, verifyKey, deployedBy }: Pick<Server, "stack" | "verifyKey" | "deployedBy">,
    rotation: number,
): string {
    const steps =
        deployedBy === "pulumi up"
            ? [
                  `pulumi config set --path synapse:signingKey.rotation ${rotation + 1} --stack ${stack}`,
                  `pulumi up --stack ${stack}`,
              ]
            : [
                  `in Pulumi.${stack}.yaml, below config:, write`,
                  "    synapse:signingKey:",
                  `      rotation: ${rotation + 1}`,
                  stack === "local" ? "npm start" : `npm start -- --stack ${stack}`,
              ];
    return `The server of the stack ${stack} has the key ${idOf(verifyKey)}; synapse:signingKey.rotation is ${rotation}.
Raised by one, the next deployment gives it another key, made on the Docker host. The server restarts, and publishes the
old key with the moment at which it stopped to sign with it: what it has signed until then still verifies. It cannot be
taken back. Nothing was done yet. Keep what there is, and do it:

  npm run key -- export --stack ${stack} --output old-key.age
${steps.map((step) => `  ${step}`).join("\n")}
  npm run key -- export --stack ${stack} --output new-key.age
`;
}
