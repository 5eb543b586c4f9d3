/** Files and directories in nginx's container. */
export const PATHS = {
    /** `current/nginx.conf` and what it reads beside it. */
    stack: "/etc/nginx/stack",
    /** Request bodies that do not fit into memory. */
    buffer: "/buffer",
    certificates: "/etc/nginx/certificates",
    /** Where certbot puts its answers to challenges. */
    webroot: "/etc/nginx/webroot",
    /** Where Synapse announces its restarts. */
    announce: "/announce",
    /** What start.sh found: the address of the Docker host itself, as one to believe. */
    host: "/run/host.conf",
} as const;

/** What is there from when Synapse begins to restart until it answers again. */
export const ANNOUNCEMENT = `${PATHS.announce}/restarting`;

/** What is there while Synapse is away for longer than anybody should wait. */
export const MAINTENANCE = `${PATHS.announce}/maintenance`;
