import { join } from "node:path";
import { aliasOf, forgetting, JAVA } from "./java.ts";

/** What matters of a machine. */
export interface Facts {
    readonly platform: NodeJS.Platform;
    readonly isRoot: boolean;
    readonly home: string;
    /** Whether there is such a program on PATH. */
    readonly hasProgram: (name: string) => boolean;
    readonly exists: (path: string) => boolean;
    /** Whether the keystore that Debian makes for Java has a certificate of this name. */
    readonly javaTrusts: (alias: string) => boolean;
    /** Directories of Firefox's profiles. */
    readonly firefoxProfiles: readonly string[];
}

/** The CA's certificate on this machine. */
export interface Ca {
    /** What stores call it: differs between stacks, and not between the CAs that one stack has had. */
    readonly name: string;
    /** PEM. */
    readonly file: string;
    /** SHA-1 of the certificate in hexadecimal, by which macOS finds it. */
    readonly sha1: string;
}

/** A program and its arguments. */
export interface Call {
    readonly argv: readonly [string, ...string[]];
    /** It fails where there is nothing for it to do. */
    readonly mayFail?: true;
}

/** What is done together, or not at all. */
export interface Step {
    readonly store: string;
    readonly calls: readonly Call[];
}

export interface Plan {
    readonly steps: readonly Step[];
    /** What cannot be done here, and what would help. */
    readonly impossible: readonly string[];
}

/** A system's own store: where its certificates are put, and what takes them up from there. */
interface SystemStore {
    readonly directory: string;
    readonly suffix: string;
    readonly update: readonly [string, ...string[]];
    readonly updateAfterRemoval: readonly [string, ...string[]];
}

const SYSTEM_STORES: readonly SystemStore[] = [
    {
        directory: "/usr/local/share/ca-certificates",
        suffix: ".crt",
        update: ["update-ca-certificates"],
        // Without it the links to what is gone would stay.
        updateAfterRemoval: ["update-ca-certificates", "--fresh"],
    },
    {
        directory: "/etc/pki/ca-trust/source/anchors",
        suffix: ".pem",
        update: ["update-ca-trust"],
        updateAfterRemoval: ["update-ca-trust"],
    },
];

const SYSTEM = "the system's store, for curl and most programs";
const CHROMIUMS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** What has this machine trust the CA. */
export function planTrust(facts: Facts, ca: Ca): Plan {
    if (facts.platform === "darwin") {
        const add = [
            "security",
            "add-trusted-cert",
            "-r",
            "trustRoot",
            "-k",
            keychain(facts),
            ca.file,
        ] as const;
        return { steps: [{ store: "your login keychain", calls: [{ argv: add }] }], impossible: [] };
    }
    const store = systemStore(facts);
    const system =
        store && asRoot(facts, SYSTEM, [["install", "-m", "0644", ca.file, pathIn(store, ca)], store.update]);
    return combined(facts, [system ?? NO_STORE], (directory) => [
        ...(facts.exists(join(directory, "cert9.db"))
            ? [remove(directory, ca)]
            : [
                  { argv: ["mkdir", "-p", directory] as const },
                  { argv: ["certutil", "-d", `sql:${directory}`, "-N", "--empty-password"] as const },
              ]),
        { argv: ["certutil", "-d", `sql:${directory}`, "-A", "-t", "C,,", "-n", ca.name, "-i", ca.file] },
    ]);
}

/** What undoes {@link planTrust}. */
export function planUntrust(facts: Facts, ca: Ca): Plan {
    if (facts.platform === "darwin") {
        const calls: Call[] = [
            { argv: ["security", "remove-trusted-cert", ca.file], mayFail: true },
            { argv: ["security", "delete-certificate", "-Z", ca.sha1, keychain(facts)], mayFail: true },
        ];
        return { steps: [{ store: "your login keychain", calls }], impossible: [] };
    }
    const store = systemStore(facts);
    const isThere = store !== undefined && facts.exists(pathIn(store, ca));
    const system = isThere
        ? asRoot(facts, SYSTEM, [["rm", "-f", pathIn(store, ca)], store.updateAfterRemoval])
        : NOTHING;
    const java = facts.javaTrusts(aliasOf(ca)) ? asRoot(facts, JAVA, [forgetting(ca)]) : NOTHING;
    return combined(facts, [system, java], (directory) =>
        facts.exists(join(directory, "cert9.db")) ? [remove(directory, ca)] : [],
    );
}

const NOTHING: Plan = { steps: [], impossible: [] };
const NO_STORE: Plan = {
    steps: [],
    impossible: [`${SYSTEM}: there is neither update-ca-certificates nor update-ca-trust here`],
};

/** @param shared what is to be done in the stores that root alone changes. */
function combined(
    facts: Facts,
    shared: readonly Plan[],
    callsFor: (directory: string) => readonly Call[],
): Plan {
    const browsers = browserStores(facts)
        .map(({ store, directory }) => ({ store, calls: callsFor(directory) }))
        .filter(({ calls }) => calls.length > 0);
    const canUse = facts.hasProgram("certutil");
    return {
        steps: [...shared.flatMap(({ steps }) => steps), ...(canUse ? browsers : [])],
        impossible: [
            ...shared.flatMap(({ impossible }) => impossible),
            ...(canUse
                ? []
                : browsers.map(
                      ({ store }) =>
                          `${store}: there is no certutil (Debian: libnss3-tools, Fedora: nss-tools)`,
                  )),
        ],
    };
}

function asRoot(facts: Facts, store: string, commands: readonly Call["argv"][]): Plan {
    if (facts.isRoot)
        return { steps: [{ store, calls: commands.map((argv) => ({ argv })) }], impossible: [] };
    if (facts.hasProgram("sudo")) {
        return {
            steps: [{ store, calls: commands.map((argv) => ({ argv: ["sudo", ...argv] })) }],
            impossible: [],
        };
    }
    const typed = commands.map((argv) => argv.join(" ")).join(" && ");
    return { steps: [], impossible: [`${store}: it needs root, and there is no sudo. As root: ${typed}`] };
}

function systemStore({ exists, hasProgram }: Facts): SystemStore | undefined {
    return SYSTEM_STORES.find(({ directory, update }) => hasProgram(update[0]) && exists(directory));
}

function pathIn({ directory, suffix }: SystemStore, { name }: Ca): string {
    return join(directory, name + suffix);
}

/** Browsers have stores of their own on Linux. */
function browserStores({ home, exists, hasProgram, firefoxProfiles }: Facts) {
    const shared = join(home, ".pki/nssdb");
    const snap = join(home, "snap/chromium/current/.pki/nssdb");
    const hasChromium = exists(join(shared, "cert9.db")) || CHROMIUMS.some(hasProgram);
    return [
        ...(hasChromium ? [{ store: "the store of Chromium and Chrome", directory: shared }] : []),
        ...(exists(join(snap, "cert9.db"))
            ? [{ store: "the store of Chromium's snap", directory: snap }]
            : []),
        ...firefoxProfiles.map((directory) => ({ store: `Firefox's profile ${directory}`, directory })),
    ];
}

/** An older CA of the stack has the same name: beside it the new one would not be told apart. */
function remove(directory: string, { name }: Ca): Call {
    return { argv: ["certutil", "-d", `sql:${directory}`, "-D", "-n", name], mayFail: true };
}

function keychain({ home }: Facts): string {
    return join(home, "Library/Keychains/login.keychain-db");
}
