import { z } from "zod";
import { nginxTls } from "./nginx.ts";

export const localCa = z
    .strictObject({ mode: z.literal("local-ca"), ...nginxTls() })
    .describe("nginx with a certificate from a private CA that the stack makes for itself.");
