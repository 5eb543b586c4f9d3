/** The official image's own user and group, `uid:gid`. */
export const SYNAPSE_USER = "991:991";
