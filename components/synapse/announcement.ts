/** The files that are there while the server restarts, and while it is away for longer, in its container and in nginx's. */
export const ANNOUNCEMENT = {
    directory: "/announce",
    file: "/announce/restarting",
    maintenance: "/announce/maintenance",
} as const;
