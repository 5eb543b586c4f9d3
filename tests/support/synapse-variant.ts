import { join } from "node:path";
import Docker from "dockerode";
import { eventsOf } from "../../images/docker.ts";
import { hashOfFolder } from "../../images/recipes.ts";
import { images } from "./homeserver.ts";

const FOLDER = join(import.meta.dirname, "../live/fixtures/synapse-variant");

/** A Synapse that differs as `variant.sh` says. Returns the image's reference. */
export async function synapseVariant(variant: "broken" | "newer" | "slow" | "old"): Promise<string> {
    const tag = `synapse-equivalent-test/synapse-${variant}:${hashOfFolder(FOLDER, images.synapse)}`;
    const docker = new Docker();
    const source = { context: FOLDER, src: ["Dockerfile", "variant.sh"] };
    const buildargs = { SYNAPSE: images.synapse ?? "", VARIANT: variant };
    const events = await docker.buildImage(source, { t: tag, buildargs });
    for await (const { error } of eventsOf(events)) if (error !== undefined) throw new Error(error);
    return tag;
}
