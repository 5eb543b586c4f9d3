import { join } from "node:path";
import Docker from "dockerode";
import { build } from "../../images/build.ts";
import { present } from "../../images/docker.ts";
import { ensureImages } from "../../images/ensure.ts";
import { hashOfFolder } from "../../images/recipes.ts";
import { used } from "./image-commands.ts";

const FOLDER = join(import.meta.dirname, "../live/fixtures/postgres-older");

/** PostgreSQL's image of an older major than the program's own. */
export const OLDER_MAJOR = 15;

/** Makes sure that it is there, and returns its reference. */
export async function olderPostgres(): Promise<string> {
    const { tag: base, isEquivalent } = used("postgres");
    const name = `postgres-${OLDER_MAJOR}`;
    if (!isEquivalent) {
        const found = await ensureImages({ [name]: `postgres:${OLDER_MAJOR}-trixie` }, () => {});
        return found[name] ?? "";
    }
    const docker = new Docker();
    const tag = `synapse-equivalent-test/${name}:${hashOfFolder(FOLDER, base)}`;
    const recipe = { name, folder: FOLDER, version: String(OLDER_MAJOR), base, tag };
    if (!(await present(docker, tag))) await build(docker, recipe, () => {});
    return tag;
}
