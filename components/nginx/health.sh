#!/bin/sh
# Healthy is: nginx answers, its watcher lives, and nothing that the watcher saw was refused.
set -eu
curl -fsS --max-time 4 -o /dev/null http://127.0.0.1:8081/configuration
if [ -e /run/refused ]; then
    echo "nginx refused a changed certificate and goes on with the old one; see its log" >&2
    exit 1
fi
now=$(date +%s)
if [ $((now - $(stat -c %Y /run/watching))) -gt 60 ]; then
    echo "the watcher that reloads nginx is gone" >&2
    exit 1
fi
