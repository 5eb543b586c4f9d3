import { Homeserver } from "./components/homeserver/homeserver.ts";
import { stackSettings } from "./settings/read.ts";

/** The outputs are explained where they are declared, and in docs/outputs.md. */
export const {
    clientUrl,
    federationAddress,
    verifyKey,
    caCertificate,
    certificateExpiry,
    publishedPorts,
    networkName,
    synapseUrl,
    containerName,
    dataVolumeName,
    dockerHost,
    dnsRecords,
    warnings,
    verified,
    nextSteps,
} = new Homeserver("homeserver", stackSettings());
