import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

/**
 * A container beside a homeserver that another stack made: on its network, where it reaches Synapse past nginx. A bot
 * or a bridge stands here; this one asks for the versions of the client API once a minute, and logs the answer.
 *
 *     pulumi config set server organization/synapse/prod
 */

const config = new pulumi.Config();
const server = new pulumi.StackReference(config.require("server"));
const text = (output: string) => server.requireOutput(output) as pulumi.Output<string>;

const bot = new docker.Container("bot", {
    name: pulumi.interpolate`${text("containerName")}-bot`,
    // Any image with Python: Synapse's own is on the host already.
    image: config.require("image"),
    user: "65534:65534",
    entrypoints: ["python3", "-u", "-c"],
    command: [
        [
            "import os, time, urllib.request",
            "while True:",
            "    with urllib.request.urlopen(os.environ['HOMESERVER'] + '/_matrix/client/versions', timeout=10) as answer:",
            "        print(answer.status, answer.read().decode(), flush=True)",
            "    time.sleep(60)",
        ].join("\n"),
    ],
    envs: [pulumi.interpolate`HOMESERVER=${text("synapseUrl")}`],
    networksAdvanced: [{ name: text("networkName") }],
    restart: "unless-stopped",
    readOnly: true,
    memory: 64,
    memorySwap: 64,
    mustRun: true,
});

/** Its container. */
export const botName = bot.name;
