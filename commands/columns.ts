/** Each column as wide as its widest cell; one without any content is left out. */
export function columns(rows: readonly (readonly string[])[]): string {
    const widths = (rows[0] ?? []).map((_, column) =>
        Math.max(...rows.map((row) => (row[column] ?? "").length)),
    );
    return rows
        .map((row) =>
            row
                .map((cell, column) => ({ cell, width: widths[column] ?? 0 }))
                .filter(({ width }) => width > 0)
                .map(({ cell, width }) => cell.padEnd(width))
                .join("  ")
                .trimEnd(),
        )
        .join("\n");
}
