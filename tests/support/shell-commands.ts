/** One simple command of a shell script: its words as they stand there, without quotes. */
export interface ShellCommand {
    readonly name: string;
    readonly args: readonly string[];
    readonly line: number;
}

/** What a script of the POSIX shell runs, and the functions that it defines. Nothing is executed or expanded. */
export function readShell(text: string): { commands: ShellCommand[]; functions: Set<string> } {
    const reader = new ShellReader(text);
    reader.list();
    return { commands: reader.commands, functions: reader.functions };
}

/** Words after which another command begins, or that stand where one could. */
const RESERVED = new Set(
    ["if", "then", "elif", "else", "fi", "while", "until", "do", "done", "esac", "!", "{", "}"], //
);

/** Reads from left to right, one character at a time, and goes into whatever is nested. */
class ShellReader {
    readonly commands: ShellCommand[] = [];
    readonly functions = new Set<string>();
    readonly #text: string;
    #at = 0;
    #words: string[] = [];
    #heredocs: { readonly end: string; readonly literal: boolean }[] = [];

    constructor(text: string) {
        this.#text = text;
    }

    /** A list of commands up to the end, or to the bracket that closes it. */
    list(): void {
        let cases = 0;
        let pattern = false;
        while (this.#at < this.#text.length) {
            const next = this.#text[this.#at] ?? "";
            if (next === "\\" && this.#text[this.#at + 1] === "\n") this.#at += 2;
            else if (next === " " || next === "\t") this.#at += 1;
            else if (next === "#") this.#skipTo("\n");
            else if (next === "\n") {
                this.#end();
                this.#at += 1;
                this.#skipHeredocs();
            } else if (pattern) {
                pattern = false;
                if (/^esac\b/.test(this.#rest())) {
                    this.#at += 4;
                    cases -= 1;
                } else this.#pattern();
            } else if (this.#rest().startsWith(";;")) {
                this.#end();
                this.#at += 2;
                pattern = true;
            } else if (";&|".includes(next)) {
                this.#end();
                this.#at += 1;
            } else if (this.#rest().startsWith("()")) {
                this.functions.add(this.#words.pop() ?? "");
                this.#at += 2;
            } else if (next === "(") {
                this.#at += 1;
                this.list();
            } else if (next === ")") {
                this.#end();
                this.#at += 1;
                return;
            } else if (next === "<" || next === ">") this.#redirection();
            else {
                const word = this.#word();
                // The number before `>` is part of the redirection.
                if (/^\d+$/.test(word) && /^[<>]/.test(this.#rest())) continue;
                if (word === "esac" && this.#words.length === 0) cases -= 1;
                this.#words.push(word);
                if (word === "in" && this.#words[0] === "case") {
                    this.#words = [];
                    cases += 1;
                    pattern = true;
                }
                if (this.#words.length === 1 && RESERVED.has(word)) this.#words = [];
            }
        }
        this.#end();
        if (cases !== 0) throw new Error(`${cases} case without its esac`);
    }

    #rest(): string {
        return this.#text.slice(this.#at);
    }

    #skipTo(end: string): void {
        const found = this.#text.indexOf(end, this.#at);
        this.#at = found === -1 ? this.#text.length : found;
    }

    #end(): void {
        const words = this.#words;
        this.#words = [];
        while (/^\w+=/.test(words[0] ?? "")) words.shift();
        const [name, ...args] = words;
        if (name === undefined || name === "for") return;
        const line = this.#text.slice(0, this.#at).split("\n").length;
        this.commands.push({ name, args, line });
    }

    #pattern(): void {
        while (this.#text[this.#at] !== ")") {
            if (/[\s|(]/.test(this.#text[this.#at] ?? "x")) this.#at += 1;
            else this.#word();
        }
        this.#at += 1;
    }

    #redirection(): void {
        const operator = /^(<<-?|>>|[<>]&|[<>])/.exec(this.#rest())?.[0] ?? "";
        this.#at += operator.length;
        while (this.#text[this.#at] === " ") this.#at += 1;
        const literal = /^['"\\]/.test(this.#rest());
        const target = this.#word();
        if (operator.startsWith("<<")) this.#heredocs.push({ end: target, literal });
    }

    #skipHeredocs(): void {
        for (const { end, literal } of this.#heredocs.splice(0)) {
            const body = new RegExp(`^[\\s\\S]*?^\\t*${end}$`, "m").exec(this.#rest())?.[0] ?? "";
            if (!literal) this.#nested(body);
            this.#at += body.length;
        }
    }

    /** Commands inside of a text that is otherwise data. */
    #nested(text: string): void {
        const reader = new ShellReader(`"${text.replaceAll('"', '\\"')}"`);
        reader.#word();
        this.commands.push(...reader.commands);
    }

    #word(): string {
        let word = "";
        while (this.#at < this.#text.length) {
            const next = this.#text[this.#at] ?? "";
            if (/[\s;&|<>()]/.test(next)) break;
            if (next === "'") {
                const start = this.#at + 1;
                this.#at = this.#text.indexOf("'", start) + 1;
                word += this.#text.slice(start, this.#at - 1);
            } else if (next === '"') {
                this.#at += 1;
                while (this.#text[this.#at] !== '"') {
                    if (this.#at >= this.#text.length) throw new Error("a quotation without its end");
                    word += this.#piece();
                }
                this.#at += 1;
            } else word += this.#piece();
        }
        return word;
    }

    /** One character, escape or expansion. */
    #piece(): string {
        const start = this.#at;
        const rest = this.#rest();
        if (rest.startsWith("`")) throw new Error("a command between backticks");
        if (rest.startsWith("\\")) {
            this.#at += 2;
            return rest[1] === "\n" ? "" : rest.slice(1, 2);
        }
        if (rest.startsWith("$((")) {
            this.#at += 3;
            while (!this.#rest().startsWith("))")) this.#piece();
            this.#at += 2;
        } else if (rest.startsWith("$(")) {
            this.#at += 2;
            const words = this.#words;
            this.#words = [];
            this.list();
            this.#words = words;
        } else if (rest.startsWith("${")) {
            this.#at += 2;
            while (this.#text[this.#at] !== "}") this.#piece();
            this.#at += 1;
        } else this.#at += 1;
        return this.#text.slice(start, this.#at);
    }
}
