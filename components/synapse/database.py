"""Checks the PostgreSQL database that the server is about to use, before the running one is touched.

Runs in the image that is about to be deployed, as Synapse's user, connected by libpq's own environment variables.
Prints `migrate` when the server's data is in SQLite and has to be moved there, else `ready`.
    SERVER_NAME       Matrix server name
    IMAGE_REFERENCE   the image, for messages
    CHOSEN            "yes" when the settings name the kind of database
"""

import json
import os
import sys
from typing import Any, NoReturn

import psycopg2
import yaml
from psycopg2.extensions import cursor as Cursor
from synapse.storage.schema import SCHEMA_VERSION

DATA = "/data"
SERVER_NAME = os.environ["SERVER_NAME"]
PLACE = f"{os.environ['PGDATABASE']} at {os.environ['PGHOST']}:{os.environ['PGPORT']}"
OLDEST_POSTGRESQL = 14


def main() -> None:
    try:
        connection = psycopg2.connect("", connect_timeout=20)
    except psycopg2.OperationalError as error:
        refuse(f"the database {PLACE} does not let the server in: {str(error).strip()}")
    connection.set_session(readonly=True)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '60s'")
        check_locale(cursor)
        print("migrate" if has_to_move(cursor) else "ready")


def refuse(reason: str) -> NoReturn:
    sys.exit(f"Refused, and nothing was touched: {reason}")


def one(cursor: Cursor, query: str, *values: object) -> Any:
    cursor.execute(query, values)
    row = cursor.fetchone()
    return None if row is None else row[0]


def check_locale(cursor: Cursor) -> None:
    """What Synapse would refuse, or suffer from, in its own words' place."""
    version = cursor.connection.server_version // 10000
    if version < OLDEST_POSTGRESQL:
        refuse(f"{PLACE} is PostgreSQL {version}; Synapse needs {OLDEST_POSTGRESQL} or newer.")
    cursor.execute(
        "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database WHERE datname = current_database()"
    )
    found = cursor.fetchone()
    if found != ("UTF8", "C", "C"):
        encoding, collate, ctype = found or ("?", "?", "?")
        refuse(
            f"{PLACE} has encoding {encoding}, collation {collate} and character type {ctype}; Synapse needs UTF8, C and "
            "C, or its indexes break when the system's libraries change. Make the database anew: CREATE DATABASE … "
            "TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'."
        )
    if not one(cursor, "SELECT has_schema_privilege(current_schema(), 'CREATE')"):
        refuse(f"in {PLACE} the role may create no table. Make it the owner: ALTER DATABASE … OWNER TO ….")


def has_to_move(cursor: Cursor) -> bool:
    """Whether the data is in SQLite. Refuses to be asked for a database that is not this server's."""
    record = text_of(".database")
    unfinished = one(cursor, "SELECT to_regclass('port_from_sqlite3') IS NOT NULL")
    has_tables = one(cursor, "SELECT to_regclass('schema_version') IS NOT NULL")
    file = sqlite_file()
    if os.path.exists(file) and os.path.getsize(file) > 0:
        if record == "" and has_tables and not unfinished:
            refuse(
                f"there is data in {PLACE} and in {file}. If the server ran on PostgreSQL last, move that file off the "
                "volume; if it ran on SQLite, give it an empty database."
            )
        if os.environ["CHOSEN"] != "yes":
            refuse(
                f"the server's data is in SQLite. Say where it is to be: `pulumi config set --path "
                "synapse:database.kind postgres` moves it, which stops the server for that long; sqlite leaves it."
            )
        return True
    if has_tables:
        check_owner(cursor)
        check_schema(cursor)
    elif record != "" and text_of(".synapse-version") != "":
        refuse(
            f"{PLACE} is empty, and the server's data was in PostgreSQL: without it there would be no user and no "
            "room. Restore a backup, or set synapse:database back to where the data is."
        )
    return False


def check_owner(cursor: Cursor) -> None:
    user = one(cursor, "SELECT name FROM users LIMIT 1")
    if user is not None and not user.endswith(f":{SERVER_NAME}"):
        refuse(f"{PLACE} belongs to another server: it has the user {user}. Give {SERVER_NAME} a database of its own.")
    try:
        event = one(
            cursor,
            "SELECT json FROM events JOIN event_json USING (event_id) WHERE sender LIKE %s AND NOT outlier "
            "ORDER BY stream_ordering DESC LIMIT 1",
            f"%:{SERVER_NAME}",
        )
    except psycopg2.errors.QueryCanceled:
        cursor.connection.rollback()
        return
    signed = set(json.loads(event).get("signatures", {}).get(SERVER_NAME, {})) if event else set()
    if signed and not signed & known_keys():
        refuse(
            f"what was written in {PLACE} is signed with {', '.join(sorted(signed))}, and the data volume has another "
            "signing key: other servers would believe neither. Restore the key that belongs to this database."
        )


def known_keys() -> set[str]:
    """The active key, and those that were active before."""
    algorithm, version, _ = text_of(f"{SERVER_NAME}.signing.key").split(maxsplit=2)
    keys = {f"{algorithm}:{version}"}
    for name in ("homeserver.yaml", "old_signing_keys.yaml"):
        keys.update((yaml.safe_load(text_of(name)) or {}).get("old_signing_keys") or {})
    return keys


def check_schema(cursor: Cursor) -> None:
    """Synapse's own rule: a server opens a database whose compat version is at most its own schema version."""
    schema = one(cursor, "SELECT version FROM schema_version")
    # A Synapse that wrote none counts for one that any other can follow.
    has_compat = one(cursor, "SELECT to_regclass('schema_compat_version') IS NOT NULL")
    compat = (one(cursor, "SELECT compat_version FROM schema_compat_version") if has_compat else None) or 0
    if compat > SCHEMA_VERSION:
        last = text_of(".synapse-version")
        refuse(
            f"the database has schema version {schema}, which a Synapse reads that knows version {compat} or newer; "
            f"{os.environ['IMAGE_REFERENCE']} knows {SCHEMA_VERSION} and would not start. Set synapse:images.synapse to "
            f"a newer one{f' ({last} was the last that ran)' if last else ''}, or restore a backup from before."
        )


def sqlite_file() -> str:
    database = (yaml.safe_load(text_of("homeserver.yaml")) or {}).get("database") or {}
    is_sqlite = database.get("name") == "sqlite3"
    return (database.get("args") or {}).get("database", "") if is_sqlite else f"{DATA}/homeserver.db"


def text_of(name: str) -> str:
    try:
        with open(f"{DATA}/{name}", encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


main()
