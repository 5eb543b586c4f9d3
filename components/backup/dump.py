"""Copies the database by SQLite's own online backup, and writes the copy into a pipe: dump.py DATABASE COPY PIPE."""

import shutil
import sqlite3
import sys
from contextlib import closing


def main(database: str, copy: str, pipe: str) -> None:
    # What a killed server left in its journal counts, and is not seen read-only.
    with (
        closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True, timeout=60)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
        # A key that was given out already must not be given out again, and is not to be found in what was freed.
        target.execute("PRAGMA secure_delete = ON")
        if target.execute("SELECT 1 FROM sqlite_master WHERE name = 'e2e_one_time_keys_json'").fetchone():
            target.execute("DELETE FROM e2e_one_time_keys_json")
        target.commit()
    with open(copy, "rb") as whole, open(pipe, "wb") as end:
        shutil.copyfileobj(whole, end, 1024 * 1024)


try:
    main(*sys.argv[1:])
except (OSError, sqlite3.Error) as error:
    sys.exit(f"{error}")
