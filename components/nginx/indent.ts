/** A text with each of its lines so many columns further right; empty lines stay empty. */
export function indent(text: string, columns: number): string {
    const margin = " ".repeat(columns);
    return text
        .split("\n")
        .map((line) => (line === "" ? line : margin + line))
        .join("\n");
}
