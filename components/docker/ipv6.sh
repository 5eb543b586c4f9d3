#!/bin/sh
# Runs beside Pulumi, before a network with IPv6 is made or another one removed for it.
#   LEAST_VERSION   first number of the oldest engine's version that keeps IPv6 clients apart
#   REFUSAL         what to say of an older one
set -eu

version=$(docker version --format '{{.Server.Version}}')
# One without a number fails the comparison, and is refused.
if ! [ "${version%%.*}" -ge "$LEAST_VERSION" ]; then
    echo "$REFUSAL" >&2
    exit 1
fi
