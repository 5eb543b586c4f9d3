#!/bin/sh
# Makes this machine ready: Node.js, the npm packages, a Docker engine that answers. Says nothing if all is there.
#
#   scripts/setup.sh              what `npm start` needs
#   scripts/setup.sh --tests      and what the tests need: Chromium, shellcheck, an ACME server
#   scripts/setup.sh --npm-only   only Node.js and the npm packages
#
# Before it installs Debian's packages as root it says which and why, and asks where there is a terminal.
# --yes, or SYNAPSE_SETUP_YES=1 in the environment, answers that.
set -eu
cd "$(dirname "$0")/.."

npm_only=no
tests=no
yes=no
[ -z "${SYNAPSE_SETUP_YES:-}" ] || yes=yes
for option in "$@"; do
    case $option in
        --npm-only) npm_only=yes ;;
        --tests) tests=yes ;;
        --yes) yes=yes ;;
        *)
            echo "setup.sh: unknown option $option (there are --tests, --npm-only and --yes)" >&2
            exit 2
            ;;
    esac
done

main() {
    require_npm
    install_npm_packages
    require_node
    [ "$npm_only" = no ] || return 0
    require_docker_client
    require_docker_engine
    [ "$tests" = no ] || install_test_tools
}

# An old one will do: with the packages comes the Node.js that everything runs with.
require_npm() {
    command -v npm >/dev/null || fail "Node.js with npm is needed: https://nodejs.org/en/download"
}

install_npm_packages() {
    # A link leads to somebody else's packages, which `npm ci` would remove.
    [ ! -L node_modules ] || return 0
    # npm writes this file last, so it is there only after an installation that came to its end.
    finished=node_modules/.package-lock.json
    if [ -f "$finished" ] && [ -z "$(find package-lock.json -newer "$finished")" ]; then
        return
    fi
    # An interrupted `npm ci` may have removed packages and not yet this.
    rm -f "$finished"
    with_progress "installing npm packages" npm ci --no-audit --no-fund ||
        fail "\`npm ci\` failed; the end of its output is above"
    touch "$finished"
}

require_node() {
    # The one among the packages is for Linux with glibc on x64 and arm64. Elsewhere the machine's own must do.
    ours=node_modules/.bin/node
    [ ! -e "$ours" ] || "$ours" --version >/dev/null 2>&1 || rm "$ours"
    PATH=$PWD/node_modules/.bin:$PATH
    # The same as "engines" in package.json.
    wanted="22.18"
    [ "$(node --print process.features.typescript)" = strip ] ||
        fail "Node.js $wanted or newer is needed, this is $(node --version): https://nodejs.org/en/download"
}

require_docker_client() {
    command -v docker >/dev/null || install_docker
}

require_docker_engine() {
    context=$(chosen_context)
    use_context="export DOCKER_HOST=\$(docker context inspect --format '{{.Endpoints.docker.Host}}')"
    if engine_answers; then
        [ -z "$context" ] ||
            echo "setup: note: the context $context is not used unless DOCKER_HOST names its engine: $use_context"
        return 0
    fi
    # Whoever has chosen another engine wants none installed.
    [ -z "$context" ] || fail "no Docker engine answers at /var/run/docker.sock, and the context $context is not used unless DOCKER_HOST names its engine: $use_context"
    desktop=${HOME:-}/.docker/run/docker.sock
    if [ -z "${DOCKER_HOST:-}" ] && [ "$(uname)" = Darwin ] && [ -S "$desktop" ]; then
        fail "no Docker engine answers at /var/run/docker.sock, and Docker Desktop's is not used unless DOCKER_HOST names it: export DOCKER_HOST=unix://$desktop"
    fi

    case ${DOCKER_HOST:-unix:///var/run/docker.sock} in
        unix:///var/run/docker.sock | unix:///run/docker.sock) ;;
        *) fail "no Docker engine answers at DOCKER_HOST=$DOCKER_HOST" ;;
    esac
    if [ -S /var/run/docker.sock ] && [ ! -w /var/run/docker.sock ]; then
        fail "$(id -un) may not use the Docker engine: \`sudo usermod -aG docker $(id -un)\`, then log in again"
    fi
    command -v dockerd >/dev/null || install_docker
    # Debian's package may have started it already.
    engine_answers || start_engine
}

