/** What is said of the engine's stacks to those who type npm's commands. */

/** Where nothing is known of a stack. */
export function noSuchStack(stack: string, command: "down" | "output"): string {
    const pulumi = command === "down" ? "pulumi destroy" : "pulumi stack output";
    return (
        `there is no stack ${stack} of \`npm start\` here. ` +
        `If Pulumi made it: \`${pulumi} --stack ${stack}\``
    );
}

/** What `npm stop` has left, and how that goes. */
export function kept(names: readonly string[], stack: string): string {
    const whose = stack === "local" ? "" : ` --stack ${stack}`;
    return `Kept, as they hold data: ${names.join(", ")}. \`npm stop --${whose} --volumes\` removes them.`;
}
