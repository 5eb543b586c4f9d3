import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../settings/settings.ts";
import type { Restore } from "../backup/restore.ts";
import { certificatesFrom } from "../certificates/certificates.ts";
import type { Certificates, ObtainedCertificate } from "../certificates/source.ts";
import { pulledImage } from "../docker/image.ts";
import { stackNetwork } from "../docker/network.ts";
import { type Stack, stackOn } from "../docker/stack.ts";
import { NginxProxy } from "../nginx/proxy.ts";
import { NGINX_USER } from "../nginx/user.ts";
import { SynapseData } from "../synapse/data.ts";
import { Synapse } from "../synapse/server.ts";
import { SYNAPSE_USER } from "../synapse/user.ts";
import { makeBackup, makeRepository, makeRestore, restoreDatabase } from "./backups.ts";
import { databaseOf, type StackDatabase } from "./database.ts";
import { clientBaseUrl, clientPort } from "./places.ts";
import type { Topology } from "./topology.ts";

/** The parts of one server. Those that its topology has no place for are undefined. */
export interface Parts {
    readonly stack: Stack;
    readonly network: pulumi.Output<string>;
    readonly data: SynapseData;
    readonly database: StackDatabase | undefined;
    readonly certificates: Certificates | undefined;
    readonly synapse: Synapse;
    readonly nginx: NginxProxy | undefined;
    readonly obtained: ObtainedCertificate | undefined;
}

/** What every part is made with. */
export interface Plan {
    readonly name: string;
    readonly settings: Settings;
    readonly topology: Topology;
    readonly stack: Stack;
    /** Ids of the images that the topology has. */
    readonly images: {
        readonly synapse: pulumi.Output<string>;
        readonly nginx: pulumi.Output<string> | undefined;
        readonly certbot: pulumi.Output<string> | undefined;
        readonly restic: pulumi.Output<string> | undefined;
        readonly postgres: pulumi.Output<string> | undefined;
    };
    readonly network: pulumi.Output<string>;
    /** For components. */
    readonly opts: pulumi.ComponentResourceOptions;
    /** For Docker's own resources. */
    readonly dockerOpts: pulumi.CustomResourceOptions;
}

/** Makes the parts, each after those that it needs. The names of all begin with `name`. */
export function makeParts(
    name: string,
    settings: Settings,
    topology: Topology,
    parent: pulumi.ComponentResource,
): Parts {
    const stack = stackOn(name, { ...settings, prefix: settings.name }, { parent });
    const dockerOpts = { parent, provider: stack.provider };
    const image = (use: keyof Topology["images"]) => {
        const reference = topology.images[use];
        return reference === undefined
            ? undefined
            : pulledImage(`${name}-${use}-image`, reference, dockerOpts);
    };
    const plan: Plan = {
        name,
        settings,
        topology,
        stack,
        images: {
            synapse: pulledImage(`${name}-synapse-image`, topology.images.synapse, dockerOpts),
            nginx: image("nginx"),
            certbot: image("certbot"),
            restic: image("restic"),
            postgres: image("postgres"),
        },
        network: stackNetwork(`${name}-network`, settings.name, settings, stack, dockerOpts),
        opts: { parent, providers: { docker: stack.provider } },
        dockerOpts,
    };
    const repository = makeRepository(plan);
    const restored: Restore[] = [];
    const data = makeData(plan, (volumeName) => {
        restored.push(...makeRestore(plan, repository, volumeName));
        return restored;
    });
    const database = databaseOf(
        name,
        plan,
        { volumeName: data.volumeName, announces: topology.announces },
        plan.opts,
    );
    const restore = restoreDatabase(plan, restored, database);
    const certificates = makeCertificates(plan);
    const synapse = makeSynapse(plan, data, database, certificates, [repository, ...restore]);
    const nginx = makeNginx(plan, data, certificates, synapse);
    const obtained = obtainCertificate(plan, certificates, nginx, synapse);
    certificates?.renew?.(`${name}-certificate-renewal`, { ...dockerOpts, dependsOn: [certificates] });
    makeBackup(plan, { data, database, repository, synapse });
    return { stack, network: plan.network, data, database, certificates, synapse, nginx, obtained };
}

