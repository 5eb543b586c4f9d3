import { Secrets } from "./secrets.ts";

export type Change = "created" | "updated" | "replaced" | "removed" | "same";

/** Tells the person at the terminal what happens. Nothing is printed that holds a known secret. */
export class Report {
    readonly changes: Record<Change, number> = { created: 0, updated: 0, replaced: 0, removed: 0, same: 0 };
    /** What it knows, and does not print. */
    readonly secrets = new Secrets();

    say(line: string): void {
        process.stdout.write(`${this.secrets.redact(line)}\n`);
    }

    error(message: string): void {
        process.stderr.write(`error: ${this.secrets.redact(message)}\n`);
    }

    done(change: Change, what: string, started?: number): void {
        this.changes[change]++;
        if (change === "same") return;
        const seconds = started === undefined ? "" : ` (${((Date.now() - started) / 1000).toFixed(1)} s)`;
        this.say(`  ${change.padEnd(8)}  ${what}${seconds}`);
    }

    summary(succeeded: boolean): void {
        const { same, ...changed } = this.changes;
        const counts = Object.entries({ ...changed, unchanged: same }).filter(([, count]) => count > 0);
        const line = counts.map(([change, count]) => `${count} ${change}`).join(", ");
        const idle = Object.values(changed).every((count) => count === 0);
        const heading = !succeeded ? "Not finished" : idle ? "Nothing to do" : "";
        this.say([heading, line].filter((part) => part !== "").join(": "));
    }

    /** Prints a stream line by line, so that a secret cannot slip through between two chunks. */
    lines(name: string): { write(chunk: string): void; end(): void } {
        let rest = "";
        const print = (line: string) => this.say(`  ${name}: ${line}`);
        return {
            write: (chunk) => {
                const whole = (rest + chunk).split("\n");
                rest = whole.pop() ?? "";
                whole.forEach(print);
            },
            end: () => {
                if (rest !== "") print(rest);
            },
        };
    }
}
