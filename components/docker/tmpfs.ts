/** Docker's notation for directories in memory: path → size in MiB becomes path → mount options. */
export function tmpfsOf(sizes: Readonly<Record<string, number>>, owner: string): Record<string, string> {
    const [uid, gid] = owner.split(":");
    // `mode` is ignored over a path that the image has; without `uid` the directory would be root's.
    return Object.fromEntries(
        Object.entries(sizes).map(([path, mebibytes]) => [
            path,
            `rw,size=${mebibytes}m,uid=${uid},gid=${gid}`,
        ]),
    );
}
