/** What an image whose tools are busybox's refuses, and one with GNU's would do. */
export const REFUSED_BY_BUSYBOX = [
    "flock -w 3 9 9>/tmp/lock",
    "stat --format %u /tmp",
    "find /tmp -newermt '-60 seconds'",
    "readlink -e /tmp",
    "timeout --foreground 3 true",
    "echo x | grep -P x",
] as const;
