#!/bin/sh
# Runs in a container without network, as root with CHOWN alone. Follows lock.sh and install-pair.sh. Makes a private CA
# that can certify the stack's names and no others, once, and a certificate from it, again when a third of its time is
# left. Prints the CA's certificate.
#   NAMES         subject alternative names in openssl's notation: DNS:example.org,IP:127.0.0.1
#   CONSTRAINTS   the same as name constraints: other ones make another CA
#   CA_SUBJECT    of the CA, in openssl's notation
#   SUBJECT       of the certificate
#   OWNER         uid:gid that the private key is for
#   RENEWAL       `yes` between two deployments: nothing is made for the first time

umask 077
lock /ca/.lock
ca=/ca/$(printf %s "$CONSTRAINTS" | sha256sum | cut -c 1-12)
current=/certificates/current/fullchain.pem

# Whatever its time: one that ended while the machine was off is still ours.
is_ours() {
    openssl verify -no_check_time -CAfile "$ca/ca.pem" "$current" >/dev/null 2>&1
}

if [ "$RENEWAL" = yes ] && ! is_ours; then
    # A deployment is under way that has other names.
    exit 0
fi

if [ ! -s "$ca/ca.pem" ]; then
    # The CA of a stack from before there were constraints: its key could certify any name.
    rm -f /ca/ca.key /ca/ca.pem
    mkdir -p "$ca"
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$ca/ca.key"
    # Signed last and moved into place whole: a run that was cut short begins again.
    openssl req -x509 -new -key "$ca/ca.key" -sha256 -days 3650 -subj "$CA_SUBJECT" \
        -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
        -addext 'extendedKeyUsage=serverAuth' -addext "nameConstraints=critical,$CONSTRAINTS" -out "$ca/ca.pem.new"
    mv "$ca/ca.pem.new" "$ca/ca.pem"
    echo "Made a private CA that certifies $NAMES alone. Clients must be told to trust it." >&2
fi

if ! is_ours || ! openssl x509 -in "$current" -noout -checkend 2592000 >/dev/null; then
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out /tmp/privkey.pem
    openssl req -new -key /tmp/privkey.pem -subj "$SUBJECT" -out /tmp/request.pem
    cat >/tmp/extensions.cnf <<EXTENSIONS
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = $NAMES
EXTENSIONS
    openssl x509 -req -in /tmp/request.pem -CA "$ca/ca.pem" -CAkey "$ca/ca.key" -sha256 -days 90 \
        -extfile /tmp/extensions.cnf -out /tmp/fullchain.pem 2>/tmp/openssl.log || {
        cat /tmp/openssl.log >&2
        exit 1
    }
    install_pair /tmp/fullchain.pem /tmp/privkey.pem "$OWNER"
    rm -f /tmp/privkey.pem
fi
cat "$ca/ca.pem"
