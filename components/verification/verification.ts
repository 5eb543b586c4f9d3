import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { pathOf } from "../docker/script.ts";
import type { Stack } from "../docker/stack.ts";
import type { Aftermath } from "./afterwards.ts";
import type { Expectations, OutsideExpectations } from "./expectations.ts";
import { lookOutside } from "./outside.ts";

/** What {@link Verification} needs to know. */
export interface VerificationArgs {
    /** What the server must answer. */
    readonly expectations: pulumi.Input<Expectations>;
    /** What the internet is to do for the server; it is not looked at when undefined, as for a private server. */
    readonly outside: Omit<OutsideExpectations, "verifyKey"> | undefined;
    /** How long the server may take to start, beside upgrades of its database. */
    readonly startSeconds: number;
    /** Whatever makes it worth asking again: the containers' ids. */
    readonly changes: readonly pulumi.Input<string>[];
    readonly stack: Stack;
}

/**
 * Asks the running server from outside, at every address and port that it is published on. A deployment succeeds only
 * when the server works; otherwise it fails with what was asked, what came back and where to look. What only the
 * internet can mend (DNS, delegation, firewalls) is a warning.
 */
export class Verification extends pulumi.ComponentResource {
    /** One line for each thing that was verified. */
    readonly verified: pulumi.Output<string[]>;
    /** What it answered in this very run, one line each. */
    readonly answered: pulumi.Output<readonly string[]>;
    /** What the internet does not do for the server, and how that is mended. */
    readonly warnings: pulumi.Output<readonly string[]>;
    /** End of the certificate that is served, ISO 8601; null without one. */
    readonly certificateExpiry: pulumi.Output<string | null>;

    constructor(name: string, args: VerificationArgs, opts?: pulumi.ComponentResourceOptions) {
        super("synapse:index:Verification", name, {}, opts);
        const { changes, outside, stack } = args;
        const expectations = pulumi.output(args.expectations);
        const questions = new command.local.Command(
            `${name}-questions`,
            {
                create: run("run-verify.ts"),
                environment: {
                    ...stack.environment,
                    EXPECTATIONS: pulumi.jsonStringify(expectations),
                    CHANGES: pulumi.output(changes).apply((values) => values.join(" ")),
                },
                addPreviousOutputInEnv: false,
                logging: "stderr",
            },
            { parent: this, ...(outside && { hooks: previewLook(name, outside, this) }) },
        );
        const aftermath = lookAfter(questions, expectations, args, this);
        this.verified = questions.stdout.apply((printed) =>
            printed.split("\n").filter((line) => line !== ""),
        );
        this.answered = aftermath.apply(({ holds }) => holds);
        this.warnings = aftermath.apply(({ warnings }) => warnings);
        this.certificateExpiry = aftermath.apply(({ certificateExpiry }) => certificateExpiry);
        this.registerOutputs({
            verified: this.verified,
            warnings: this.warnings,
            certificateExpiry: this.certificateExpiry,
        });
    }
}

/** Runs a program of this directory. */
function run(file: string): string {
    return `exec node ${pathOf(import.meta.url, file)}`;
}

/**
 * Looks at the server and at the internet at each preview and `up`, and so by a function: a command would say what was
 * so when the containers last changed. An `up` fails when the server does not work, though there was nothing to do;
 * a preview, which may be the way to mend it and is not to be slow, warns of it. Where a preview cannot know it yet, since the server is to change, this does nothing.
 */
function lookAfter(
    questions: command.local.Command,
    expectations: pulumi.Output<Expectations>,
    { outside, stack, startSeconds }: VerificationArgs,
    parent: pulumi.Resource,
): pulumi.Output<Aftermath> {
    const { stdout } = command.local.runOutput(
        {
            command: run("run-afterwards.ts"),
            environment: {
                ...stack.environment,
                ...(pulumi.runtime.isDryRun()
                    ? { PATIENCE_MS: "4000", START_MS: "0" }
                    : { PATIENCE_MS: "30000", START_MS: String(startSeconds * 1000) }),
                // What waits for the answers is not known before them.
                EXPECTATIONS: pulumi
                    .all([pulumi.jsonStringify(expectations), questions.stdout])
                    .apply(([text]) => text),
                OUTSIDE:
                    outside === undefined
                        ? "null"
                        : pulumi.jsonStringify(
                              expectations.apply(({ authorities, verifyKey }) => ({
                                  ...outside,
                                  authorities,
                                  verifyKey,
                              })),
                          ),
            },
            addPreviousOutputInEnv: false,
            logging: "none",
        },
        { parent },
    );
    return stdout.apply((text) => {
        const aftermath = JSON.parse(text) as Aftermath;
        for (const warning of aftermath.warnings) void pulumi.log.warn(warning, parent);
        if (aftermath.failures.length > 0) {
            const failure = ["the server does not work", ...aftermath.failures, ADVICE].join("\n");
            if (!pulumi.runtime.isDryRun()) throw new pulumi.RunError(failure);
            void pulumi.log.warn(failure, parent);
        }
        return aftermath;
    });
}

const ADVICE =
    "Containers that were stopped or removed, or were given other ports, are mended by pulumi up --refresh; " +
    "anything else is in their logs.";

/** In a preview of a server that is to change, what can be seen without it: the DNS and others' web servers. */
function previewLook(
    name: string,
    expectations: OutsideExpectations,
    resource: pulumi.Resource,
): pulumi.ResourceHookBinding {
    const hook = new pulumi.ResourceHook(
        `${name}-outside`,
        async () => {
            if (!pulumi.runtime.isDryRun()) return;
            for (const warning of await lookOutside(expectations)) await pulumi.log.warn(warning, resource);
        },
        { onDryRun: true },
    );
    return { beforeCreate: [hook], beforeUpdate: [hook] };
}