# Where the program and Pulumi's provider look for it; the client alone would also follow `docker context`.
engine_answers() {
    DOCKER_HOST=${DOCKER_HOST:-unix:///var/run/docker.sock} docker version --format . >/dev/null 2>&1
}

# The context that the docker client would use, and neither this program nor Pulumi's provider does; nothing for the
# usual one, and where DOCKER_HOST says which engine is meant.
chosen_context() {
    [ -z "${DOCKER_HOST:-}" ] || return 0
    name=$(docker context inspect --format '{{.Name}}' 2>/dev/null) || return 0
    [ "$name" = default ] || echo "$name"
}

install_docker() {
    may_install || fail "Docker is needed: https://docs.docker.com/engine/install/ (or run this as root on Debian or Ubuntu)"
    ask_to_install "the server runs in Docker's containers" \
        docker.io "docker-cli (where that is a package of its own)"
    # In newer Debian releases the client is a package of its own, and only recommended.
    update_package_lists
    if apt-cache show docker-cli >/dev/null 2>&1; then
        install_packages docker.io docker-cli
    else
        install_packages docker.io
    fi
}

start_engine() {
    [ "$(id -u)" -eq 0 ] || fail "the Docker engine is not running; start it with: sudo systemctl start docker"
    if [ -d /run/systemd/system ]; then
        echo "setup: starting the Docker engine"
        systemctl start docker || fail "\`systemctl start docker\` failed; see: journalctl -u docker"
        wait_for_engine
        return
    fi

    log=/var/log/dockerd.log
    # One that runs and does not answer yet is starting.
    if ! runs dockerd /var/run/docker.pid; then
        echo "setup: starting the Docker engine (log: $log)"
        remove_leftovers
        # A session of its own: Ctrl-C here must not stop it.
        setsid nohup dockerd >>"$log" 2>&1 </dev/null &
        engine=$!
    fi
    wait_for_engine
}

# After a power cut or a kill -9. Docker takes any process that has the number in a pid file for itself, and
# then refuses to start or waits for a socket that nobody serves.
remove_leftovers() {
    rm -f /var/run/docker.pid /var/run/docker.sock
    containerd=/var/run/docker/containerd
    if ! runs containerd "$containerd/containerd.pid"; then
        rm -f "$containerd/containerd.pid" "$containerd"/*.sock "$containerd"/*.sock.ttrpc
    fi
}

# Whether the process in the pid file $2 is alive and is the program $1. A zombie keeps its name but has no program.
runs() {
    [ -s "$2" ] || return 1
    process=/proc/$(cat "$2")
    [ "$(cat "$process/comm" 2>/dev/null)" = "$1" ] && [ -e "$process/exe" ]
}

wait_for_engine() {
    tries=0
    until engine_answers; do
        tries=$((tries + 1))
        # If ours is gone and another runs, that one was started at the same moment: it will answer.
        if [ "$tries" -gt 240 ] || { engine_is_gone && ! runs dockerd /var/run/docker.pid; }; then
            [ -z "${log:-}" ] || tail -n 15 "$log" >&2
            fail "the Docker engine did not start; its log: ${log:-journalctl -u docker}"
        fi
        [ $((tries % 40)) -ne 0 ] || echo "setup: waiting for the Docker engine ($((tries / 4)) s)"
        sleep 0.25
    done
}

engine_is_gone() {
    [ -n "${engine:-}" ] && ! kill -0 "$engine" 2>/dev/null
}

install_test_tools() {
    missing=""
    for tool in chromium:chromium shellcheck:shellcheck certutil:libnss3-tools testssl:testssl.sh pebble:pebble; do
        command -v "${tool%:*}" >/dev/null || missing="$missing ${tool#*:}"
    done
    # A Debian that has python3 may still lack this part of it.
    python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
    if [ -n "$missing" ]; then
        may_install || fail "the tests need:$missing (or run this as root on Debian or Ubuntu)"
        # shellcheck disable=SC2086  # a list of words on purpose
        ask_to_install "the tests use them" $missing
        update_package_lists
        # shellcheck disable=SC2086  # a list of words on purpose
        install_packages $missing
    fi
    if [ ! -x .tools/gixy/bin/gixy ]; then
        rm -rf .tools/gixy
        with_progress "installing gixy" sh -c 'python3 -m venv .tools/gixy && .tools/gixy/bin/pip install --quiet gixy-ng==0.2.59' ||
            fail "gixy could not be installed; the end of the output is above"
    fi
    # For the workflows alone, so Go is not installed for it: where it is missing, that check is skipped, and says so.
    if [ ! -x .tools/actionlint/actionlint ] && command -v go >/dev/null; then
        with_progress "installing actionlint" env GOBIN="$PWD/.tools/actionlint" \
            go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 ||
            fail "actionlint could not be installed; the end of the output is above"
    fi
    # Likewise: Debian's pebble is older than certificate profiles, and without a newer one their test is skipped.
    if [ ! -x .tools/pebble/pebble ] && command -v go >/dev/null; then
        with_progress "installing pebble" env GOBIN="$PWD/.tools/pebble" \
            go install github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1 ||
            fail "pebble could not be installed; the end of the output is above"
    fi
    # An S3 server, without which the test of backups to one is skipped.
    if [ ! -x .tools/versitygw/versitygw ] && command -v go >/dev/null; then
        with_progress "installing versitygw" env GOBIN="$PWD/.tools/versitygw" \
            go install github.com/versity/versitygw/cmd/versitygw@v1.8.0 ||
            fail "versitygw could not be installed; the end of the output is above"
    fi
}

may_install() {
    [ "$(id -u)" -eq 0 ] && [ -f /etc/debian_version ]
}

# ask_to_install WHY PACKAGE…: says it, and comes back only with a yes; where nobody can be asked, at once.
ask_to_install() {
    why=$1
    shift
    # Where a person sees it, though the output goes elsewhere, as in `npm start | tee log`.
    {
        echo "setup: to install as root, with apt-get, as $why:"
        printf 'setup:   %s\n' "$@"
    } >&2
    if [ "$yes" = yes ] || [ ! -t 0 ]; then
        return 0
    fi
    trap 'echo >&2; declined' INT
    printf 'setup: install them now? [y/N] ' >&2
    IFS= read -r answer || answer=""
    trap - INT
    case $answer in
        [yY] | [yY][eE][sS]) ;;
        *) declined ;;
    esac
}

declined() {
    fail "nothing was installed. Install it yourself, or run this again and answer y"
}

update_package_lists() {
    with_progress "updating Debian's package lists" apt-get update ||
        fail "\`apt-get update\` failed; the end of its output is above"
}

install_packages() {
    DEBIAN_FRONTEND=noninteractive with_progress "installing $*" \
        apt-get install -y --no-install-recommends "$@" ||
        fail "\`apt-get install $*\` failed; the end of its output is above"
}

# with_progress WHAT COMMAND…: runs it quietly, with a line every five seconds; the end of its output if it fails.
# The command stays in the foreground, where Ctrl-C reaches it.
with_progress() {
    what=$1
    shift
    echo "setup: $what"
    output=$(mktemp)
    (
        seconds=0
        # Without an output of its own: whoever reads ours would otherwise wait for the last sleep to end.
        while sleep 5 >/dev/null 2>&1; do
            seconds=$((seconds + 5))
            echo "setup: $what ($seconds s)"
        done
    ) &
    ticker=$!
    trap 'kill "$ticker" 2>/dev/null; rm -f "$output"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    status=0
    "$@" >"$output" 2>&1 || status=$?
    kill "$ticker" 2>/dev/null || true
    [ "$status" -eq 0 ] || tail -n 60 "$output" >&2
    rm -f "$output"
    trap - EXIT INT TERM
    return "$status"
}

fail() {
    echo "setup: $1" >&2
    exit 1
}

main
