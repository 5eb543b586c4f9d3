#!/bin/sh
# Runs in a disposable container, as root with CHOWN alone. Keeps its standard input, a line of libpq's password file, as
# one file for each of those who connect, and the CA of the database's certificate beside them.
#   READERS   name=uid:gid of each password file, one a line
#   CA        path of the CA; empty without one

umask 077
line=$(cat)
printf '%s\n' "$READERS" | while IFS='=' read -r reader owner; do
    file="/database/$reader.pgpass"
    # Root may change no file that is another's: it makes one, and gives it away.
    rm -f "$file.new"
    printf '%s\n' "$line" >"$file.new"
    chmod 0400 "$file.new"
    chown "$owner" "$file.new"
    mv "$file.new" "$file"
done
rm -f /database/ca.pem
[ -z "$CA" ] || {
    [ -s "$CA" ] || {
        echo "synapse:database.ca is an empty file, or none, on the Docker host" >&2
        exit 1
    }
    cat "$CA" >/database/ca.pem.new
    chmod 0444 /database/ca.pem.new
    mv /database/ca.pem.new /database/ca.pem
}
