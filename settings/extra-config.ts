import type { FieldFault } from "./faults.ts";
import { homeserverOptions, isOwned } from "./homeserver-options.ts";
import { type SecretOption, secretOptions } from "./secret-options.ts";

/** Options that anybody who sees a preview may see. */
export const extraConfig = homeserverOptions
    .superRefine((options, context) => {
        for (const secret of secretOptions(options)) {
            if (isOwned(String(secret.path[0]))) continue;
            context.addIssue({
                code: "custom",
                path: [...secret.path],
                message: "no secret: previews show extraConfig",
                params: { fix: instead(secret) },
                input: "(a value)",
            });
        }
    })
    .default({})
    .describe("Any other option of homeserver.yaml, merged deeply over what the program renders.");

function instead({ path, fileForm }: SecretOption): string {
    const file = fileForm === undefined ? "" : `, or use ${fileForm} with a file on the data volume`;
    // A list is in one place as a whole.
    const inList = path.findIndex((part) => typeof part === "number");
    const place = path.slice(0, inList === -1 ? undefined : inList).join(".");
    const move =
        inList === -1
            ? `pulumi config set --secret --path synapse:secretConfig.${place}, and remove it here`
            : `move the whole list to synapse:secretConfig.${place}, with --secret`;
    return move + file;
}

/** Pulumi would hide it all, and the program could show none of it. */
export const ENCRYPTED_EXTRA_CONFIG: FieldFault = {
    key: "extraConfig",
    got: "a secret",
    wanted: "plain values: they are rendered into homeserver.yaml, which previews show",
    fix: "move what is secret to synapse:secretConfig, and set the rest without --secret",
};
