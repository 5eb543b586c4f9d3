import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../docker/stack.ts";
import type { Expectations } from "./expectations.ts";

/** What {@link Verification} needs to know. */
export interface VerificationArgs {
    /** What the server must answer. */
    readonly expectations: { readonly [Key in keyof Expectations]: pulumi.Input<Expectations[Key]> };
    /** Whatever makes it worth asking again: the containers' ids. */
    readonly changes: readonly pulumi.Input<string>[];
    readonly stack: Stack;
}

/**
 * Asks the running server from outside, through its published ports. A deployment succeeds only when the server
 * works; otherwise it fails with what was asked, what came back and where to look.
 */
export class Verification extends pulumi.ComponentResource {
    /** One line for each thing that was verified. */
    readonly report: pulumi.Output<string>;

    constructor(name: string, args: VerificationArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:Verification", name, {}, opts);
        const questions = new command.local.Command(
            `${name}-questions`,
            {
                create: "exec node --import tsx scripts/verify.ts",
                environment: {
                    ...args.stack.environment,
                    EXPECTATIONS: pulumi.jsonStringify(args.expectations),
                    CHANGES: pulumi.output(args.changes).apply((changes) => changes.join(" ")),
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
