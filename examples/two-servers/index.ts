import * as pulumi from "@pulumi/pulumi";
import { Homeserver, type HomeserverArgs } from "../../components/homeserver/homeserver.ts";

/**
 * Two throw-away homeservers on one Docker host. Each has an identity, a certificate, a network and volumes of its
 * own; only their names and ports must differ. Without ports, as here, Docker picks them.
 */

const config = new pulumi.Config();

const common: Omit<HomeserverArgs, "serverName"> = {
    tls: { mode: "local-ca" },
    ephemeral: true,
    listenAddresses: { public: ["127.0.0.1"] },
    // `pulumi config set --path images.synapse <reference>`, for other images than the official ones.
    images: config.getObject<NonNullable<HomeserverArgs["images"]>>("images") ?? {},
};

const chat = new Homeserver("chat", { ...common, serverName: "chat.localhost" });
const lab = new Homeserver("lab", {
    ...common,
    serverName: "lab.localhost",
    federation: { enabled: false },
});

export const chatUrl = chat.clientUrl;
export const labUrl = lab.clientUrl;
export const chatCa = chat.caCertificate;
export const labCa = lab.caCertificate;
export const nextSteps = pulumi.all([chat.nextSteps, lab.nextSteps]).apply((steps) => steps.join("\n\n"));
