import type { Line, Look, Piece } from "./terminal.ts";

/** What is said of a picture to those who do not see it. */
export interface Caption {
    readonly title: string;
    readonly description: string;
}

/** Columns of the terminal; wider lines are refused. */
export const COLUMNS = 110;

const CELL = { width: 7.9, height: 18 };
const MARGIN = { side: 16, top: 48, bottom: 18 };

/** Dark in light and in dark surroundings: each colour has a contrast of 6 or more with the background. */
const BACKGROUND = "#161b22";
const BAR = "#21262d";
const BORDER = "#484f58";
const PLAIN = "#e6edf3";
const NORMAL = ["#8b949e", "#ff7b72", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#76e3ea", "#e6edf3"];
const BRIGHT = ["#8b949e", "#ffa198", "#7ee787", "#f2cc60", "#a5d6ff", "#e2c5ff", "#b3f0ff", "#ffffff"];
const COLOURS = [...NORMAL, ...BRIGHT];

const FONTS =
    'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace';

/** A picture of a terminal's window with these lines in it. */
export function svgOf(lines: readonly Line[], { title, description }: Caption): string {
    const width = Math.round(COLUMNS * CELL.width + 2 * MARGIN.side);
    const height = MARGIN.top + (lines.length - 1) * CELL.height + MARGIN.bottom;
    return `${[
        `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description">`,
        `<title id="title">${escaped(title)}</title>`,
        `<desc id="description">${escaped(description)}</desc>`,
        `<style>text { font: 13px ${FONTS}; fill: ${PLAIN}; white-space: pre } .bold { font-weight: bold } .dim { opacity: 0.7 }</style>`,
        `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${BACKGROUND}" stroke="${BORDER}"/>`,
        `<path d="M1 26V8.5A7.5 7.5 0 0 1 8.5 1H${width - 8.5}A7.5 7.5 0 0 1 ${width - 1} 8.5V26Z" fill="${BAR}"/>`,
        ...[18, 36, 54].map((x) => `<circle cx="${x}" cy="13.5" r="5" fill="${BORDER}"/>`),
        ...lines.flatMap((line, row) =>
            line.length === 0
                ? []
                : [
                      `<text xml:space="preserve" y="${MARGIN.top + row * CELL.height}">${line.map(tspan).join("")}</text>`,
                  ],
        ),
        "</svg>",
    ].join("\n")}\n`;
}

/** Each piece is put in its columns, whatever width the reader's font has. Its spaces count as well. */
function tspan({ column, text, look }: Piece): string {
    const length = [...text].length;
    if (column + length > COLUMNS) throw new Error(`wider than ${COLUMNS} columns: ${text}`);
    const x = pixels(MARGIN.side + column * CELL.width);
    return `<tspan x="${x}" textLength="${pixels(length * CELL.width)}"${attributes(look)}>${escaped(text)}</tspan>`;
}

function attributes({ colour, bold = false, dim = false }: Look): string {
    const classes = [bold ? "bold" : "", dim ? "dim" : ""].filter((name) => name !== "").join(" ");
    // An attribute would have less weight than the style of plain text.
    const fill = colour === undefined ? "" : ` style="fill: ${COLOURS[colour]}"`;
    return (classes === "" ? "" : ` class="${classes}"`) + fill;
}

function pixels(number: number): string {
    return String(Math.round(number * 10) / 10);
}

function escaped(text: string): string {
    return text
        .replaceAll("&", "&amp;")
        .replaceAll("<", "&lt;")
        .replaceAll(">", "&gt;")
        .replaceAll('"', "&quot;");
}
