/** The stack whose resources a URN names. */
interface Stack {
    readonly project: string;
    readonly stack: string;
}

/** The URN that Pulumi's engine would give a resource. */
export function urnOf({ stack, project }: Stack, parent: string, type: string, name: string): string {
    const parentType = parent.split("::")[2] ?? "";
    const qualified =
        parentType === "" || parentType === "pulumi:pulumi:Stack" ? type : `${parentType}$${type}`;
    return `urn:pulumi:${stack}::${project}::${qualified}::${name}`;
}
