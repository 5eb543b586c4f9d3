import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** So many ports that nothing on this machine listens on right now. */
export async function freePorts(count: number): Promise<number[]> {
    const found = new Set<number>();
    for (let tries = 0; found.size < count && tries < 1000; tries += 1) {
        // Below those that the kernel gives to connections, and Docker to whoever leaves it the choice.
        const port = randomInt(20_000, 32_000);
        if (await isFree(port)) found.add(port);
    }
    return [...found];
}

function isFree(port: number): Promise<boolean> {
    return new Promise((resolve) => {
        const server = createServer();
        server.once("error", () => resolve(false));
        // IPv4 as well.
        server.listen(port, "::", () => server.close(() => resolve(true)));
    });
}
