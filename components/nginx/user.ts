/** The official image's own user and group, `uid:gid`. */
export const NGINX_USER = "101:101";
