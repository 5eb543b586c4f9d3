import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../docker/stack.ts";
import type { Appearance, Listener } from "./expectations.ts";

/** What {@link Verification} needs to know. */
export interface VerificationArgs {
    /** How the world is to see the server. */
    readonly appearance: { readonly [Key in keyof Appearance]: Wrapped<Appearance[Key]> };
    /** The ports that it is published on. */
    readonly listeners: pulumi.Input<Listener[]>;
    /** As the generation run recorded it: `ed25519:a_AbCd <base64>`. */
    readonly verifyKey: pulumi.Input<string>;
    /** Synapse's container. */
    readonly container: string;
    /** Whether Synapse logs each request: level INFO or DEBUG. */
    readonly logsRequests: boolean;
    /** Whatever makes it worth asking again: the containers' ids. */
    readonly changes: readonly pulumi.Input<string>[];
    readonly stack: Stack;
}

type Wrapped<T> = [T] extends [readonly string[]] ? readonly pulumi.Input<string>[] : pulumi.Input<T>;

/**
 * Asks the running server from outside, at every address and port that it is published on. A deployment succeeds only
 * when the server works; otherwise it fails with what was asked, what came back and where to look.
 */
export class Verification extends pulumi.ComponentResource {
    /** One line for each thing that was verified. */
    readonly report: pulumi.Output<string>;

    constructor(name: string, args: VerificationArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:Verification", name, {}, opts);
        const { appearance, changes, stack, ...others } = args;
        const questions = new command.local.Command(
            `${name}-questions`,
            {
                create: "exec node --import tsx scripts/verify.ts",
                environment: {
                    ...stack.environment,
                    EXPECTATIONS: pulumi.jsonStringify({ ...appearance, ...others }),
                    CHANGES: pulumi.output(changes).apply((values) => values.join(" ")),
                },
                addPreviousOutputInEnv: false,
                logging: "stderr",
            },
            { parent: this },
        );
        this.report = questions.stdout;
        this.registerOutputs({ report: this.report });
    }
}
