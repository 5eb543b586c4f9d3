"""Prints how much room a server's database and its media take, as JSON. Runs in Synapse's container, as its user."""

import json
import os
import subprocess

import yaml

LAYERS = ["/data/homeserver.yaml", "/config/homeserver.yaml", os.environ.get("SECRET_CONFIG", "")]
MEDIA = "/data/media_store"
LOCAL = ["local_content", "local_thumbnails"]


def main() -> None:
    print(json.dumps({"database": attempt(database), "media": attempt(media)}))


def attempt(ask):
    """One that does not answer hides nothing of the other."""
    try:
        return ask()
    except Exception:
        return None


def database() -> dict:
    config: dict = {}
    for path in LAYERS:
        if path and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                config |= yaml.safe_load(file) or {}
    block = config["database"]
    if block["name"] == "sqlite3":
        files = [f"{block['args']['database']}{suffix}" for suffix in ("", "-wal", "-shm", "-journal")]
        return {"kind": "sqlite", "bytes": sum(os.path.getsize(file) for file in files if os.path.exists(file))}
    # Not for a server on SQLite, whose image need not have it.
    import psycopg2

    # Some arguments are Synapse's own.
    args = {name: value for name, value in block["args"].items() if not name.startswith("cp_")}
    connection = psycopg2.connect(**{**args, "connect_timeout": 5})
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        [size] = cursor.fetchone()
    connection.close()
    return {"kind": "postgres", "bytes": size}


def media() -> dict:
    local = sum(size(f"{MEDIA}/{directory}") for directory in LOCAL)
    return {"local": local, "remote": size(MEDIA) - local}


def size(directory: str) -> int:
    if not os.path.exists(directory):
        return 0
    printed = subprocess.run(["du", "-sk", directory], capture_output=True, text=True, check=True).stdout
    return int(printed.split()[0]) * 1024


main()
