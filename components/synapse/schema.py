"""Refuses an image that cannot read the database, by Synapse's own rule, before a server is replaced for it.

Runs in the image that is about to be deployed, with the data volume read-only at /data. The rule stands in Synapse's
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
    # After a crash a journal waits to be rolled back, which needs a volume that can be written: then as it stands.
    for mode in ("mode=ro", "immutable=1"):
        try:
            with closing(sqlite3.connect(f"file:{path}?{mode}", uri=True, timeout=10)) as connection:
                (schema,) = connection.execute("SELECT version FROM schema_version").fetchone()
                row = connection.execute("SELECT compat_version FROM schema_compat_version").fetchone()
                # Synapse before 1.37 wrote none, and any other takes that for readable.
                return schema, row[0] if row else 0
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return None
            failure = error
    sys.exit(f"The database {path} cannot be read: {failure}")


def last_healthy() -> str:
    try:
        with open("/data/.synapse-version", encoding="utf-8") as file:
            return f" ({file.read().strip()} was the last that ran)"
    except OSError:
        return ""


main()
