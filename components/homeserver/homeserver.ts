import * as pulumi from "@pulumi/pulumi";
import { type HomeserverSettings, settingsOf } from "../../settings/read.ts";
import type { Settings } from "../../settings/settings.ts";
import { Verification } from "../verification/verification.ts";
import { warnWithoutBackup } from "./backups.ts";
import { dnsRecords } from "./dns.ts";
import { expectations, outside } from "./expectations.ts";
import { nextSteps } from "./next-steps.ts";
import { makeParts } from "./parts.ts";
import { clientBaseUrl, type PublishedPorts } from "./places.ts";
import { topology as topologyOf } from "./topology.ts";

/**
 * What a {@link Homeserver} needs to know: the settings of docs/settings.md, as an object. They are checked as a
 * stack's are, and everything that is wrong with them is reported at once, before anything is registered.
 */
export type HomeserverArgs = HomeserverSettings;

/**
 * One Matrix homeserver: Synapse, its data and identity, what stands before it, and the proof that it works.
 *
 * Its Docker objects are named by `args.name`, `<name>` in the stacks `prod` and `production` and `<name>-<stack>`
 * elsewhere when it is left out, so that one program can make several. Everything it registers is named `<name>-…`.
 */
export class Homeserver extends pulumi.ComponentResource {
    /** Where clients connect: `https://matrix.example.org`. Known once the ports are published. */
    readonly clientUrl: pulumi.Output<string>;
    /** Where other servers connect: `matrix.example.org:8448`; null without federation. */
    readonly federationAddress: pulumi.Output<string | null>;
    /** Public half of the signing key, `ed25519:a_AbCd <unpadded base64>`. The other half never leaves the data volume. */
    readonly verifyKey: pulumi.Output<string>;
    /** What clients must trust, PEM; null without a private CA. */
    readonly caCertificate: pulumi.Output<string | null>;
    /** End of the certificate that is served, ISO 8601; null without one, or when it cannot be asked from here. */
    readonly certificateExpiry: pulumi.Output<string | null>;
    /** Ports on the Docker host; undefined where there is none. */
    readonly publishedPorts: pulumi.Output<PublishedPorts>;
    /** Docker network, for bridges and bots that run beside the server. */
    readonly networkName: pulumi.Output<string>;
    /** Where containers on that network reach Synapse, past nginx: `http://synapse:8008`. */
    readonly synapseUrl: string;
    /** Synapse's container. */
    readonly containerName: string;
    /** Volume with everything that a server must never lose. */
    readonly dataVolumeName: pulumi.Output<string>;
    /** Docker engine that the server runs on; null: `DOCKER_HOST`, or the local one. */
    readonly dockerHost: string | null;
    /** DNS records that should exist. */
    readonly dnsRecords: readonly string[];
    /** What the internet does not do for the server, and what else is to be seen to; empty when all is well. */
    readonly warnings: pulumi.Output<readonly string[]>;
    /** What the running server was asked and answered, one line each. */
    readonly verified: pulumi.Output<readonly string[]>;
    /** What was verified and what to do next, for people. */
    readonly nextSteps: pulumi.Output<string>;

    constructor(name: string, args: HomeserverArgs, opts?: pulumi.ComponentResourceOptions) {
        const settings = settingsOf(args, pulumi.getStack(), name);
        claim(settings, name);
        // None of the arguments: Pulumi would keep them in its state, with whatever in them is secret.
        super("synapse:index:Homeserver", name, {}, opts);
        warnWithoutBackup(settings, this);
        const topology = topologyOf(settings);
        const { certificates, data, network, nginx, obtained, stack, synapse } = makeParts(
            name,
            settings,
            topology,
            this,
        );

        this.publishedPorts = pulumi.output({
            synapse: settings.ports.synapse === "off" ? undefined : synapse.httpPort,
            http: nginx?.httpPort,
            https: nginx?.httpsPort,
            federation: nginx?.federationPort ?? synapse.tlsPort,
        });
        const clientPort =
            topology.outerProxy?.port ?? nginx?.httpsPort ?? synapse.tlsPort ?? synapse.httpPort;
        const world = outside(topology, settings);
        const verification = new Verification(
            `${name}-verification`,
            {
                expectations: pulumi
                    .all([this.publishedPorts, data.verifyKey, certificates?.caCertificate])
                    .apply(([published, verifyKey, ca]) =>
                        expectations(topology, settings, published, verifyKey, ca),
                    ),
                outside: world,
                startSeconds: settings.startSeconds,
                changes: [
                    synapse.containerId,
                    nginx?.version ?? "",
                    ...(obtained === undefined ? [] : [obtained.version]),
                ],
                stack,
            },
            { parent: this, dependsOn: [synapse, nginx, obtained].filter((part) => part !== undefined) },
        );

        this.clientUrl = pulumi.output(clientPort).apply((port) => clientBaseUrl(topology, settings, port));
        this.federationAddress = pulumi
            .output(nginx?.federationPort ?? clientPort)
            .apply((port) => (topology.federation === "off" ? null : `${settings.publicHost}:${port}`));
        this.verifyKey = data.verifyKey;
        this.caCertificate = pulumi.output(certificates?.caCertificate ?? null);
        this.certificateExpiry = verification.certificateExpiry;
        this.networkName = network;
        this.synapseUrl = `http://${synapse.upstream}`;
        this.containerName = settings.name;
        this.dataVolumeName = data.volumeName;
        this.dockerHost = settings.dockerHost ?? null;
        this.dnsRecords = dnsRecords(settings);
        this.warnings = verification.warnings;
        this.verified = verification.verified;
        this.nextSteps = pulumi.all([this.clientUrl, verification.answered]).apply(([clientUrl, verified]) =>
            nextSteps(topology, settings, {
                stack: pulumi.getStack(),
                clientUrl,
                verified,
                privateCa: certificates?.caCertificate !== undefined,
            }),
        );
        this.registerOutputs({
            clientUrl: this.clientUrl,
            federationAddress: this.federationAddress,
            verifyKey: this.verifyKey,
            caCertificate: this.caCertificate,
            certificateExpiry: this.certificateExpiry,
            publishedPorts: this.publishedPorts,
            networkName: this.networkName,
            synapseUrl: this.synapseUrl,
            containerName: this.containerName,
            dataVolumeName: this.dataVolumeName,
            dockerHost: this.dockerHost,
            dnsRecords: this.dnsRecords,
            warnings: this.warnings,
            verified: this.verified,
            nextSteps: this.nextSteps,
        });
    }
}

/** The servers of this program, by what names their Docker objects. */
const claimed = new Map<string, string>();

/** Two servers of one name would take each other's containers for leftovers. */
function claim({ dockerHost = "", name }: Settings, server: string): void {
    const place = `${name} ${dockerHost}`;
    const other = claimed.get(place);
    if (other !== undefined)
        throw new pulumi.RunError(
            `the homeservers "${other}" and "${server}" are both to be named ${name} on one Docker host: give one of them another name`,
        );
    claimed.set(place, server);
}
