import { type Line, linesOf, textOf } from "./terminal.ts";

/** What is shown of what a command printed. */
export interface Choice {
    /** The lines to show; each pattern must find one. */
    readonly show: readonly RegExp[];
    /** What each line belongs to, which is put before it for the patterns. */
    readonly places?: (texts: readonly string[]) => readonly string[];
    /** What differs from run to run, or tells of the machine: `…` stands for it. */
    readonly hide: readonly RegExp[];
}

/** What a person typed. */
export function prompt(command: string): Line {
    return [
        { column: 0, text: "$", look: { dim: true } },
        { column: 2, text: command, look: { bold: true } },
    ];
}

/** The chosen lines of what was printed; `…` in a line of its own stands for what is left out between them. */
export function excerpt(printed: string, { show, places, hide }: Choice): Line[] {
    const lines = linesOf(printed.trimEnd());
    const texts = lines.map(textOf);
    const before = places?.(texts) ?? [];
    const known = texts.map((text, index) => `${before[index] ?? ""}${text}`);
    const missed = show.filter((pattern) => !known.some((text) => pattern.test(text)));
    if (missed.length > 0) throw new Error(`no line of the output is like ${missed.join(", ")}:\n${printed}`);

    const chosen: Line[] = [];
    let skipped = false;
    for (const [index, line] of lines.entries()) {
        if (show.some((pattern) => pattern.test(known[index] ?? ""))) {
            if (skipped) chosen.push(ellipsis(line));
            chosen.push(without(line, hide));
            skipped = false;
        } else if (line.length > 0) skipped = true;
    }
    return chosen;
}

/** As far to the right as the line that follows. */
function ellipsis(next: Line): Line {
    return [{ column: next[0]?.column ?? 0, text: "…", look: { dim: true } }];
}

function without(line: Line, hide: readonly RegExp[]): Line {
    let shift = 0;
    return line.map(({ column, text, look }) => {
        const shown = hide.reduce((rest, pattern) => rest.replace(pattern, "…"), text);
        const piece = { column: column + shift, text: shown, look };
        shift += shown.length - text.length;
        return piece;
    });
}
