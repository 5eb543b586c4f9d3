/** One directive of an nginx.conf, with what stands in its braces. */
export interface Directive {
    readonly name: string;
    readonly args: readonly string[];
    readonly block?: readonly Directive[];
}

/** Reads an nginx.conf as nginx itself would split it; throws where nginx would refuse it. */
export function parseNginx(text: string): readonly Directive[] {
    const tokens = tokensOf(text);
    const directives = blockOf(tokens);
    if (tokens.length > 0) throw new SyntaxError("there is a } too many");
    return directives;
}

/** Every directive of a name, at any depth. */
export function everywhere(directives: readonly Directive[], name: string): Directive[] {
    return directives.flatMap((directive) => [
        ...(directive.name === name ? [directive] : []),
        ...everywhere(directive.block ?? [], name),
    ]);
}

/** The directives of a name that stand right here. */
export function here(directives: readonly Directive[], name: string): Directive[] {
    return directives.filter((directive) => directive.name === name);
}

interface Token {
    readonly text: string;
    readonly quoted: boolean;
}

/** The directives up to the end or the next `}`, which are taken off the tokens. */
function blockOf(tokens: Token[]): Directive[] {
    const directives: Directive[] = [];
    let words: string[] = [];
    while (tokens[0] !== undefined && !isSign(tokens[0], "}")) {
        const [token] = tokens.splice(0, 1);
        if (token === undefined) break;
        if (!isSign(token, ";") && !isSign(token, "{")) {
            words.push(token.text);
            continue;
        }
        const [name, ...args] = words;
        if (name === undefined) throw new SyntaxError(`there is nothing before a ${token.text}`);
        words = [];
        if (isSign(token, ";")) {
            directives.push({ name, args });
            continue;
        }
        directives.push({ name, args, block: blockOf(tokens) });
        const [end] = tokens.splice(0, 1);
        if (end === undefined) throw new SyntaxError(`${name} is not closed`);
    }
    if (words.length > 0) throw new SyntaxError(`${words.join(" ")} lacks its semicolon`);
    return directives;
}

function isSign({ text, quoted }: Token, sign: string): boolean {
    return !quoted && text === sign;
}

function tokensOf(text: string): Token[] {
    const pattern =
        /\s+|#[^\n]*|"((?:\\[\s\S]|[^"\\])*)"|'((?:\\[\s\S]|[^'\\])*)'|[;{}]|(?:\$\{|[^\s;{}"'])(?:\$\{|[^\s;{])*/gy;
    const tokens: Token[] = [];
    while (pattern.lastIndex < text.length) {
        const from = pattern.lastIndex;
        const match = pattern.exec(text);
        if (match === null)
            throw new SyntaxError(`nginx does not read on at: ${text.slice(from, from + 40)}`);
        const [whole, double, single] = match;
        const inQuotes = double ?? single;
        // Of backslashes, nginx takes away those before a quote or another backslash, and keeps the rest.
        if (inQuotes !== undefined)
            tokens.push({ text: inQuotes.replaceAll(/\\(["'\\])/g, "$1"), quoted: true });
        else if (/^[^\s#]/.test(whole)) tokens.push({ text: whole, quoted: false });
    }
    return tokens;
}
