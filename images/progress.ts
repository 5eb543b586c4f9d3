/** Takes one line of what is going on. */
export type Log = (line: string) => void;

const HEARTBEAT_SECONDS = 5;

/** Says every few seconds what a long piece of work is at, and keeps its last lines for when it fails. */
export function startProgress(name: string, log: Log) {
    const started = Date.now();
    const seconds = () => Math.round((Date.now() - started) / 1000);
    const lines: string[] = [];
    const timer = setInterval(() => {
        log(`${name}: ${lines.at(-1)?.slice(0, 100) ?? "waiting"} (${seconds()} s)`);
    }, HEARTBEAT_SECONDS * 1000);
    return {
        seconds,
        saw: (output: string) => {
            lines.push(...output.split(/[\r\n]+/).filter((line) => line.trim() !== ""));
            lines.splice(0, lines.length - 30);
        },
        tail: () => lines.join("\n"),
        stop: () => clearInterval(timer),
    };
}
