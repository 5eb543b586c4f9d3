"""Prints a server's signing key, and those that it had before, as JSON. Runs in Synapse's image, as its user."""

import glob
import json
import os
import sys

import yaml
from signedjson.key import encode_verify_key_base64, get_verify_key, read_signing_keys

SUFFIX = ".signing.key"


def main() -> None:
    keys = glob.glob(f"/data/*{SUFFIX}")
    if len(keys) != 1:
        sys.exit(f"There are {len(keys)} signing keys on the data volume, where one is expected; nothing was read.")
    [path] = keys
    if os.path.exists(f"{path}.next"):
        sys.exit(
            "The server is about to get another key: a deployment has prepared it, and the server has not started with "
            "it yet. Finish that deployment, and export the key then."
        )
    text = read(path)
    try:
        key = read_signing_keys([line for line in text.splitlines() if line.strip()])[0]
    except Exception:
        # What it says could quote the file.
        sys.exit(f"{path} is no signing key; nothing was read.")
    old = option("/data/homeserver.yaml") | option("/data/old_signing_keys.yaml")
    before = f"{path}.until-"
    print(
        json.dumps(
            {
                "serverName": os.path.basename(path).removesuffix(SUFFIX),
                "verifyKey": f"{key.alg}:{key.version} {encode_verify_key_base64(get_verify_key(key))}",
                "signingKey": text,
                "oldSigningKeys": {
                    name: {"key": old[name]["key"], "expired_ts": old[name]["expired_ts"]} for name in old
                },
                "replacedKeys": {
                    file.removeprefix(before): read(file) for file in sorted(glob.glob(f"{glob.escape(before)}*"))
                },
            }
        )
    )


def option(path: str) -> dict:
    if not os.path.exists(path):
        return {}
    return (yaml.safe_load(read(path)) or {}).get("old_signing_keys") or {}


def read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


main()
