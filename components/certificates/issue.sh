#!/bin/sh
# Runs in a disposable container as root with CHOWN alone. Follows lock.sh. Makes a private CA and a certificate from
# it, once each; the certificate again when its names change or when it nears its end. Prints the CA's certificate.
#   NAMES   subject alternative names in openssl's notation: DNS:example.org,IP:127.0.0.1
#   OWNER   uid:gid that the private key is for

umask 077
lock /ca/.lock

if [ ! -s /ca/ca.pem ]; then
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out /ca/ca.key
    # Signed last and moved into place whole: a run that was cut short begins again.
    openssl req -x509 -new -key /ca/ca.key -sha256 -days 3650 -subj "/CN=Private CA of ${NAMES%%,*}" \
        -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
        -out /ca/ca.pem.new
    mv /ca/ca.pem.new /ca/ca.pem
fi

current=/certificates/current/fullchain.pem
issued_for=$(cat /certificates/current/names 2>/dev/null || true)
if [ "$issued_for" != "$NAMES" ] || ! openssl x509 -in "$current" -noout -checkend 2592000 >/dev/null 2>&1 ||
    ! openssl verify -CAfile /ca/ca.pem "$current" >/dev/null 2>&1; then
    name=local-$(date +%s)-$$
    live=/certificates/live/$name
    (umask 022 && mkdir -p "$live")
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$live/privkey.pem"
    openssl req -new -key "$live/privkey.pem" -subj / -out /tmp/request.pem
    cat >/tmp/extensions.cnf <<EXTENSIONS
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = critical, $NAMES
EXTENSIONS
    openssl x509 -req -in /tmp/request.pem -CA /ca/ca.pem -CAkey /ca/ca.key -sha256 -days 800 \
        -extfile /tmp/extensions.cnf -out "$live/fullchain.pem" 2>/tmp/openssl.log || {
        cat /tmp/openssl.log >&2
        exit 1
    }
    printf '%s' "$NAMES" >"$live/names"
    chmod 0444 "$live/fullchain.pem" "$live/names"
    chmod 0400 "$live/privkey.pem"
    chown "$OWNER" "$live/privkey.pem"
    # Readers follow `current`, which always leads to a whole pair.
    ln -s "live/$name" "/certificates/current.$name"
    mv -T "/certificates/current.$name" /certificates/current
fi
cat /ca/ca.pem
