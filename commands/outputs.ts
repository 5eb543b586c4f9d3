/** A stack's outputs, by name. */
type Outputs = Readonly<Record<string, unknown>>;

/** What a person may do next, in the program's own words: several lines, printed last and as they are. */
const NEXT_STEPS = "nextSteps";

const STOP = "Stop it with `npm stop`: the data is kept. `npm stop -- --volumes` removes that too.";

/** What is printed after a successful `up`. */
export function afterUp(outputs: Outputs): string[] {
    const lines = listed(outputs).map(([name, value]) => `  ${name}: ${inOneLine(name, asText(value))}`);
    return [...lines, nextSteps(outputs) ?? STOP];
}

/** What is printed of all outputs when they are asked for. */
export function whole(outputs: Outputs): string[] {
    const lines = listed(outputs).map(([name, value]) => `${name}: ${asText(value)}`);
    const steps = nextSteps(outputs);
    return steps === undefined ? lines : [...lines, steps];
}

export function asText(value: unknown): string {
    return typeof value === "string" ? value : JSON.stringify(value);
}

function listed(outputs: Outputs): [string, unknown][] {
    const steps = nextSteps(outputs);
    return Object.entries(outputs).filter(([name]) => steps === undefined || name !== NEXT_STEPS);
}

function nextSteps({ [NEXT_STEPS]: steps }: Outputs): string | undefined {
    return typeof steps === "string" ? steps.trimEnd() : undefined;
}

function inOneLine(name: string, value: string): string {
    const lines = value.trimEnd().split("\n").length;
    return lines === 1 ? value : `(${lines} lines: npm run --silent output ${name})`;
}
