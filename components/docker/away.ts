import { script } from "./script.ts";

/**
 * Shell script for the machine that runs Pulumi, to stand before a task that moves or copies the server's data: stops
 * the server, tells nginx why, and starts it again if the task fails. The variables that it reads stand in `away.sh`.
 */
export function serverAway(purpose: string): string {
    return `PURPOSE='${purpose}'\n${script(import.meta.url, "away.sh")}`;
}
