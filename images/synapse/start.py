#!/usr/local/bin/python
"""Entrypoint of the Synapse image: `generate` makes a first configuration, `run` (the default) starts the server.

Takes the same words, environment variables and exit codes as the entrypoint of Synapse's own image.
"""

import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

GOSU = "/usr/sbin/gosu"
SYNAPSE_ID = 991


def main(words: list[str]) -> None:
    mode, extra = (words[0], words[1:]) if words else ("run", [])
    if mode == "generate":
        generate()
    elif mode == "run":
        run(extra)
    elif mode == "migrate_config":
        refuse(
            "This image has no `migrate_config` mode: it would overwrite homeserver.yaml from environment variables. "
            "Use `generate` once, then edit homeserver.yaml."
        )
    else:
        refuse(f"Unknown execution mode '{mode}': expected `run` or `generate`.")


def generate() -> None:
    """Writes whichever of homeserver.yaml, log config and signing key is missing. Touches none that exists."""
    server_name = required("SYNAPSE_SERVER_NAME")
    report_stats = required("SYNAPSE_REPORT_STATS")
    config_directory = Path(os.environ.get("SYNAPSE_CONFIG_DIR", "/data"))
    data_directory = os.environ.get("SYNAPSE_DATA_DIR", "/data")

    log_config = config_directory / f"{server_name}.log.config"
    if not log_config.exists():
        say(f"Creating log config {log_config}")
        log_config.write_text(default_log_config())

    user = user_to_become()
    if user is not None:
        # The directory only: what is in it may be somebody's on purpose.
        say(f"Setting ownership on {data_directory} to {user[0]}:{user[1]}")
        os.chown(data_directory, *user)

    synapse = [
        *[sys.executable, "-m", "synapse.app.homeserver", "--generate-config", "--open-private-ports"],
        *["--server-name", server_name, "--report-stats", report_stats],
        *["--config-path", str(default_config()), "--config-directory", str(config_directory)],
        *["--data-directory", data_directory],
    ]
    if subprocess.run(as_user(synapse, user), check=False).returncode != 0:
        sys.exit(1)


def run(extra: list[str]) -> NoReturn:
    """Becomes Synapse. Not its parent: signals must reach it, and its exit code must be the container's."""
    arguments = extra
    if "-m" not in arguments:
        arguments = ["-m", os.environ.get("SYNAPSE_WORKER", "synapse.app.homeserver"), *arguments]
    if not any(argument.startswith(("--config-path", "-c")) for argument in arguments):
        config = default_config()
        if not config.exists():
            refuse(
                f"Config file '{config}' does not exist. Make one by running with `generate`, "
                "or name an existing one in SYNAPSE_CONFIG_PATH."
            )
        arguments = [*arguments, "--config-path", str(config)]

    # Under glibc's own allocator Synapse's memory grows for weeks.
    jemalloc = f"/usr/lib/{platform.machine()}-linux-gnu/libjemalloc.so.2"
    if os.path.isfile(jemalloc):
        os.environ["LD_PRELOAD"] = jemalloc
    else:
        say(f"Could not find {jemalloc}: running without it")

    say(f"Starting Synapse: {shlex.join(arguments)}")
    command = as_user([sys.executable, *arguments], user_to_become())
    os.execv(command[0], command)


def default_config() -> Path:
    directory = os.environ.get("SYNAPSE_CONFIG_DIR", "/data")
    return Path(os.environ.get("SYNAPSE_CONFIG_PATH", f"{directory}/homeserver.yaml"))


def user_to_become() -> tuple[int, int] | None:
    """UID and GID when given; else Synapse's own when root; else whoever `docker run --user` chose."""
    if "UID" in os.environ:
        return int(os.environ["UID"]), int(os.environ.get("GID", SYNAPSE_ID))
    return (SYNAPSE_ID, SYNAPSE_ID) if os.getuid() == 0 else None


def as_user(command: list[str], user: tuple[int, int] | None) -> list[str]:
    return command if user is None else [GOSU, f"{user[0]}:{user[1]}", *command]


def default_log_config() -> str:
    level = os.environ.get("SYNAPSE_LOG_LEVEL", "INFO")
    # SQL at DEBUG shows what users write, so it takes a word of its own to see it.
    sql = "" if os.environ.get("SYNAPSE_LOG_SENSITIVE") else SQL_QUIET
    return f"""version: 1

formatters:
  precise:
    format: "%(asctime)s - %(name)s - %(lineno)d - %(levelname)s - %(request)s - %(message)s"

handlers:
  console:
    class: logging.StreamHandler
    formatter: precise

{sql}root:
  level: {level}
  handlers: [console]

disable_existing_loggers: false
"""


SQL_QUIET = """loggers:
  synapse.storage.SQL:
    level: INFO

"""


def required(variable: str) -> str:
    if variable not in os.environ:
        refuse(f"Environment variable '{variable}' is mandatory in `generate` mode.")
    return os.environ[variable]


def say(line: str) -> None:
    # Flushed, because `run` replaces this process and Python's buffers with it.
    print(line, flush=True)


def refuse(reason: str) -> NoReturn:
    print(reason, file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
