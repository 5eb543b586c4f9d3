import type { Deployment } from "../support/deployment.ts";
import { freePorts } from "../support/ports.ts";
import type { Ports } from "./by-hand.ts";

/** A Ctrl-C in a terminal also reaches a removal that is under way: it is begun again. */
export async function removed(server: Deployment): Promise<void> {
    for (let tries = 0; tries < 3; tries++) if ((await server.down()).code === 0) break;
    await server.destroy();
}

/** Ports for one of the compared servers. */
export async function somePorts(): Promise<Ports> {
    const [http = 0, https = 0, federation = 0, synapse = 0] = await freePorts(4);
    return { http, https, federation, synapse };
}
