import { z } from "zod";
import { wholeNumber } from "./kinds.ts";

const mebibytes = (fallback: number, least: number) =>
    wholeNumber(`a whole number of MiB, at least ${least}`, least).default(fallback);

export const memory = z
    .strictObject({
        synapse: mebibytes(4096, 256).describe("Synapse, MiB."),
        nginx: mebibytes(256, 64).describe("nginx, MiB."),
        postgres: mebibytes(1024, 256).describe("PostgreSQL, MiB: its buffers and the rest are sized by it."),
        backup: mebibytes(1024, 256).describe("restic, which makes the backups, MiB."),
    })
    .prefault({})
    .describe("Memory limits of the containers; swap is not added on top.");
