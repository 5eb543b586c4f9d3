import { PulumiStack } from "../../tests/support/pulumi.ts";
import { type Choice, excerpt, prompt } from "./excerpt.ts";
import type { Line } from "./terminal.ts";
import { typed } from "./typed.ts";

export const caption = {
    title: "A preview with a changed setting",
    description:
        "A terminal after pulumi config set maxUploadSize 100M and pulumi preview --diff: the option max_upload_size " +
        "of homeserver.yaml goes from 50M to 100M, nginx's own limit goes with it, the container of " +
        "Synapse is replaced, and the counts stand at the end. Made from a real run; … stands for what is left out.",
};

/** Each line comes after the names of its resource and its property: see {@link placesOf}. */
const SHOWN = [
    / Previewing update/,
    /^synapse-check : .*(\(update\)|\[id=|\[urn=)/,
    /^synapse-check stdin: (.* stdin | {10}[ ~] \S| {8}\})/,
    /^nginx-configuration : .*(\(update\)|\[id=|\[urn=)/,
    /^nginx-configuration stdin: .*( stdin |client_max_body_size)/,
    /^synapse-container : .*(\(replace\)|\[id=|\[urn=)/,
    /^synapse-container mounts: .*( mounts: | source )/,
    / Resources:$/,
    / {4}\W{1,2} ?\d+ to (create|update|delete|replace)$/,
    / {4}\d+ changes/,
];

export const choice: Choice = {
    show: SHOWN,
    hide: [/(?<=\[id=)[^\]]+/, /urn:pulumi:\S*(?=::)/],
    places: placesOf,
};

/** A preview of a stack that is up, in the words of the Pulumi CLI. */
export async function preview(): Promise<Line[]> {
    const stack = new PulumiStack(".", "example");
    try {
        await stack.configure({
            tls: { mode: "local-ca" },
            ephemeral: true,
            listenAddresses: { public: ["127.0.0.1"] },
        });
        await stack.up();
        const command = "pulumi config set maxUploadSize 100M";
        await typed(command, stack.place);
        const printed = await typed("pulumi preview --diff", stack.place);
        return [prompt(command), prompt("pulumi preview --diff"), ...excerpt(printed, choice)];
    } finally {
        await stack.must("destroy", "--yes");
        stack.remove();
    }
}

/** Of which resource a line tells, and of which of its properties: `synapse-check stdin: `, or `: `. */
function placesOf(texts: readonly string[]): string[] {
    let resource = "";
    let property = "";
    return texts.map((text, index) => {
        // Its name stands in one of the lines below its head.
        if (/^ {0,4}\S/.test(text)) {
            const names = texts
                .slice(index, index + 4)
                .map((line) => /\[urn=.*::(?:homeserver-)?([\w-]+)\]$/.exec(line)?.[1]);
            resource = names.find((name) => name !== undefined) ?? "";
            property = "";
        }
        property = /^ {6}\S (\w+)/.exec(text)?.[1] ?? property;
        return `${resource} ${property}: `;
    });
}
