"""Brings a signing key to an empty data volume. Runs in Synapse's image, as root with CHOWN, SETUID and SETGID alone.

Reads what read-key.py prints, and who is to own it, as JSON from standard input. The key itself is written last, so that
what was broken off is told from what is whole; the generation run (generate.sh) makes the rest around it.
"""

import fcntl
import glob
import json
import os
import re
import sys

import yaml
from signedjson.key import encode_verify_key_base64, get_verify_key, read_signing_keys

IMPORTED = "/data/.key-imported"
LOCK = "/data/.generate.lock"


def main() -> None:
    given = json.load(sys.stdin)
    key = f"/data/{given['serverName']}.signing.key"
    if not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", given["serverName"]):
        sys.exit("Nothing was done: the file names no server.")
    check(given)
    uid, gid = map(int, given["owner"].split(":"))
    if not set(os.listdir("/data")) - {"lost+found"}:
        os.chown("/data", uid, gid)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    os.umask(0o077)

    refuse_unless_empty(key)
    try:
        lock = open(LOCK, "a", encoding="utf-8")
    except PermissionError:
        sys.exit(f"Nothing was done: the data volume belongs to somebody else than the user {given['owner']}.")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # A deployment may have been faster.
        refuse_unless_empty(key)
        write(IMPORTED, f"{given['verifyKey']}\n")
        for earlier in [key, *glob.glob(f"{glob.escape(key)}.until-*"), "/data/old_signing_keys.yaml"]:
            if os.path.exists(earlier):
                os.remove(earlier)
        for moment, text in given["replacedKeys"].items():
            write(f"{key}.until-{moment}", text)
        if given["oldSigningKeys"]:
            write("/data/old_signing_keys.yaml", yaml.safe_dump({"old_signing_keys": given["oldSigningKeys"]}))
        write(key, given["signingKey"])


def check(given: dict) -> None:
    try:
        key = read_signing_keys([line for line in given["signingKey"].splitlines() if line.strip()])[0]
        found = f"{key.alg}:{key.version} {encode_verify_key_base64(get_verify_key(key))}"
    except Exception:
        # What it says could quote the key.
        found = ""
    if found != given["verifyKey"]:
        sys.exit("Nothing was done: the file holds no signing key, or another one than it says.")


def refuse_unless_empty(key: str) -> None:
    """An import that no deployment has taken up yet may be done again."""
    there = set(os.listdir("/data"))
    own = {"lost+found", ".generate.lock"}
    if ".key-imported" in there:
        own |= {".key-imported", ".write-key.new", "old_signing_keys.yaml", os.path.basename(key)}
        own |= {name for name in there if name.startswith(f"{os.path.basename(key)}.until-")}
    for what, pattern in (("a signing key", r".*\.signing\.key"), ("a database", r"homeserver\.db")):
        found = [name for name in there - own if re.fullmatch(pattern, name)]
        if found:
            sys.exit(f"Nothing was done: the data volume holds {what}, {found[0]}. A key is imported into an empty volume.")
    if there - own:
        sys.exit(f"Nothing was done: the data volume is not empty: it holds {', '.join(sorted(there - own)[:5])}.")


def write(path: str, text: str) -> None:
    """Whole, or not at all."""
    new = "/data/.write-key.new"
    with open(new, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
    directory = os.open("/data", os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


main()
