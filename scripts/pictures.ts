import { mkdirSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import * as preview from "./pictures/preview.ts";
import * as start from "./pictures/start.ts";
import { svgOf } from "./pictures/svg.ts";

/** Makes the README's pictures anew from real runs: of all, or of those named. */

const ROOT = join(import.meta.dirname, "..");
const DIRECTORY = join(ROOT, "docs/pictures");

const PICTURES = {
    start: async () => svgOf(await start.start({ cwd: ROOT, env: process.env }), start.caption),
    preview: async () => svgOf(await preview.preview(), preview.caption),
};

const named = process.argv.slice(2);
const unknown = named.filter((name) => !(name in PICTURES));
if (unknown.length > 0) throw new Error(`there is no picture ${unknown.join(", ")}`);

mkdirSync(DIRECTORY, { recursive: true });
for (const [name, make] of Object.entries(PICTURES)) {
    if (named.length > 0 && !named.includes(name)) continue;
    const svg = await make();
    for (const place of [ROOT, homedir(), tmpdir()])
        if (svg.includes(place)) throw new Error(`the picture ${name} tells of this machine: ${place}`);
    const file = join(DIRECTORY, `${name}.svg`);
    writeFileSync(file, svg);
    console.log(`${file}: ${(svg.length / 1000).toFixed(1)} kB`);
}
