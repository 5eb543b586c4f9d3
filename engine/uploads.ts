import { pack } from "tar-stream";
import type { ContainerArgs } from "./container.ts";

type Uploads = NonNullable<ContainerArgs["uploads"]>;

/** The files as the archive that Docker unpacks at the root of a container, mounted volumes included. */
export async function tarOf(uploads: Uploads): Promise<Buffer> {
    const tar = pack();
    for (const { file, content, contentBase64, permissions, executable, owner, group } of uploads) {
        const data = content ? Buffer.from(content) : Buffer.from(contentBase64 ?? "", "base64");
        const mode = Number.parseInt(permissions ?? (executable ? "0744" : "0644"), 8);
        const ids = { uid: Number(owner ?? 0), gid: Number(group ?? 0) };
        tar.entry({ name: file.replace(/^\/+/, ""), mode, mtime: new Date(), ...ids }, data);
    }
    tar.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of tar) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
}
