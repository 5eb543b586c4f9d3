#!/bin/sh
# All tests, from whatever state the machine is in: what they need is installed, started or built first.
set -eu
cd "$(dirname "$0")/.."

sh scripts/setup.sh --tests
PATH=$PWD/node_modules/.bin:$PATH
# The images are pulled, or built where no registry answers, while that is tested which needs none.
node commands/images.ts &
images=$!
trap 'kill "$images" 2>/dev/null || true' EXIT
npm run --silent check
npm run --silent test:unit
wait "$images"
trap - EXIT
npm run --silent test:live
if command -v pulumi >/dev/null; then
    npm run --silent test:real-engine
else
    cat <<'NOTICE'

############################################################################
# SKIPPED: the real-engine tests. There is no `pulumi` on PATH, so nothing #
# was tried with the Pulumi CLI and its providers, which is what people    #
# deploy with. Install it and run `npm run test:real-engine`.              #
############################################################################

NOTICE
fi
