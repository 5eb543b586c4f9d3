import { isIP } from "node:net";
import type { Route } from "./discovery.ts";
import type { OutsideExpectations } from "./expectations.ts";
import { printable } from "./printable.ts";

/** Something that only the outside can mend. */
export interface Warning {
    /** What it is about, and what follows from it. */
    readonly subject: string;
    readonly asked: string;
    readonly got: string;
    readonly wanted: string;
    readonly fix: string;
}

export function asText({ subject, asked, got, wanted, fix }: Warning): string {
    return printable(
        `${subject}.\n  asked:  ${asked}\n  got:    ${got}\n  wanted: ${wanted}\n  fix:    ${fix}`,
    );
}

/** Of an address that the host's name leads to. */
export function unreachable(
    { behind, clientPort, federationPort, publicHost, publishesIpv6 }: OutsideExpectations,
    address: string,
    reasons: readonly string[],
): Warning {
    const ports = [...new Set([clientPort, federationPort ?? clientPort])].join(" and ");
    const record = `${publicHost}. ${isIP(address) === 6 ? "AAAA" : "A"} ${address}`;
    const late = reasons.some((reason) => reason.endsWith("no answer in time"))
        ? " (Some routers do not lead their own address back inside: then try it from elsewhere.)"
        : "";
    return {
        subject: `${publicHost}: whoever is led to ${address} does not reach this server`,
        asked: `${address}, the ports ${ports}, as others would`,
        got: reasons.join("; "),
        wanted: "this server, with a certificate for that name",
        fix: mend(),
    };

    function mend(): string {
        if (isIP(address) === 6 && !publishesIpv6)
            return `remove the DNS record  ${record}, or publish on IPv6 (synapse:listenAddresses.public)`;
        const here =
            behind === undefined
                ? "the Docker host, let these ports through to it"
                : `your proxy, let it pass all of /_matrix, /_synapse/client and /.well-known/matrix there on to http://${behind}, with a trusted certificate`;
        return `if that is ${here}; otherwise correct the DNS record  ${record}${late}`;
    }
}

/** Of the way from the server's name to this server. */
export function delegationWarning(
    { federationAddress, publicHost, serverName }: OutsideExpectations,
    route: Route,
    reasons: readonly string[],
): Warning {
    const url = `https://${serverName}/.well-known/matrix/server`;
    const file = `{"m.server":"${federationAddress}"}`;
    const next = route.delegated === undefined ? `then ${route.destination}` : route.destination;
    return {
        subject: `${serverName}: other servers do not find this server, so there is no federation`,
        asked: `${url}, ${next}`,
        got: [route.delegated === undefined ? route.fault : `it names ${route.delegated}`, ...reasons].join(
            "; ",
        ),
        wanted: file,
        fix: fixOf(serverName, publicHost, "/.well-known/matrix/server", file),
    };
}

/** Of the file that tells clients where the server is. */
export function clientFileWarning(
    { clientUrl, publicHost, serverName }: OutsideExpectations,
    got: string,
): Warning {
    const file = `{"m.homeserver":{"base_url":"${clientUrl}"}}`;
    return {
        subject: `${serverName}: clients that are told this name alone do not find the server`,
        asked: `https://${serverName}/.well-known/matrix/client`,
        got,
        wanted: `${file}, with the header Access-Control-Allow-Origin: *`,
        fix: fixOf(serverName, publicHost, "/.well-known/matrix/client", file),
    };
}

function fixOf(serverName: string, publicHost: string, path: string, file: string): string {
    if (serverName === publicHost)
        return `lead port 443 of ${serverName} to this server, or serve there the file ${path} with the content ${file}`;
    return (
        `let the web server of ${serverName} serve the file ${path} with the content ${file}; ` +
        `or lead the name here too, by the same DNS records as ${publicHost}, ` +
        `and add it to the certificate (in mode acme: synapse:tls.names; of a proxy of your own: there)`
    );
}
