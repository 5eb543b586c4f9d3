import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { excerpt } from "../../scripts/pictures/excerpt.ts";
import { svgOf } from "../../scripts/pictures/svg.ts";
import { linesOf, textOf } from "../../scripts/pictures/terminal.ts";
import { read } from "../support/documentation.ts";
import { some } from "../support/some.ts";

const CAPTION = { title: "A & B", description: "What <b> shows" };

function textsOf(printed: string): string[] {
    return linesOf(printed).map(textOf);
}

describe("a terminal", () => {
    test("shows what is printed in its colours, bold and dim", () => {
        assert.deepEqual(
            linesOf("\x1b[1mbold\x1b[22m \x1b[38;5;13mpink\x1b[0m\x1b[2m  dim\x1b[0;32m green\x1b[m plain"),
            [
                [
                    { column: 0, text: "bold", look: { bold: true } },
                    { column: 5, text: "pink", look: { bold: false, dim: false, colour: 13 } },
                    { column: 11, text: "dim", look: { dim: true } },
                    { column: 15, text: "green", look: { colour: 2 } },
                    { column: 21, text: "plain", look: {} },
                ],
            ],
        );
    });

    test("shows no more of a spinner than is left of it in the end", () => {
        assert.deepEqual(textsOf("@ wait|\b \b/\b \b\b \b\b \b\b \b\b \b\b \b\b \b  first\r\nsecond\n"), [
            "  first",
            "second",
            "",
        ]);
        assert.deepEqual(textsOf("⠙\x1b[1G\x1b[0Kdone"), ["done"]);
        assert.deepEqual(textsOf("long\rs"), ["song"]);
    });

    test("shows nothing of what is asked of it", () => {
        assert.deepEqual(textsOf("\x1b]11;?\x1b\\\x1b[6n\x1b[?25lhello"), ["hello"]);
    });

    test("refuses what it does not know, instead of showing something else", () => {
        assert.throws(() => linesOf("\x1b[2A"), /does not know ESC\[2A/);
        assert.throws(() => linesOf("\x1b[38;5;200mx"), /no look 38;5;200/);
    });
});

describe("an excerpt", () => {
    const printed = "one\ntwo (1.5 s)\n\n  three\nfour\n";

    test("says with … where lines are left out, and what differs from run to run", () => {
        const lines = excerpt(printed, { show: [/^two/, /^four/], hide: [/[\d.]+(?= s)/] });
        assert.deepEqual(lines.map(textOf), ["…", "two (… s)", "…", "four"]);
    });

    test("says nothing of an empty line that is left out", () => {
        const lines = excerpt(printed, { show: [/^two/, /three/], hide: [] });
        assert.deepEqual(lines.map(textOf), ["…", "two (1.5 s)", "  three"]);
    });

    test("moves what follows in a line to where it now belongs", () => {
        const [line = []] = excerpt("id=12345 \x1b[31mred", { show: [/./], hide: [/\d+/] });
        assert.equal(textOf(line), "id=… red");
    });

    test("is refused if a line that it is to show is not there", () => {
        assert.throws(
            () => excerpt(printed, { show: [/^two/, /^five/], hide: [] }),
            /no line .* is like \/\^five\//,
        );
    });
});

describe("a picture", () => {
    const svg = svgOf(linesOf('\x1b[31m<b> & "quoted"\n\n    indented'), CAPTION);

    test("holds its text and its caption escaped", () => {
        assert.ok(svg.includes(">&lt;b&gt; &amp; &quot;quoted&quot;</tspan>"), svg);
        assert.ok(svg.includes(">A &amp; B</title>"), svg);
        assert.ok(svg.includes(">What &lt;b&gt; shows</desc>"), svg);
    });

    test("has its colours, and each piece of text in its columns", () => {
        assert.match(svg, /<tspan x="16" textLength="110\.6" style="fill: #ff7b72">&lt;b/);
        assert.match(
            svg,
            /<text xml:space="preserve" y="84"><tspan x="47\.6" textLength="63\.2" style="fill: #ff7b72">indented/,
        );
    });

    test("keeps the spaces between words, in new browsers and in old ones", () => {
        assert.match(svg, /<style>text {[^}]*white-space: pre/);
        assert.doesNotMatch(svg, /<text (?!xml:space="preserve")/);
    });

    test("is as wide as 110 columns, and refuses a line that is wider", () => {
        assert.match(svg, /^<svg [^>]* width="901" height="102" viewBox="0 0 901 102"/);
        assert.doesNotThrow(() => svgOf(linesOf("x".repeat(110)), CAPTION));
        assert.throws(() => svgOf(linesOf("x".repeat(111)), CAPTION), /wider than 110 columns/);
    });
});

describe("the README's pictures", () => {
    const pictures = some(["start", "preview"]).map(
        (name) => [name, read(`docs/pictures/${name}.svg`)] as const,
    );

    test("are all that there are, each with a text for those who do not see it", () => {
        const shown = [...read("README.md").matchAll(/^!\[([^\]]{40,})\]\(docs\/pictures\/(\w+\.svg)\)$/gm)];
        const files = readdirSync(new URL("../../docs/pictures", import.meta.url));
        assert.deepEqual(shown.map(([, , file = ""]) => file).sort(), files.sort());
        assert.deepEqual(files, pictures.map(([name]) => `${name}.svg`).sort());
    });

    for (const [name, svg] of pictures) {
        test(`${name} holds nothing that runs or is fetched, and is small`, () => {
            assert.doesNotMatch(svg, /<script|<image|<foreignObject|\bon\w+=|href|url\(|@import/i);
            assert.ok(svg.length < 40_000);
        });

        test(`${name} tells of no machine and of no moment`, () => {
            assert.doesNotMatch(svg, /\/(?:bin|etc|home|opt|root|run|srv|tmp|usr|Users|var|work)\//);
            assert.doesNotMatch(svg, /\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d|\d\.\d s\b|sha256:|ed25519:\w+_\w/);
        });
    }

    test("name no npm script that package.json lacks", () => {
        const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
        const named = pictures.flatMap(([, svg]) => [...svg.matchAll(/npm (?:run )?([a-z]+)/g)]);
        assert.deepEqual(
            some(named)
                .map(([, script = ""]) => script)
                .filter((script) => !(script in scripts)),
            [],
        );
    });
});
