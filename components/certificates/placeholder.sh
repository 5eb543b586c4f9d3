#!/bin/sh
# Runs in a disposable container as nginx's user. Follows install-pair.sh. Gives nginx something to start with: the
# certificate that certbot holds, or one signed by nobody until there is a real one.
#   CERTIFICATE_NAME   certbot's name of the certificate

[ ! -e /certificates/current/fullchain.pem ] || exit 0

held=/etc/letsencrypt/live/$CERTIFICATE_NAME
if [ -s "$held/fullchain.pem" ] && install_pair "$held/fullchain.pem" "$held/privkey.pem"; then exit 0; fi

umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7 -subj /CN=placeholder \
    -keyout /tmp/privkey.pem -out /tmp/fullchain.pem 2>/dev/null
install_pair /tmp/fullchain.pem /tmp/privkey.pem
