import { docker } from "../../tests/support/homeserver.ts";
import { type Choice, excerpt, prompt } from "./excerpt.ts";
import type { Line } from "./terminal.ts";
import { type Place, typed } from "./typed.ts";

export const caption = {
    title: "The end of npm start",
    description:
        "A terminal after npm start: some of what was created, what was verified of the server, a line " +
        "each, and the commands to go on with. Made from a real run; … stands for what is left out, and for what " +
        "differs from run to run.",
};

const SHOWN = [
    /^ {2}created {3}(volume synapse-local-data|container synapse-local(-nginx)?|command \S+(questions|issuance)) /,
    /^\d+ created/,
    /^ {2}clientUrl: /,
    /^localhost works\./,
    /^ {2}[^[]* at 127\.0\.0\.1:\d+: /,
    /^What to do next/,
    /^ {2}[^:(]+ {2}(npm |https:)/,
];

export const choice: Choice = {
    show: SHOWN,
    hide: [/(?<=\()[\d.]+(?= s\)$)/, /(?<=until )\d{4}-\d\d-\d\d/, /(?<=ed25519:a_)\w+/],
};

/** `npm start` on a machine that has no such server yet, and none afterwards. */
export async function start(place: Place): Promise<Line[]> {
    await refuseIfThere();
    try {
        const printed = await typed("npm start", place);
        return [prompt("npm start"), ...excerpt(printed, choice)];
    } finally {
        await typed("npm stop -- --volumes", place);
    }
}

/** Somebody's data may be in it. */
async function refuseIfThere(): Promise<void> {
    const filter = ["--quiet", "--filter", "name=synapse-local"];
    const found = [await docker("ps", "--all", ...filter), await docker("volume", "ls", ...filter)];
    if (found.join("") !== "")
        throw new Error(
            "a server of `npm start` is there, and the picture is of a fresh one: " +
                "`npm stop -- --volumes` removes it, with its data",
        );
}
