#!/bin/sh
# Writes a minimal Debian 13 root file system to standard output, as a tar archive.
# It comes from Debian's own archive, by whichever mirror mmdebstrap takes by default, signatures checked.
set -eu

# The policy-rc.d keeps packages from starting services while they are installed into an image.
# shellcheck disable=SC2016  # $1 is for the hook's shell: the root file system's directory
exec mmdebstrap \
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
    trixie -
