#!/bin/sh
# Stands before other scripts of this directory, for whoever puts a certificate where a server reads it.

# install_pair CHAIN KEY [OWNER]: makes a copy of these two files the current pair in /certificates. The key is for
# OWNER, a `uid:gid`, or for whoever runs this. Nothing half-copied is ever current.
install_pair() {
    # Of the owner too: another server's copy of the same pair is not readable for this one.
    digest=$({ cat "$1" "$2" && echo "${3:-}"; } | sha256sum | cut -c 1-12)
    [ "$(readlink /certificates/current || true)" != "live/$digest" ] || return 0
    live=/certificates/live/$digest
    (umask 022 && mkdir -p "$live") || return 1
    (umask 077 && cat "$1" >"$live/fullchain.pem.new" && cat "$2" >"$live/privkey.pem.new") || return 1
    certified=$(openssl x509 -in "$live/fullchain.pem.new" -noout -pubkey) || return 1
    held=$(openssl pkey -in "$live/privkey.pem.new" -pubout) || return 1
    # certbot moves its two links one after the other: for a moment they belong to two certificates.
    if [ "$certified" != "$held" ]; then
        echo "The certificate and the private key do not belong together." >&2
        return 1
    fi
    chmod 0444 "$live/fullchain.pem.new" && chmod 0400 "$live/privkey.pem.new" || return 1
    [ -z "${3:-}" ] || chown "$3" "$live/privkey.pem.new" || return 1
    mv -f "$live/fullchain.pem.new" "$live/fullchain.pem" && mv -f "$live/privkey.pem.new" "$live/privkey.pem" || return 1
    next=/certificates/current.$(cat /proc/sys/kernel/random/uuid)
    ln -s "live/$digest" "$next" || return 1
    # Readers follow `current`, which always leads to a whole pair.
    mv -T "$next" /certificates/current || return 1
    # What was current until now is still being read, what was so a day ago is not.
    find /certificates/live -mindepth 1 -maxdepth 1 -mtime +1 ! -name "$digest" -exec rm -rf {} +
    echo "Copied the certificate $(openssl x509 -in "$live/fullchain.pem" -noout -enddate)." >&2
}
