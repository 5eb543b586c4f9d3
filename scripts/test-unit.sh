#!/bin/sh
# The tests that need no Docker. Those that start nothing and replace nothing of Node's share a process: to start one
# each takes longer than they do.
set -eu
cd "$(dirname "$0")/.."
together="acme hooks images nginx-conf postgres settings verification"
# shellcheck disable=SC2046,SC2086  # words, on purpose
(cd tests/unit && node --test --test-isolation=none $(find $together -name '*.test.ts'))
alone=
for directory in $together; do alone="$alone -path tests/unit/$directory -prune -o"; done
# shellcheck disable=SC2046,SC2086  # words, on purpose
node --test $(find tests/unit tests/program $alone -name '*.test.ts' -print)
