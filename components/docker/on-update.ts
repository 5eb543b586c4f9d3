import * as pulumi from "@pulumi/pulumi";

/** A hook of a task, for previews and runs: refuses what the variables of the last one and of the next say together. */
export function onUpdate(
    name: string,
    refusalOf: (
        before: Readonly<Record<string, unknown>>,
        after: Readonly<Record<string, unknown>>,
    ) => string | undefined,
): pulumi.ResourceHookBinding {
    const hook = new pulumi.ResourceHook(
        name,
        ({ oldInputs, newInputs }) => {
            const refusal = refusalOf(environmentOf(oldInputs), environmentOf(newInputs));
            if (refusal !== undefined) throw new pulumi.RunError(refusal);
        },
        { onDryRun: true },
    );
    return { beforeUpdate: [hook] };
}

function environmentOf(inputs: Record<string, unknown> | undefined): Readonly<Record<string, unknown>> {
    return (inputs?.environment ?? {}) as Readonly<Record<string, unknown>>;
}
