"""Runs in Synapse's container: asks its admin API. Reads one request from standard input, prints one answer; both JSON.

The shared secret, access tokens and the operator's password stay in this process.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import signal
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager

import yaml

SYNAPSE = "http://127.0.0.1:8008"
# As start.sh hands them to Synapse: an option is that of the last layer that has it.
LAYERS = ["/data/homeserver.yaml", "/config/homeserver.yaml", os.environ.get("SECRET_CONFIG", "")]
OPERATOR = re.compile(r"@stack-operator-[0-9a-f]{16}:")
# No run takes longer, and by then a token that was left behind has expired.
LEFT_BEHIND_MS = 10 * 60 * 1000


class Fault(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def configuration():
    merged = {}
    for layer in filter(None, LAYERS):
        with open(layer, encoding="utf-8") as file:
            merged.update(yaml.safe_load(file) or {})
    return merged


CONFIGURATION = configuration()
# Without the proxies that the container's environment may name.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(method, path, body=None, token=None):
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(SYNAPSE + path, data, headers, method=method)
    try:
        with OPENER.open(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        try:
            said = json.load(error)
        except ValueError:
            said = {}
        reason = str(said.get("error") or error.reason).rstrip(".")
        raise Fault(said.get("errcode", ""), f"{reason} ({error.code})") from None
    except OSError as error:
        raise Fault("", f"Synapse does not answer in its container: {error}") from None


def shared_secret():
    path = CONFIGURATION.get("registration_shared_secret_path")
    if path:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    secret = CONFIGURATION.get("registration_shared_secret")
    if not secret:
        raise Fault("NO_SECRET", "The server's configuration has no registration_shared_secret")
    return secret


def register(localpart, password, admin, **more):
    secret = shared_secret()
    nonce = ask("GET", "/_synapse/admin/v1/register")["nonce"]
    signed = [nonce, localpart, password, "admin" if admin else "notadmin"]
    signed += [more["user_type"]] if "user_type" in more else []
    mac = hmac.new(secret.encode(), "\0".join(signed).encode(), hashlib.sha1).hexdigest()
    account = {"nonce": nonce, "username": localpart, "password": password, "admin": admin, "mac": mac}
    return ask("POST", "/_synapse/admin/v1/register", {**account, **more})


def path_of(user, of="v2/users"):
    return f"/_synapse/admin/{of}/{urllib.parse.quote(user, safe='')}"


@contextmanager
def operator():
    """An access token of an administrator who is there for this run alone.

    Nobody knows the password, and the token lasts minutes: with `refresh_token` it is of the kind that expires.
    """
    name = f"stack-operator-{secrets.token_hex(8)}"
    made = register(name, secrets.token_urlsafe(48), True, user_type="support", refresh_token=True)
    if "access_token" not in made:
        raise Fault("", "Synapse made an account but did not log it in")
    token = made["access_token"]
    try:
        retire_left_behind(token)
        yield token
    finally:
        retire(made["user_id"], token)


def retire(user, token):
    try:
        ask("POST", path_of(user, "v1/deactivate"), {"erase": True}, token)
    except Fault as fault:
        note(f"{user} could not be deactivated: {fault}. A later run will do it.")
        # What was done before stays done, so neither fault is the answer.
        try:
            ask("POST", "/_matrix/client/v3/logout", {}, token)
        except Fault as second:
            note(f"{user} could not be logged out: {second}. Its token expires within minutes.")


def note(text):
    print(text, file=sys.stderr)


def retire_left_behind(token):
    """Of runs that were killed half-way."""
    before = time.time() * 1000 - LEFT_BEHIND_MS
    for user in users(token, user_id="stack-operator-"):
        if OPERATOR.match(user["name"]) and user["creation_ts"] < before:
            try:
                ask("POST", path_of(user["name"], "v1/deactivate"), {"erase": True}, token)
            except Fault as fault:
                note(f"{user['name']}, of an earlier run, could not be deactivated: {fault}.")


def users(token, **filters):
    query = {"guests": "false", "locked": "true", "limit": "100", "from": "0", **filters}
    while True:
        page = ask("GET", f"/_synapse/admin/v2/users?{urllib.parse.urlencode(query)}", token=token)
        yield from page["users"]
        if "next_token" not in page:
            return
        query["from"] = page["next_token"]


def account(user, token):
    try:
        return ask("GET", path_of(user), token=token)
    except Fault as fault:
        if fault.code == "M_NOT_FOUND":
            raise Fault("NO_USER", f"There is no {user}") from None
        raise


def about():
    return {"server": CONFIGURATION["server_name"]}


def add(localpart, password, admin):
    # Nobody asked for a session, so there is none.
    return {"user": register(localpart, password, admin, inhibit_login=True)["user_id"]}


def list_users():
    with operator() as token:
        found = [user for user in users(token, deactivated="true") if not OPERATOR.match(user["name"])]
    shown = ("name", "displayname", "admin", "deactivated", "locked", "creation_ts", "last_seen_ts")
    return {"users": [{key: user.get(key) for key in shown} for user in found]}


def reset_password(user, password):
    with operator() as token:
        if account(user, token)["deactivated"]:
            raise Fault("DEACTIVATED", f"{user} is deactivated")
        ask("POST", path_of(user, "v1/reset_password"), {"new_password": password, "logout_devices": True}, token)
    return {"user": user}


def deactivate(user, erase):
    with operator() as token:
        already = bool(account(user, token)["deactivated"])
        ask("POST", path_of(user, "v1/deactivate"), {"erase": erase}, token)
    return {"user": user, "already": already}


ACTIONS = {
    "about": about,
    "add": add,
    "list": list_users,
    "reset-password": reset_password,
    "deactivate": deactivate,
}


def main():
    # So that what stands in `finally` is done.
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, lambda *_: sys.exit(1))
    request = json.loads(sys.stdin.readline())
    action = ACTIONS[request.pop("action")]
    try:
        answer = {"answer": action(**request)}
    except Fault as fault:
        answer = {"fault": {"code": fault.code, "message": str(fault)}}
    print(json.dumps(answer))


main()
