#!/bin/sh
# Writes a minimal Debian 13 root file system to standard output, as a tar archive.
# It comes from Debian's own archive, by whichever mirror mmdebstrap takes by default, signatures checked.
# Stops, and cleans up, when its standard input ends: then whoever wanted the archive is gone, however that came.
set -eu
exec 3<&0

work=$(mktemp -d)
# apt downloads as a user of its own.
chmod 755 "$work"

# mmdebstrap mounts /proc, /sys and this machine's own /dev/shm into its work folder. In a mount namespace they
# vanish with it; otherwise a killed run would leave them below /tmp, for the next `rm -rf` to walk into.
# (Not as root it makes a namespace itself.)
namespace=""
[ "$(id -u)" -ne 0 ] || namespace="unshare --mount"

# A process group of its own, because mmdebstrap cleans up only if its children get the signal too.
# The policy-rc.d keeps packages from starting services while they are installed into an image.
# shellcheck disable=SC2016,SC2086  # $1 is for the hook's shell: the root file system's directory
TMPDIR="$work" setsid $namespace mmdebstrap \
    --variant=apt \
    --format=tar \
    --include=ca-certificates,curl,openssl,passwd,tzdata \
    --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --customize-hook='printf "#!/bin/sh\nexit 101\n" > "$1/usr/sbin/policy-rc.d"' \
    --customize-hook='chmod 755 "$1/usr/sbin/policy-rc.d"' \
    trixie - 3<&- &
maker=$!

{
    cat
    kill -s TERM -- "-$maker"
} <&3 >/dev/null 2>&1 &
watcher=$!

# A Ctrl-C reaches this shell too; it ends the input as well, and the folder is removed below.
trap : INT TERM
status=0
while kill -0 "$maker" 2>/dev/null; do
    status=0
    wait "$maker" || status=$?
done
kill "$watcher" 2>/dev/null || true
rm -rf --one-file-system "$work"
exit "$status"
