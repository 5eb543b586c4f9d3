"""Has the server sign with the key that the generation run has prepared. The key until now becomes an old one.

Runs in Synapse's container before Synapse, when nobody signs: other servers refuse what an old key has signed after its
`expired_ts`. Each file is whole at every moment, and the last step is the one that makes the prepared key the server's:
killed before that, it begins anew.
    SIGNING_KEY   path of the server's signing key
    KEY_ROTATION  how often the key has been replaced, as this container was made for
"""

import fcntl
import glob
import os
import sys
import time

import yaml
from signedjson.key import encode_verify_key_base64, get_verify_key, read_signing_keys

KEY = os.environ["SIGNING_KEY"]
DIRECTORY = os.path.dirname(KEY)
NEXT = f"{KEY}.next"
OLD_KEYS = f"{DIRECTORY}/old_signing_keys.yaml"
OPTION = "old_signing_keys"


def main() -> None:
    with open(f"{DIRECTORY}/.generate.lock", "a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        number, *keys = read(f"{DIRECTORY}/.key-rotation").splitlines()
        # A server that a deployment is about to replace goes on with the key it has.
        if number != os.environ["KEY_ROTATION"] or not os.path.exists(NEXT):
            return
        current = read(KEY)
        if keys != [" ".join(public_keys(text)[0]) for text in (current, read(NEXT))]:
            sys.exit(f"{NEXT} was not made to follow the key in {KEY}: refusing to start. Run the deployment again.")
        retire(current)
        os.replace(NEXT, KEY)
        sync_directory()
    print(f"The server signs with another key from now on; {keys[0]} is an old one.", file=sys.stderr)


def retire(text: str) -> None:
    now = time.time_ns() // 1_000_000
    # Synapse takes the option from the last file that has it, so what the generated one says is repeated here.
    old = option(f"{DIRECTORY}/homeserver.yaml") | (option(OLD_KEYS) if os.path.exists(OLD_KEYS) else {})
    old |= {name: {"key": key, "expired_ts": now} for name, key in public_keys(text)}
    write(OLD_KEYS, yaml.safe_dump({OPTION: old}, sort_keys=False))
    if all(read(kept) != text for kept in glob.glob(f"{glob.escape(KEY)}.until-*")):
        write(f"{KEY}.until-{time.strftime('%Y-%m-%dT%H%M%SZ', time.gmtime())}", text)


def public_keys(text: str) -> list[tuple[str, str]]:
    """Names and public halves of the keys in a file of signing keys."""
    keys = read_signing_keys([line for line in text.splitlines() if line.strip()])
    return [(f"{key.alg}:{key.version}", encode_verify_key_base64(get_verify_key(key))) for key in keys]


def option(path: str) -> dict:
    return (yaml.safe_load(read(path)) or {}).get(OPTION) or {}


def read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path: str, text: str) -> None:
    """Whole, or not at all. What is left when it is broken off has a name that the next run uses again."""
    new = f"{DIRECTORY}/.switch-key.new"
    with open(new, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
    sync_directory()


def sync_directory() -> None:
    directory = os.open(DIRECTORY, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


main()
