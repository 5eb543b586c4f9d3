import * as pulumi from "@pulumi/pulumi";
import { script } from "./script.ts";

/**
 * Shell script for the machine that runs Pulumi. It fails while the server upgrades its database, which must then not
 * be taken from it. It is another script whenever `reason` is another one.
 */
export function unlessAtWork(container: string, reason: pulumi.Input<string>): pulumi.Output<string> {
    return pulumi.interpolate`SERVER=${container} # ${reason}\n${script(import.meta.url, "at-work.sh")}`;
}
