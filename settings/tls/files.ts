import { z } from "zod";
import { certificateFiles } from "./certificate-files.ts";
import { nginxTls } from "./nginx.ts";

export const files = z
    .strictObject({ mode: z.literal("files"), ...certificateFiles(), ...nginxTls() })
    .describe("nginx with a certificate that is kept on the Docker host, by certbot there or by you.");
