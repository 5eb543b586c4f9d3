import { clientAuthority } from "./authority.ts";
import type { NginxConfArgs } from "./conf-args.ts";
import { regexQuoted } from "./quote.ts";

/** What is added to each document; the last one is served only if there is such. */
export interface WellKnownArgs {
    readonly client: Members;
    readonly server: Members;
    readonly support?: Members | undefined;
}

type Members = Readonly<Record<string, unknown>>;
type Args = Pick<NginxConfArgs, "federation" | "federationPort" | "httpsPort" | "publicHost" | "wellKnown">;

/** Variables for what only the client knows: the port that Docker picked, for clients and perhaps for servers. */
export function wellKnownMaps(args: NginxConfArgs): string {
    const { httpsPort, publicHost } = args;
    const asAsked = `"~^${regexQuoted(publicHost)}:[0-9]+$" $http_host;`;
    const servers = `map $http_host $server_authority {
    default "${publicHost}:443";
    ${asAsked}
}`;
    return `# Where Docker picked the port, only the client knows it.
map $http_host $client_authority {
    default "${clientAuthority(args)}";
${httpsPort === undefined ? `    ${asAsked}\n` : ""}}
${isPickedPort(args) ? servers : ""}`;
}

/** The documents below /.well-known/matrix, each as a location. */
export function wellKnownLocations(args: Args): string {
    const { client, server, support } = args.wellKnown;
    return [
        location("client", ['"m.homeserver":{"base_url":"https://$client_authority"}', ...membersOf(client)]),
        ...(args.federation === "off"
            ? []
            : [location("server", [`"m.server":"${federationAuthority(args)}"`, ...membersOf(server)])]),
        ...(support === undefined ? [] : [location("support", membersOf(support))]),
    ].join("\n");
}

function location(document: string, members: readonly string[]): string {
    return `location = /.well-known/matrix/${document} {
    default_type application/json;
    return 200 '{${members.join()}}';
}`;
}

function federationAuthority(args: Args): string {
    if (args.federation === "apart") return `${args.publicHost}:${args.federationPort ?? 8448}`;
    return isPickedPort(args) ? "$server_authority" : `${args.publicHost}:${args.httpsPort}`;
}

function isPickedPort({ federation, httpsPort }: Args): boolean {
    return federation === "with clients" && httpsPort === undefined;
}

/** Members of an object in JSON, as they stand in a word of nginx's between single quotes. */
function membersOf(members: Members): string[] {
    return Object.entries(members).map(([key, value]) =>
        `${JSON.stringify(key)}:${JSON.stringify(value)}`
            // nginx would end the word, or put a variable there: JSON has another way to write both.
            .replaceAll("'", "\\u0027")
            .replaceAll("$", "\\u0024")
            .replaceAll("\\", "\\\\"),
    );
}
