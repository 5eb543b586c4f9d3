import { carryOut } from "../failure.ts";
import { parseArguments, USAGE } from "./arguments.ts";

await carryOut({ usage: USAGE, run: key });

async function key(args: readonly string[]): Promise<number> {
    const action = parseArguments(args);
    switch (action.kind) {
        case "export":
            await (await import("./export.ts")).exportKey(action);
            break;
        case "import":
            await (await import("./import.ts")).importKey(action);
            break;
        case "rotate":
            await (await import("./rotate.ts")).explainRotation(action);
            break;
    }
    return 0;
}
