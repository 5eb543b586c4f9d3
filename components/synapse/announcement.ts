/** The file that is there while the server restarts, in its container and in nginx's. */
export const ANNOUNCEMENT = { directory: "/announce", file: "/announce/restarting" } as const;
