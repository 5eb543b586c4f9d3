import { ownConfig, type Project, qualified, readConfig } from "./config.ts";
import type { Values } from "./inputs.ts";

/** The project's own settings by bare key, as the program reads them: strings, or JSON. */
export type OwnConfig = Readonly<Record<string, string>>;

export interface ConfigArgs {
    readonly project: Project;
    readonly stack: string;
    /** Settings that come before those of `Pulumi.<stack>.yaml`, which need not be there then. */
    readonly overrides: Values | undefined;
    /**
     * Which of the project's own settings the program is told are secret. This engine knows of no encryption, so all
     * are given in the clear.
     *
     * @default - None.
     */
    readonly secretKeys?: (config: OwnConfig) => readonly string[];
    /**
     * What is to be done before the program runs. Returns settings that take the place of those given.
     *
     * @default - Nothing.
     */
    readonly prepare?: (config: OwnConfig, isSecret: (key: string) => boolean) => Promise<Values>;
}

/** What the program is configured with, by fully qualified key, and the keys of what is secret of it. */
export async function configOf({ project, stack, overrides, secretKeys = () => [], prepare }: ConfigArgs) {
    const given = readConfig(project, stack, overrides);
    const own = ownConfig(project.name, given);
    const secret = secretKeys(own);
    const prepared = (await prepare?.(own, (key) => secret.includes(key))) ?? {};
    const qualify = (key: string) => qualified(project.name, key);
    const changed = Object.entries(prepared).map(([key, value]) => [qualify(key), value] as const);
    return { config: { ...given, ...Object.fromEntries(changed) }, secretKeys: secret.map(qualify) };
}
