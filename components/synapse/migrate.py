"""Moves the server's data from SQLite to PostgreSQL with Synapse's own synapse_port_db, while the server is stopped.

Runs in the image that is about to be deployed, as Synapse's user, connected by libpq's own environment variables.
Interrupted, the next run goes on where this one was, as synapse_port_db does; a server that has run on SQLite in
between has taken the marker away (start.sh), and then it begins anew.
    CHECKED   what the check of the database said: `migrate`, or `ready` when there is nothing to move
    BEGUN     path of the marker
    LOCK      file that the server holds while it runs on SQLite, and this script while it moves the data
"""

import collections
import fcntl
import os
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import datetime, timezone
from typing import Any, TextIO

import psycopg2
import yaml
from synapse._scripts.synapse_port_db import IGNORED_TABLES

RECORD = "/data/.database"
BEGUN = os.environ["BEGUN"]
LOCK = os.environ["LOCK"]
# Transactions of the last day alone are moved; the search index leaves out what it cannot index; the last three say
# how far each database itself has come.
NOT_COMPARED = IGNORED_TABLES | {
    "sent_transactions",
    "event_search",
    "user_directory_stream_pos",
    "schema_version",
    "schema_compat_version",
    "applied_schema_deltas",
    "applied_module_schemas",
    "background_updates",
}


def main() -> None:
    if os.environ["CHECKED"] != "migrate":
        return
    # Held until this process ends.
    lock = open(LOCK, "a", encoding="utf-8")
    hold(lock)
    with open("/data/homeserver.yaml", encoding="utf-8") as file:
        config = yaml.safe_load(file)
    database = config.get("database") or {}
    path = database["args"]["database"] if database.get("name") == "sqlite3" else "/data/homeserver.db"
    if not os.path.exists(RECORD):
        move(config, path)
        write(RECORD, "postgres\n")
    # From here on the server is on PostgreSQL, and what is left is tidying up.
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS port_from_sqlite3")
    keep(path)
    if os.path.exists(BEGUN):
        os.remove(BEGUN)


def move(config: dict[str, Any], path: str) -> None:
    started = time.monotonic()
    finish_background_updates(config, path)
    if not os.path.exists(BEGUN):
        # What stands there is from a migration that was given up; the check before has seen to it.
        empty()
        write(BEGUN, "")
    port(config, path)
    different = compare(path)
    if different:
        # Tables that are moved anew can take others with them. From the beginning there are none.
        say("Not every row has arrived; beginning anew.")
        empty()
        write(BEGUN, "")
        port(config, path)
        different = compare(path)
    if different:
        sys.exit(
            "The rows of these tables are not as many in PostgreSQL as in SQLite, which was not touched: "
            + "; ".join(f"{table} {there} of {here}" for table, here, there in different)
        )
    say(f"Everything has arrived, after {time.monotonic() - started:.0f} s.")


def hold(lock: TextIO) -> None:
    """Of a run that was killed the container goes on, and the server must not write what is being moved."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            say("An earlier run is still moving the data; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        else:
            sys.exit("The server has been started again, and writes to SQLite. Run this again.")


def connect() -> "psycopg2.extensions.connection":
    return psycopg2.connect("", connect_timeout=20)


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def write(path: str, text: str) -> None:
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.new", path)


def run(module: str, *arguments: str) -> None:
    """One of Synapse's scripts, its progress told every few seconds and its drops of rows kept."""
    command = [sys.executable, "-u", "-m", f"synapse._scripts.{module}", *arguments]
    last: collections.deque[str] = collections.deque(maxlen=40)
    told = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/tmp") as process:
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line)
            if "DROPPING ROW" in line:
                with open(BEGUN, "a", encoding="utf-8") as file:
                    file.write(f"{re.sub(r'.*in table (\S+) .*', r'\1', line.strip())}\n")
            progress = re.fullmatch(r"(\w+): \d+% \(\d+/\d+\)\n", line)
            if progress and time.monotonic() - told >= 5:
                told = time.monotonic()
                say(f"Moving to PostgreSQL: {line.strip()}")
    if process.returncode != 0:
        sys.exit(f"{module} failed; what is in SQLite is untouched. It said last:\n{''.join(last)}")


def finish_background_updates(config: dict[str, Any], path: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM background_updates").fetchone()
    if count == 0:
        return
    say(f"Finishing {count} background updates of the SQLite database.")
    args = {"database": path, "cp_min": 1, "cp_max": 1}
    layer("/tmp/sqlite.yaml", {**config, "database": {"name": "sqlite3", "args": args}})
    run("update_synapse_database", "--database-config=/tmp/sqlite.yaml", "--run-background-updates")


def port(config: dict[str, Any], path: str) -> None:
    names = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER", "passfile": "PGPASSFILE"}
    args = {name: os.environ[variable] for name, variable in names.items()}
    layer("/tmp/postgres.yaml", {**config, "database": {"name": "psycopg2", "args": {**args, "cp_min": 1, "cp_max": 5}}})
    run("synapse_port_db", f"--sqlite-database={path}", "--postgres-config=/tmp/postgres.yaml")


def layer(path: str, config: dict[str, Any]) -> None:
    os.umask(0o077)
    # Nobody is to be spared while the server is away.
    hurry = {"background_updates": {"sleep_enabled": False, "sleep_duration_ms": 1, "min_batch_size": 1000}}
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump({**config, **hurry}, file)


def empty() -> None:
    """Removes what an unfinished migration made: tables, sequences and functions of the role's own."""
    kinds = (
        ("TABLE", "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE tableowner = current_user"),
        ("SEQUENCE", "SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences WHERE sequenceowner = current_user"),
        (
            "ROUTINE",
            "SELECT pg_proc.oid::regprocedure::text FROM pg_proc JOIN pg_roles ON pg_roles.oid = proowner "
            "WHERE rolname = current_user",
        ),
    )
    with connect() as connection, connection.cursor() as cursor:
        for kind, query in kinds:
            cursor.execute(query)
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP {kind} IF EXISTS {name} CASCADE")


def compare(path: str) -> list[tuple[str, int, int]]:
    """Tables whose rows are not as many: their name, how many there should be, and how many there are."""
    dropped: collections.Counter[str] = collections.Counter()
    with open(BEGUN, encoding="utf-8") as file:
        dropped.update(file.read().split())
    different = []
    with closing(sqlite3.connect(path)) as sqlite, connect() as postgres, postgres.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        there = {table for (table,) in cursor.fetchall()}
        tables = [table for (table,) in sqlite.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        compared = [table for table in tables if table in there and table not in NOT_COMPARED]
        for table in compared:
            (wanted,) = sqlite.execute(f'SELECT count(*) FROM "{table}"').fetchone()
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            (found,) = cursor.fetchone() or (0,)
            if found + dropped[table] != wanted:
                different.append((table, wanted, found))
    say(f"Compared the rows of {len(compared)} tables.")
    return different


def keep(path: str) -> None:
    """The SQLite file, under a name with the date, where nothing takes it for the server's."""
    if not os.path.exists(path):
        return
    kept = f"{path}.{datetime.now(timezone.utc):%Y-%m-%dT%H%M%SZ}"
    for suffix in ("-wal", "-shm", "-journal"):
        if os.path.exists(path + suffix):
            os.replace(path + suffix, kept + suffix)
    os.replace(path, kept)
    say(f"The SQLite database is kept as {kept}.")


try:
    main()
except (OSError, sqlite3.Error, psycopg2.Error) as error:
    sys.exit(f"The data could not be moved to PostgreSQL; what is in SQLite is untouched: {str(error).strip()}")
