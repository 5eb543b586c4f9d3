// Preloaded where Pulumi runs the program: an older Node.js would only say that it does not know the extension ".ts".
// It must understand this file.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

if (!process.features.typescript) {
    const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    const brought = fileURLToPath(new URL("../node_modules/.bin", import.meta.url));
    console.error(
        `Node.js ${engines.node.slice(2)} or newer is needed, this is ${process.version} (${process.execPath}). ` +
            `Install one, or let the one that \`npm ci\` brought come first: export PATH="${brought}:$PATH"`,
    );
    // Tells the Pulumi CLI that the reason has been said.
    process.exit(32);
}
