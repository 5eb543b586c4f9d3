/**
 * Where a major's data is. The volume holds a folder for each major, so that a new one is made beside the old; it is
 * mounted where the official image declares its own, which moved with 18.
 */
export function layoutOf(major: number): { readonly mount: string; readonly data: string } {
    const mount = major < 18 ? "/var/lib/postgresql/data" : "/var/lib/postgresql";
    return { mount, data: `${mount}/${major}/docker` };
}
