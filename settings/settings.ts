import { completeDatabase, type Database } from "./database.ts";
import { completeImages, type Images } from "./images.ts";
import { completeListenAddresses, type ListenAddresses } from "./listen-addresses.ts";
import { standardName } from "./name.ts";
import { completePorts, type Ports } from "./ports.ts";
import { completePublicHost } from "./public-host.ts";
import type { Given } from "./schema.ts";

/** The stack's settings: checked, with every default filled in. */
export interface Settings
    extends Omit<Given, "name" | "ports" | "publicHost" | "images" | "listenAddresses" | "database"> {
    /** Prefix of every Docker object of this stack. */
    readonly name: string;
    /** Host name that clients and servers connect to. */
    readonly publicHost: string;
    readonly database: Database;
    /** Whether somebody wrote where the data is to be: a server's data is moved only then. */
    readonly databaseChosen: boolean;
    readonly images: Images;
    readonly ports: Ports;
    readonly listenAddresses: ListenAddresses;
}

/** Fills in the defaults that depend on other settings, on the stack, or on how the server is called. */
export function complete(stack: string, given: Given, name = "synapse"): Settings {
    return {
        ...given,
        name: given.name ?? standardName(name, stack),
        publicHost: completePublicHost(given),
        database: completeDatabase(given),
        databaseChosen: given.database !== undefined,
        images: completeImages(given),
        ports: completePorts(given),
        listenAddresses: completeListenAddresses(given),
    };
}
