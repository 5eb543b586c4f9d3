/** Which values of homeserver.yaml are secret: Synapse's own options by their names, and a module's by what they look like. */

type Path = readonly (string | number)[];

/** One secret among some options. */
export interface SecretOption {
    /** Where it stands: `["oidc_providers", 0, "client_secret"]`. */
    readonly path: Path;
    /** The option that takes a file with it instead, if there is one. */
    readonly fileForm: string | undefined;
}

/** The last words of names that Synapse and its modules give to secrets: `smtp_pass`, `pepper`, `client_secret`, … */
const SECRET_NAME =
    /(?:^|_)(?:secrets?|passwords?|passwd|pass|passphrases?|peppers?|tokens?|(?:api|private|secret|shared|access|auth|customer|encryption|master|signing|hmac|mac)_?keys?|credentials?|dsn)$/;

/** Secret whatever their names say. */
const SECRET_PATHS: ReadonlySet<string> = new Set([
    "oidc_providers[].client_secret_jwt_key.key",
    "experimental_features.msc3861.jwk.d",
]);

/** Secret wherever they stand: a private key, a URL with a password, and a connection string of libpq with one. */
const SECRET_VALUE =
    /-----BEGIN [A-Z ]*PRIVATE KEY-----|^[a-z][a-z0-9+.-]*:\/\/[^/@\s]*:[^/@\s]+@|(?:^|\s)password\s*=\s*\S/i;

/** Options that have a twin which takes a file. */
const FILE_FORMS: Readonly<Record<string, string>> = {
    turn_shared_secret: "turn_shared_secret_path",
    recaptcha_private_key: "recaptcha_private_key_path",
    worker_replication_secret: "worker_replication_secret_path",
    "redis.password": "redis.password_path",
    "matrix_authentication_service.secret": "matrix_authentication_service.secret_path",
    "oidc_providers[].client_secret": "client_secret_path",
    "oidc_providers[].client_secret_jwt_key.key": "key_file",
};

/** Every secret among options of homeserver.yaml. */
export function secretOptions(options: Readonly<Record<string, unknown>>): SecretOption[] {
    return found(options, []).map((path) => ({ path, fileForm: FILE_FORMS[notation(path)] }));
}

function found(value: unknown, path: Path): Path[] {
    if (isSecret(value, path)) return [path];
    if (Array.isArray(value)) return value.flatMap((item, index) => found(item, [...path, index]));
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([key, inner]) => found(inner, [...path, key]));
}

function isSecret(value: unknown, path: Path): boolean {
    // `password_config`'s own switches and whatever is left empty give nothing away.
    if (typeof value === "number") return isNamedSecret(path);
    if (typeof value !== "string" || value === "") return false;
    return isNamedSecret(path) || SECRET_VALUE.test(value);
}

function isNamedSecret(path: Path): boolean {
    // In a list of them, the list has the name.
    const name = path.filter((part) => typeof part === "string").at(-1) ?? "";
    const words = name
        .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
        .replaceAll("-", "_")
        .toLowerCase();
    return SECRET_NAME.test(words) || SECRET_PATHS.has(notation(path));
}

/** Without the numbers: `oidc_providers[].client_secret`. */
function notation(path: Path): string {
    return path
        .map((part) => (typeof part === "number" ? "[]" : `.${part}`))
        .join("")
        .slice(1);
}
