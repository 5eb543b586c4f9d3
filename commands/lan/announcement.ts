import { renderUnicodeCompact } from "uqr";

export interface AnnouncementArgs {
    readonly stack: string;
    readonly clientUrl: string;
    readonly serverName: string;
    /** SHA-256 of the CA's certificate. */
    readonly fingerprint: string;
    readonly address: string;
    /** The interface that has the address. */
    readonly network: string;
    readonly pageUrl: string;
    /** Whether the terminal knows colours: a code in its own may be dark where it should be light. */
    readonly colours: boolean;
}

/** What is printed once a server is on the network, a line each. */
export function announcement(args: AnnouncementArgs): string[] {
    const { stack, clientUrl, serverName, fingerprint, address, network, pageUrl, colours } = args;
    return [
        "",
        `On the network, until the next \`npm start\` without --lan: ${clientUrl}`,
        `  ${address} is this machine's address on ${network}; it answers on all of its other networks as well.`,
        `  Users are called @alice:${serverName} (${command("user", stack, "add alice")}): a server's name can never change.`,
        ...(serverName === "localhost"
            ? [
                  "  Every machine is localhost to itself, so other servers do not find this one: no federation.",
              ]
            : []),
        `  Its private CA certifies ${address} and ${serverName}. It is another one than without --lan: who trusts that`,
        `  one has to trust this one too (${command("trust", stack)}), which takes the place of that one on this machine:`,
        `  run it again after the next \`npm start\` without --lan.`,
        "",
        `For a phone: ${pageUrl}`,
        ...qrCode(pageUrl, colours),
        "That page comes unencrypted, so a certificate could be replaced on its way. Before the phone trusts it, compare",
        "what the phone shows of it with the CA's fingerprint, SHA-256:",
        `  ${fingerprint}`,
        "Ctrl-C ends the page; the server stays.",
    ];
}

/** What is printed when the page ends. */
export function farewell(stack: string): string {
    const option = stack === "local" ? "" : ` -- --stack ${stack}`;
    return (
        "The page is gone. The server is still on the network: " +
        `\`npm start${option}\` takes it back to this machine, \`npm stop${option}\` stops it.`
    );
}

function qrCode(text: string, colours: boolean): string[] {
    const lines = renderUnicodeCompact(text, { border: 2 }).split("\n");
    return colours ? lines.map((line) => `\u001b[97;40m${line}\u001b[0m`) : lines;
}

function command(script: string, stack: string, ...words: readonly string[]): string {
    const options = [...words, ...(stack === "local" ? [] : [`--stack ${stack}`])];
    return `npm run ${script}${options.length === 0 ? "" : ` -- ${options.join(" ")}`}`;
}
