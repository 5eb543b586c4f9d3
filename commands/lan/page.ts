import { createHash } from "node:crypto";
import { encode } from "uqr";
import { ANDROID, BELIEVED, IOS } from "./trust-steps.ts";

/** What the page for the phone tells. */
export interface PageArgs {
    /** Where clients connect. */
    readonly clientUrl: string;
    readonly serverName: string;
    /** SHA-256 of the CA's certificate, as the terminal shows it. */
    readonly fingerprint: string;
}

const CERTIFICATE_PATH = "/ca.crt";

/** An answer of the page's server. */
export interface Content {
    readonly type: string;
    readonly body: string;
}

/** All that is served, by path. */
export function contents(args: PageArgs, caCertificate: string): Readonly<Record<string, Content>> {
    return {
        "/": { type: "text/html; charset=utf-8", body: page(args) },
        // PEM: iOS and Android take it as well as the binary form, and so does curl.
        [CERTIFICATE_PATH]: { type: "application/x-x509-ca-cert", body: caCertificate },
    };
}

const STYLE = `
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 0 auto; padding: 1rem }
code { overflow-wrap: anywhere; font-size: 1.05em }
svg { width: 12rem; max-width: 100%; display: block }
a.button { display: inline-block; padding: .6rem 1rem; border: 2px solid; border-radius: .5rem; font-weight: bold }
.warning { border-left: .3rem solid #c60; padding-left: .8rem }
`;

/** Nothing runs, nothing is loaded, and the one style is the page's own. */
export const POLICY = [
    "default-src 'none'",
    `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
].join("; ");

function page({ clientUrl, serverName, fingerprint }: PageArgs): string {
    const list = (steps: readonly string[]) => steps.map((step) => `<li>${escaped(step)}</li>`).join("\n");
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(`A Matrix server at ${clientUrl}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>A Matrix server on your network</h1>
<p>In a Matrix client, type this as the homeserver:</p>
<p><code>${escaped(clientUrl)}</code></p>
${qrCode(clientUrl)}
<p>Users are called <code>${escaped(`@alice:${serverName}`)}</code>, and are made on the machine that it runs on.</p>
<h2>First let this device trust its certificate</h2>
<p class="warning">This page came unencrypted, so the certificate could have been replaced on its way. Compare what your
device shows of it with the terminal that the server was started in. SHA-256:<br>
<code>${escaped(fingerprint)}</code></p>
<p><a class="button" href="${CERTIFICATE_PATH}">Download the certificate</a></p>
<h3>iPhone, iPad</h3>
<ol>
${list(IOS)}
</ol>
<h3>Android</h3>
<ol>
${list(ANDROID)}
</ol>
<h3>Who believes it then</h3>
<ul>
${list(BELIEVED)}
</ul>
<p>Remove it again when you have seen enough.</p>
</body>
</html>
`;
}

/** As SVG, whose attributes a content security policy leaves alone. */
function qrCode(text: string): string {
    const { data, size } = encode(text, { border: 4, ecc: "M" });
    const squares = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
    return (
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" role="img" aria-label="QR code of the address">` +
        `<path fill="#fff" d="M0 0h${size}v${size}H0z"/><path fill="#000" d="${squares.join("")}"/></svg>`
    );
}

/** For text and for attributes in quotes. */
export function escaped(text: string): string {
    return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
