import { join } from "node:path";
import Docker from "dockerode";
import { eventsOf } from "../../images/docker.ts";
import { hashOfFolder } from "../../images/recipes.ts";
import { images } from "./homeserver.ts";

const FOLDER = join(import.meta.dirname, "../live/fixtures/dns-challtestsrv");

/** certbot's image with the DNS plugin `challtestsrv`. Returns its reference. */
export async function certbotWithDnsPlugin(): Promise<string> {
    const tag = `synapse-equivalent-test/certbot-dns-challtestsrv:${hashOfFolder(FOLDER, images.certbot)}`;
    const docker = new Docker();
    const source = {
        context: FOLDER,
        src: ["Dockerfile", "certbot_dns_challtestsrv.py", "certbot_dns_challtestsrv-1.0.dist-info"],
    };
    const events = await docker.buildImage(source, { t: tag, buildargs: { CERTBOT: images.certbot ?? "" } });
    for await (const { error } of eventsOf(events)) if (error !== undefined) throw new Error(error);
    return tag;
}