function makeData(
    { name, settings, topology, stack, images, opts }: Plan,
    beforeGeneration: (volumeName: pulumi.Output<string>) => pulumi.Resource[],
): SynapseData {
    return new SynapseData(
        `${name}-synapse-data`,
        {
            prefix: settings.name,
            image: images.synapse,
            imageReference: topology.images.synapse,
            serverName: settings.serverName,
            reportStats: settings.reportStats,
            keyRotation: settings.signingKey.rotation,
            proxied: topology.front === "proxy",
            dumps: settings.upgrade.dump,
            ephemeral: settings.ephemeral,
            beforeGeneration,
            stack,
        },
        opts,
    );
}

function makeCertificates({ name, settings, topology, stack, images, opts }: Plan): Certificates | undefined {
    return (
        topology.certificate &&
        certificatesFrom(
            `${name}-certificates`,
            topology.certificate,
            {
                prefix: settings.name,
                image: images.certbot ?? images.nginx ?? images.synapse,
                names: topology.certificateNames,
                owner: images.nginx === undefined ? SYNAPSE_USER : NGINX_USER,
                ephemeral: settings.ephemeral,
                stack,
            },
            opts,
        )
    );
}

function makeSynapse(
    { name, settings, topology, stack, images, network, opts }: Plan,
    data: SynapseData,
    database: StackDatabase | undefined,
    certificates: Certificates | undefined,
    before: readonly (pulumi.Resource | undefined)[],
): Synapse {
    const { listenAddresses, memory, ports } = settings;
    // Where nginx stands before it, the certificate is nginx's.
    const ownCertificates = topology.front === "tls" ? certificates : undefined;
    return new Synapse(
        `${name}-synapse`,
        {
            ...settings,
            prefix: settings.name,
            keyRotation: settings.signingKey.rotation,
            image: images.synapse,
            imageReference: topology.images.synapse,
            database: database && {
                connection: database.connection,
                chosen: settings.databaseChosen,
                moved: "moved" in settings.database && settings.database.moved,
            },
            dump: data.dumpsVolume && { postgresImage: images.postgres, volume: data.dumpsVolume },
            dataVolume: data.volumeName,
            compiledVolume: data.compiledVolume,
            announceVolume: topology.announces ? data.announceVolume : undefined,
            network,
            memory: memory.synapse,
            front: topology.front,
            publicBaseUrl: `${clientBaseUrl(topology, settings, clientPort(topology, ports))}/`,
            port: ports.synapse,
            addresses: listenAddresses.synapse,
            ...(ownCertificates && {
                certificatesVolume: ownCertificates.certificatesVolume,
                tlsListener: { port: ports.federation, addresses: listenAddresses.public },
            }),
            stack,
        },
        {
            ...opts,
            // A repository that cannot be opened is said before the server is touched.
            dependsOn: [data, database?.component, ownCertificates, ...before].filter(
                (part) => part !== undefined,
            ),
        },
    );
}

function makeNginx(
    { name, settings, topology, stack, images, network, opts }: Plan,
    data: SynapseData,
    certificates: Certificates | undefined,
    synapse: Synapse,
): NginxProxy | undefined {
    const { listenAddresses, memory, ports, tls } = settings;
    return (
        images.nginx &&
        new NginxProxy(
            `${name}-nginx`,
            {
                prefix: settings.name,
                image: images.nginx,
                network,
                upstream: synapse.upstream,
                announceVolume: topology.announces ? data.announceVolume : undefined,
                certificatesVolume: certificates?.certificatesVolume,
                webrootVolume: certificates?.webrootVolume,
                publicHost: settings.publicHost,
                httpPort: ports.http,
                httpsPort: topology.outerProxy?.port ?? ports.https,
                trustedProxies: topology.outerProxy?.trusted,
                federationPort: ports.federation,
                federation: topology.federation,
                wellKnown: settings.wellKnown,
                ipv6: settings.ipv6,
                addresses: listenAddresses.public,
                maxUploadSize: settings.maxUploadSize,
                holdSeconds: settings.holdSeconds,
                profile: "profile" in tls ? tls.profile : "intermediate",
                http3: "http3" in tls && tls.http3,
                hsts: topology.hsts,
                memory: memory.nginx,
                stack,
            },
            { ...opts, dependsOn: certificates === undefined ? [] : [certificates] },
        )
    );
}

/** Last: no certificate is asked for before the rest works. */
function obtainCertificate(
    { name, network, opts }: Plan,
    certificates: Certificates | undefined,
    nginx: NginxProxy | undefined,
    synapse: Synapse,
): ObtainedCertificate | undefined {
    return (
        nginx &&
        certificates?.obtain?.(
            `${name}-certbot`,
            { network, servedAt: nginx.address },
            { ...opts, dependsOn: [nginx, synapse] },
        )
    );
}
