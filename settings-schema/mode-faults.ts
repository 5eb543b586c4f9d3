import type { z } from "zod";
import { isPublicName } from "../components/verification/names.ts";
import { isLoopback } from "../components/verification/targets.ts";
import type { FieldFault, settingsSchema } from "../settings-schema.ts";
import { publicUrlParts } from "./behind-proxy.ts";

type Data = z.output<typeof settingsSchema>;

/**
 * What does not go together with a proxy of the operator's. `federationPort` is the setting as it was written:
 * undefined where it was left out.
 */
export function behindProxyFaults(
    { listenAddresses, ports, publicHost, tls }: Data,
    federationPort: unknown,
): FieldFault[] {
    if (tls.mode !== "proxy") return [];
    const { host = "", port } = publicUrlParts(tls.publicUrl) ?? {};
    const unpublished = (["https", "federation"] as const).filter((use) => ports[use] !== undefined);
    const open = (listenAddresses.public ?? []).filter((address) => !isLoopback(address));
    return [
        ...(publicHost === undefined || publicHost === host
            ? []
            : [
                  {
                      key: "publicHost",
                      got: JSON.stringify(publicHost),
                      wanted: `nothing, or ${host} as in tls.publicUrl`,
                      fix: "pulumi config rm synapse:publicHost, or another tls.publicUrl",
                  },
              ]),
        ...unpublished.map((use) => ({
            key: `ports.${use}`,
            got: String(ports[use]),
            wanted: "nothing: in tls.mode proxy ports.http is the only port of nginx's, and tls.publicUrl names your proxy's",
            fix: `pulumi config rm --path synapse:ports.${use}`,
        })),
        ...(federationPort === undefined || Number(federationPort) === 443 || Number(federationPort) === port
            ? []
            : [
                  {
                      key: "federation.port",
                      got: JSON.stringify(federationPort),
                      wanted: `nothing: other servers come by the port of tls.publicUrl, ${port}`,
                      fix: "pulumi config rm --path synapse:federation.port",
                  },
              ]),
        ...(tls.trustedProxies === undefined && open.length > 0
            ? [
                  {
                      key: "tls.trustedProxies",
                      got: "nothing",
                      wanted: `the addresses of your proxy: others reach ${open.join(", ")} too, and are not to say for themselves who they are`,
                      fix: "pulumi config set --path 'synapse:tls.trustedProxies[0]' <address>, or publish on 127.0.0.1 alone",
                  },
              ]
            : []),
    ];
}

/** The mode `none` is for a look from this machine: nothing encrypts, and nobody else finds its URL. */
export function firstLookFaults({ listenAddresses, publicHost, serverName, tls }: Data): FieldFault[] {
    if (tls.mode !== "none") return [];
    const others =
        "tls.mode proxy for a proxy of your own, or a tls.mode with a certificate, such as local-ca";
    const key = publicHost === undefined ? "serverName" : "publicHost";
    const host = publicHost ?? serverName;
    return [
        ...listenAddresses.synapse.flatMap((address, index) =>
            isLoopback(address)
                ? []
                : {
                      key: `listenAddresses.synapse[${index}]`,
                      got: JSON.stringify(address),
                      wanted: "a loopback address: tls.mode none encrypts nothing, and is for a first look on this machine alone",
                      fix: `pulumi config rm --path synapse:listenAddresses.synapse; or ${others}`,
                  },
        ),
        ...(isPublicName(host)
            ? [
                  {
                      key,
                      got: JSON.stringify(host),
                      wanted: "a name for this machine alone, such as localhost: tls.mode none is for a first look",
                      fix: `pulumi config set synapse:publicHost localhost; or ${others}`,
                  },
              ]
            : []),
    ];
}
