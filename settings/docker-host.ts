import { z } from "zod";

export const dockerHost = z
    .string({ error: "a Docker host" })
    .regex(/^(unix:\/\/\/\S+|tcp:\/\/[^\s@]+|ssh:\/\/[^\s:]+(:\d+)?)$/, {
        error: "unix:///path, tcp://host:port or ssh://user@host, without a password",
    })
    .optional()
    .describe("Docker engine to deploy to. `DOCKER_HOST` or the local engine when left out.");
