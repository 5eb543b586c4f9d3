import type { NginxConfArgs } from "./conf-args.ts";
import { PATHS } from "./paths.ts";

/** How TLS is spoken, on every port. */
export function tls({ profile }: NginxConfArgs): string {
    return `ssl_certificate ${PATHS.certificates}/current/fullchain.pem;
ssl_certificate_key ${PATHS.certificates}/current/privkey.pem;
${protocols(profile)}
# One cache for both ports, and no tickets: their key would undo forward secrecy.
ssl_session_cache shared:tls:10m;
ssl_session_timeout 1d;
ssl_session_tickets off;`;
}

/** https://ssl-config.mozilla.org, version 5.7; the order of ciphers is ours, which Mozilla leaves to the client. */
function protocols(profile: NginxConfArgs["profile"]): string {
    const curves = `ssl_ecdh_curve X25519:prime256v1:secp384r1;
# The server's order, except that a client without hardware AES gets ChaCha20 first.
ssl_prefer_server_ciphers on;
ssl_conf_command Options PrioritizeChaCha;`;
    if (profile === "modern") return `ssl_protocols TLSv1.3;\n${curves}`;
    const ciphers = [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
    ];
    return `ssl_protocols TLSv1.2 TLSv1.3;\nssl_ciphers ${ciphers.join(":")};\n${curves}`;
}
