#!/bin/sh
# Obtains the certificate, or renews it when it is time, and hands it to nginx, which takes it up by itself. Runs as
# nginx's user. Follows lock.sh and install-pair.sh. Safe to run again and at any time: a certificate that is good stays.
#   CERTIFICATE_NAME    certbot's name of the certificate
#   ACME_SERVER         the CA's directory
#   CERTIFICATE_PROFILE the CA's name for the kind of certificate; empty for its own choice
#   CERTBOT_ARGUMENTS   arguments of `certbot certonly`, one a line
set -euf

# certbot itself refuses to run twice at once; here the second waits for the first.
lock /etc/letsencrypt/.obtaining

# certbot would keep another server's certificate, or one of another kind, until its end.
renewal=/etc/letsencrypt/renewal/$CERTIFICATE_NAME.conf
when=--keep-until-expiring
if [ -e "$renewal" ]; then
    profile=$(sed -n -e 's/^required_profile = //p' -e 's/^preferred_profile = //p' "$renewal")
    if ! grep -qxF "server = $ACME_SERVER" "$renewal" || [ "$profile" != "$CERTIFICATE_PROFILE" ]; then
        when=--force-renewal
    fi
fi

if [ -e /scripts/ca-bundle.pem ]; then
    cat /etc/ssl/certs/ca-certificates.crt /scripts/ca-bundle.pem >/tmp/ca-bundle.pem
    export REQUESTS_CA_BUNDLE=/tmp/ca-bundle.pem
fi
# What certbot's plugin for Route 53 reads; the others get the file as an argument.
export AWS_CONFIG_FILE=/secrets/credentials.ini

IFS='
'
# shellcheck disable=SC2086
if ! certbot certonly $when $CERTBOT_ARGUMENTS >/tmp/certbot.out 2>&1 9>&-; then
    cat /tmp/certbot.out >&2
    echo "certbot could not get a certificate for $CERTIFICATE_NAME from $ACME_SERVER; its own words are above. \
The certificate in use stays." >&2
    exit 1
fi
cat /tmp/certbot.out >&2
install_pair "/etc/letsencrypt/live/$CERTIFICATE_NAME/fullchain.pem" "/etc/letsencrypt/live/$CERTIFICATE_NAME/privkey.pem"
