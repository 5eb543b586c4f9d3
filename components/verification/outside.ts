import { isPublicName } from "../../hosts.ts";
import type { OutsideExpectations } from "./expectations.ts";
import { atPublicHost } from "./public-host.ts";
import { clientFile, delegation } from "./server-name.ts";
import { trustIn } from "./trust.ts";
import { asText, type Warning } from "./warnings.ts";
import { NoAnswer, PATIENCE_MS, theWorld, type World } from "./world.ts";

/** What the internet does not do for a server, as far as this machine can tell: nothing when all is well. */
export async function lookOutside(
    expected: OutsideExpectations,
    patienceMs = PATIENCE_MS,
): Promise<string[]> {
    return look(expected, theWorld(trustIn(expected.authorities, expected.trusted), patienceMs));
}

/** As {@link lookOutside}, in a given world. */
export async function look(expected: OutsideExpectations, world: World): Promise<string[]> {
    const { serverName, publicHost } = expected;
    const [first = [], ...others] = await Promise.all([
        guarded(publicHost, () => atPublicHost(expected, world)),
        guarded(serverName, () => delegation(expected, world)),
        guarded(serverName, () => clientFile(expected, world)),
    ]);
    // Where both are one name the rest could only say the same again.
    const rest = first.length > 0 && serverName === publicHost ? [] : others.flat();
    // One DNS that gives no answer is met more than once.
    const bySubject = new Map([...first, ...rest].map((warning) => [warning.subject, warning]));
    return [...bySubject.values()].map(asText);
}

async function guarded(name: string, ask: () => Promise<Warning[]>): Promise<Warning[]> {
    if (!isPublicName(name)) return [];
    try {
        return await ask();
    } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        return [
            {
                subject: `${name}: the DNS gave no answer, so it is not known what others find there`,
                asked: error.asked,
                got: error.message,
                wanted: "an answer",
                fix: "look at it from a machine that reaches the DNS; is something wrong with the name's own DNS servers?",
            },
        ];
    }
}
