import { script } from "../docker/script.ts";

/** The text of a shell script of this directory, with the function `install_pair` before it. */
export function withInstallPair(file: string): string {
    return script(import.meta.url, "install-pair.sh") + script(import.meta.url, file);
}
