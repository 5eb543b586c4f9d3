import { completeImages, type Images } from "./images.ts";
import { completeListenAddresses, type ListenAddresses } from "./listen-addresses.ts";
import { standardName } from "./name.ts";
import { completePorts, type Ports } from "./ports.ts";
import { completePublicHost } from "./public-host.ts";
import type { Given } from "./schema.ts";

/** The stack's settings: checked, with every default filled in. */
export interface Settings
    extends Omit<Given, "name" | "ports" | "publicHost" | "images" | "listenAddresses"> {
    /** Prefix of every Docker object of this stack. */
    readonly name: string;
    /** Host name that clients and servers connect to. */
    readonly publicHost: string;
    readonly images: Images;
    readonly ports: Ports;
    readonly listenAddresses: ListenAddresses;
}

/** Fills in the defaults that depend on other settings, or on the stack. */
export function complete(stack: string, given: Given): Settings {
    return {
        ...given,
        name: given.name ?? standardName(stack),
        publicHost: completePublicHost(given),
        images: completeImages(given),
        ports: completePorts(given),
        listenAddresses: completeListenAddresses(given),
    };
}
