import { isDeepStrictEqual } from "node:util";

/** How a piece of text looks. */
export interface Look {
    /** Of the 16 colours that every terminal has; undefined for that of plain text. */
    readonly colour?: number | undefined;
    readonly bold?: boolean;
    readonly dim?: boolean;
}

/** Neighbours on a line that look the same. */
export interface Piece {
    readonly column: number;
    readonly text: string;
    readonly look: Look;
}

export type Line = readonly Piece[];

interface Cell {
    readonly character: string;
    readonly look: Look;
}

/** Text, or what a terminal is told: `ESC [ numbers letter`, `ESC ] … end`, one control character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const TOKEN = /\x1b\[([\d;?]*)([A-Za-z])|\x1b\].*?(?:\x07|\x1b\\)|([\n\r\b])|([^\x00-\x1f])/gsu;

const BLANK: Cell = { character: " ", look: {} };

/** What stands in a terminal, line by line, after a program has printed this; nothing is wrapped. */
export function linesOf(printed: string): Line[] {
    let cells: Cell[] = [];
    const lines = [cells];
    let column = 0;
    let look: Look = {};
    for (const [, numbers = "", command, control, character] of printed.matchAll(TOKEN)) {
        if (character !== undefined) {
            while (cells.length < column) cells.push(BLANK);
            cells[column++] = { character, look };
        } else if (control === "\n") {
            cells = [];
            lines.push(cells);
            column = 0;
        } else if (control === "\r") column = 0;
        else if (control === "\b") column = Math.max(0, column - 1);
        else if (command === "m") look = changed(look, numbers);
        else if (command === "G") column = Number(numbers || 1) - 1;
        else if (command === "K" && Number(numbers) === 0) cells.splice(column);
        else if (command === "K" && numbers === "2") cells.fill(BLANK);
        else if (command !== undefined && !isAside(numbers, command))
            throw new Error(`this terminal does not know ESC[${numbers}${command}`);
    }
    return lines.map(piecesOf);
}

export function textOf(line: Line): string {
    return line.reduce((all, { column, text }) => all.padEnd(column) + text, "");
}

/** Questions to the terminal, and whether it shows the cursor: nothing that can be seen in the end. */
function isAside(numbers: string, command: string): boolean {
    return command === "n" || numbers.startsWith("?");
}

/** The look after `ESC [ numbers m`. */
function changed(before: Look, numbers: string): Look {
    let look = before;
    const codes = numbers.split(";").map(Number);
    for (let code = codes.shift(); code !== undefined; code = codes.shift()) {
        if (code === 0) look = {};
        else if (code === 1) look = { ...look, bold: true };
        else if (code === 2) look = { ...look, dim: true };
        else if (code === 22) look = { ...look, bold: false, dim: false };
        else if (code === 39) look = { ...look, colour: undefined };
        else if (code >= 30 && code <= 37) look = { ...look, colour: code - 30 };
        else if (code >= 90 && code <= 97) look = { ...look, colour: code - 90 + 8 };
        else if (code === 38 && codes[0] === 5 && Number(codes[1]) < 16)
            look = { ...look, colour: codes.splice(0, 2)[1] };
        else throw new Error(`this terminal knows no look ${numbers}`);
    }
    return look;
}

/** Spaces have no look, and those at the end of a line nobody sees. */
function piecesOf(cells: readonly Cell[]): Line {
    const pieces: Piece[] = [];
    let [text, column, look] = ["", 0, BLANK.look];
    const end = () => {
        if (text !== "") pieces.push({ column, text: text.trimEnd(), look });
    };
    cells.forEach((cell, at) => {
        if (cell.character === " ") {
            if (text !== "") text += " ";
        } else if (text !== "" && isDeepStrictEqual(cell.look, look)) text += cell.character;
        else {
            end();
            [text, column, look] = [cell.character, at, cell.look];
        }
    });
    end();
    return pieces;
}
