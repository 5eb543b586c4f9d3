"""Refuses an image that cannot read the database, by Synapse's own rule, before a server is replaced for it.

Runs in the image that is about to be deployed, as Synapse's user. The rule stands in Synapse's
storage/prepare_database.py: a server opens a database whose compat version is at most its own schema version.
"""

import os
import sqlite3
import sys
from contextlib import closing

import yaml
from synapse.storage.schema import SCHEMA_VERSION


def main() -> None:
    with open("/data/homeserver.yaml", encoding="utf-8") as file:
        database = yaml.safe_load(file).get("database", {})
    versions = sqlite_versions(database["args"]["database"]) if database.get("name") == "sqlite3" else None
    if versions is None:
        return
    schema, compat = versions
    if compat > SCHEMA_VERSION:
        last = last_healthy()
        sys.exit(
            f"Refused, and nothing was touched: the database has schema version {schema}, which a Synapse reads that "
            f"knows version {compat} or newer; {os.environ['IMAGE_REFERENCE']} knows {SCHEMA_VERSION} and would not "
            f"start. Set synapse:images.synapse to a newer one{last}, or restore a backup from before."
        )


def sqlite_versions(path: str) -> tuple[int, int] | None:
    """Schema version of the database, and the least that a server must know. None if no server has made it yet."""
    if not os.path.exists(path):
        return None
    try:
        # Nothing is written here, but what a killed server left in its journal counts, and is not seen read-only.
        with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=30)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'schema_compat_version'")
            schema = connection.execute("SELECT version FROM schema_version").fetchone()
            # A Synapse that wrote none counts for one that any other can follow.
            compat = tables.fetchone() and connection.execute("SELECT compat_version FROM schema_compat_version").fetchone()
    except sqlite3.DatabaseError as error:
        if "no such table" in str(error):
            return None
        sys.exit(
            f"Refused, and nothing was touched: the database {path} cannot be read: {error}. "
            "If it was restored, see that it is whole and belongs to the user 991:991."
        )
    return None if schema is None else (schema[0], compat[0] if compat else 0)


def last_healthy() -> str:
    try:
        with open("/data/.synapse-version", encoding="utf-8") as file:
            return f" ({file.read().strip()} was the last that ran)"
    except OSError:
        return ""


main()
