import { docker, images, inspect } from "./homeserver.ts";

/** Whole, or not there; two tests at once compile once. */
const SEED = `
    exec 9>>/seed/.lock
    flock 9
    if [ ! -e "/seed/$ID/.complete" ]; then
        PYTHONPYCACHEPREFIX=/seed/$ID python3 -c "import synapse.app.homeserver, synapse.config.__main__"
        chown -R 991:991 "/seed/$ID"
        touch "/seed/$ID/.complete"
    fi
    cp -a "/seed/$ID" /compiled/
    chown 991:991 /compiled`;

/**
 * Gives a stack that is about to be made the compiled files of Synapse, as it would have them from its second
 * deployment on: compiling is what takes the most of a first one, and is the same each time.
 */
export async function seedCompiled(prefix: string, ...labels: string[]): Promise<void> {
    const volume = `${prefix}-compiled`;
    const is = async (name: string) => (await docker("volume", "ls", "-q", "-f", `name=^${name}$`)) !== "";
    if (await is(volume)) return;
    await docker("volume", "create", ...labels.flatMap((label) => ["--label", label]), volume);
    const { synapse = "" } = images;
    const id = (await inspect(synapse, "{{.Id}}")).replace("sha256:", "").slice(0, 12);
    const mounts = ["-v", "synapse-tests-compiled:/seed", "-v", `${volume}:/compiled`];
    const place = ["--rm", "--network=none", "--user=0:0", "-e", `ID=${id}`, "--entrypoint=/bin/sh"];
    await docker("run", ...place, ...mounts, synapse, "-euc", SEED);
}
