#!/usr/bin/env bash
# Prepares a server's data, initialises it where there is none, then becomes the given command: the official entrypoint's
# contract, with its variables, order and exit codes.
set -Eeuo pipefail

# The value of a variable, or of the file that <variable>_FILE names.
file_env() {
    local file="${1}_FILE"
    if [ -n "${!1:-}" ] && [ -n "${!file:-}" ]; then
        echo "error: both $1 and $file are set (but are exclusive)" >&2
        exit 1
    fi
    local value="${!1:-${2:-}}"
    if [ -n "${!file:-}" ]; then value=$(<"${!file}"); fi
    export "$1"="$value"
    unset "$file"
}

setup_env() {
    file_env POSTGRES_PASSWORD
    file_env POSTGRES_USER postgres
    file_env POSTGRES_DB "$POSTGRES_USER"
    file_env POSTGRES_INITDB_ARGS
    : "${POSTGRES_HOST_AUTH_METHOD:=}"
    # Written first by initdb: an initialisation that failed later leaves it behind as well, as officially.
    DATABASE_ALREADY_EXISTS=""
    if [ -s "$PGDATA/PG_VERSION" ]; then DATABASE_ALREADY_EXISTS=true; fi
}

create_directories() {
    mkdir -p "$PGDATA"
    # None of these has to succeed: another's folder may do as it is, and PostgreSQL itself is particular.
    chmod 00700 "$PGDATA" || :
    mkdir -p /var/run/postgresql || :
    chmod 03775 /var/run/postgresql || :
    if [ "$(id -u)" = 0 ]; then
        find "$PGDATA" /var/run/postgresql ! -user postgres -exec chown postgres {} +
    fi
}

# The server is prepared as root where the container is root's, and runs as postgres.
become_postgres() {
    if [ "$(id -u)" = 0 ]; then exec gosu postgres "$0" "$@"; fi
}

verify_password() {
    if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
        echo "Error: Database is uninitialized and superuser password is not specified." >&2
        echo "       Set POSTGRES_PASSWORD, POSTGRES_PASSWORD_FILE or POSTGRES_HOST_AUTH_METHOD=trust." >&2
        exit 1
    fi
    if [ -n "${POSTGRES_INITDB_WALDIR:-}" ]; then
        echo "Error: this equivalent of the official image does not know POSTGRES_INITDB_WALDIR." >&2
        exit 1
    fi
}

# Without a name in /etc/passwd initdb refuses to work; any number may be the container's user.
with_user_name() {
    if getent passwd "$(id -u)" >/dev/null; then
        "$@"
        return
    fi
    local names status=0
    names=$(mktemp -d)
    printf 'postgres:x:%s:%s:PostgreSQL:%s:/bin/false\n' "$(id -u)" "$(id -g)" "$PGDATA" >"$names/passwd"
    printf 'postgres:x:%s:\n' "$(id -g)" >"$names/group"
    NSS_WRAPPER_PASSWD=$names/passwd NSS_WRAPPER_GROUP=$names/group \
        LD_PRELOAD=$(ls /usr/lib/*/libnss_wrapper.so) "$@" || status=$?
    rm -rf "$names"
    return "$status"
}

init_directory() {
    # The arguments may be quoted as for a shell.
    eval 'with_user_name initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD")' \
        "$POSTGRES_INITDB_ARGS"
}

setup_hba() {
    local method=$POSTGRES_HOST_AUTH_METHOD
    : "${method:=$(postgres -C password_encryption "$@")}"
    printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

# Runs SQL in the database that is made; more arguments go to psql.
process_sql() {
    PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password --no-psqlrc \
        --dbname "$POSTGRES_DB" "$@"
}

setup_database() {
    local exists
    exists=$(process_sql --dbname postgres --set db="$POSTGRES_DB" --tuples-only \
        <<<"SELECT 1 FROM pg_database WHERE datname = :'db'")
    [ -n "$exists" ] || process_sql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db"'
}

# A script that is not executable runs in this very shell.
# shellcheck source=/dev/null
process_files() {
    local file
    for file; do
        echo "$0: running $file"
        case $file in
            *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
            *.sql) process_sql -f "$file" ;;
            *.sql.gz) gunzip -c "$file" | process_sql ;;
            *.sql.xz) xzcat "$file" | process_sql ;;
            *.sql.zst) zstd -dc "$file" | process_sql ;;
            *) echo "$0: ignoring $file" ;;
        esac
    done
}

# Makes the database by a server that listens on the socket alone.
initialise() {
    verify_password
    # An unreadable folder is found before anything is made.
    ls /docker-entrypoint-initdb.d/ >/dev/null
    init_directory
    shift
    setup_hba "$@"
    export PGPASSWORD="${PGPASSWORD:-$POSTGRES_PASSWORD}"
    PGUSER="${PGUSER:-$POSTGRES_USER}" \
        pg_ctl -D "$PGDATA" -o "$(printf '%q ' "$@" -c listen_addresses= -p "${PGPORT:-5432}")" -w start
    setup_database
    shopt -s nullglob
    process_files /docker-entrypoint-initdb.d/*
    PGUSER="${PGUSER:-postgres}" pg_ctl -D "$PGDATA" -m fast -w stop
    unset PGPASSWORD
    echo
    echo "PostgreSQL init process complete; ready for start up."
}

asks_for_help() {
    [[ " $* " =~ " -? "|" --help "|" --describe-config "|" -V "|" --version " ]]
}

main() {
    if [ "${1:0:1}" = - ]; then set -- postgres "$@"; fi
    if [ "${1:-}" = postgres ] && ! asks_for_help "$@"; then
        setup_env
        create_directories
        become_postgres "$@"
        if [ -z "$DATABASE_ALREADY_EXISTS" ]; then
            initialise "$@"
        else
            echo "PostgreSQL Database directory appears to contain a database; Skipping initialization"
        fi
    fi
    exec "$@"
}

# docker-ensure-initdb.sh takes its functions from here.
if [ "${BASH_SOURCE[0]}" = "$0" ]; then main "$@"; fi
