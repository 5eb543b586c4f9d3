import { parseArgs } from "node:util";
import { afterwards } from "../components/verification/afterwards.ts";
import { placeOf } from "../components/verification/place.ts";
import { verify } from "../components/verification/verify.ts";
import { isPublicName } from "../hosts.ts";
import { carryOut } from "./failure.ts";
import { findServer, STACK_OPTION } from "./server.ts";
import { findQuestions } from "./verify/expectations.ts";
import { inWords, type Report } from "./verify/report.ts";

const USAGE = `Asks a stack's running server anew what \`up\` asked it. The exit code is 1 when something does not hold.

  npm run verify -- [--stack NAME] [--json]
`;

/** It is up already: what it does not answer by then is no matter of starting. */
const PATIENCE_MS = 5_000;

const NOT_LOOKED_AT =
    "Not asked: what the internet does for it (DNS, delegation, firewalls). " +
    "`pulumi preview` or `npm start` says that; these are the last `up`'s warnings.";

await carryOut({ usage: USAGE, run: verifyAgain });

async function verifyAgain(args: readonly string[]): Promise<number> {
    const options = { ...STACK_OPTION, json: { type: "boolean", default: false } } as const;
    const { values } = parseArgs({ args: [...args], options });
    const report = await reportOn(values.stack);
    process.stdout.write(`${values.json ? JSON.stringify(report, null, 2) : inWords(report)}\n`);
    return report.failures.length === 0 ? 0 : 1;
}

async function reportOn(stack: string): Promise<Report> {
    const server = await findServer(stack);
    const { expected, environment } = await findQuestions(server);
    // The questions' docker client takes these from its environment, as in an `up`.
    Object.assign(process.env, environment);
    const dockerHost = process.env.DOCKER_HOST;
    const [{ holds, notes, failures }, { certificateExpiry }] = await Promise.all([
        verify(expected, await placeOf(dockerHost), PATIENCE_MS),
        // What is expected of the internet is in no state.
        afterwards(expected, null, dockerHost),
    ]);
    const isPublic = [expected.publicHost, expected.serverName].some(isPublicName);
    return {
        stack,
        clientUrl: server.clientUrl,
        holds,
        failures,
        notes: isPublic ? [...notes, NOT_LOOKED_AT] : notes,
        certificateExpiry,
        warnings: server.warnings,
    };
}
