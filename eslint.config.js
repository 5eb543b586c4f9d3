import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";
import layers from "./eslint.layers.js";

// Biome formats and lints; ESLint is here for who may import whom, and for what needs types: floating
// promises, and outputs in template strings.
export default defineConfig({ ignores: ["node_modules/", ".tools/", "eslint.*.js"] }, layers, {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
        "@typescript-eslint/no-unused-vars": "off",
        "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
        // node:test's `test()` returns a promise that the runner itself awaits.
        "@typescript-eslint/no-floating-promises": [
            "error",
            {
                allowForKnownSafeCalls: [
                    { from: "package", package: "node:test", name: ["test", "describe", "it", "suite"] },
                ],
            },
        ],
    },
});
