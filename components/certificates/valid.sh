#!/bin/sh
# Healthy is: the certificate in use has enough time left. certbot renews it when a third of its lifetime is left.
#   WARNING_DAYS   days before its end; at most a quarter of its lifetime, for those that live shorter
set -eu

# Read anew for another certificate alone: this runs every few seconds.
deadline=/tmp/deadline.$(basename "$(readlink /certificates/current)")
if [ ! -e "$deadline" ]; then
    openssl x509 -in /certificates/current/fullchain.pem -noout -startdate -enddate | python3 -c '
import os, ssl, sys
start, end = (ssl.cert_time_to_seconds(line.split("=")[1].strip()) for line in sys.stdin)
print(int(end - min(int(os.environ["WARNING_DAYS"]) * 86400, (end - start) / 4)))' >"$deadline.new"
    mv "$deadline.new" "$deadline"
fi
if [ "$(date +%s)" -ge "$(cat "$deadline")" ]; then
    echo "the certificate in use $(openssl x509 -in /certificates/current/fullchain.pem -noout -enddate) was not renewed; see the log" >&2
    exit 1
fi
