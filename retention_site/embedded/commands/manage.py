"""`./rekindle manage ...`: manage.py with the engines of a running `./rekindle run`, else with its own under var/."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from retention_site.embedded.engines import Engines
from retention_site.embedded.foreground import run_manage, warn
from retention_site.embedded.milestones import FILLED, MIGRATED, forget, note
from retention_site.embedded.process import EngineError
from retention_site.embedded.sharing import announce_engines, engines_for_command
from retention_site.embedded.state import ROOT, find_state, make_secret_key, read_environment

# These read files or code only; they start at once and work beside anything.
NEED_NO_ENGINES = {
    *("", "help", "version", "diffsettings", "makemessages", "compilemessages", "findstatic", "collectstatic"),
    *("backtest", "measure", "check_drafts", "spectacular"),
}
CHANGE_TABLES = {"migrate", "flush", "sqlflush"}
NO_DATABASE = "postgresql://postgres@/rekindle?host=/nonexistent"
NO_REDIS = "unix:///nonexistent/valkey.sock?db=1"


def main(arguments: Sequence[str]) -> int:
    """Returns the command's exit code."""
    command = next((part for part in arguments if not part.startswith("-")), "")
    environment = read_environment()
    state = find_state(environment)
    if needs_no_engines(command, arguments):
        environment.setdefault("SECRET_KEY", make_secret_key(state))
        environment.setdefault("DATABASE_URL", NO_DATABASE)
        environment.setdefault("REDIS_URL", NO_REDIS)
        return run_manage(arguments, environment | {"REKINDLE_VAR": str(state.folder), "PYTHONPATH": str(ROOT)})
    with engines_for_command(state, environment, warn) as (handed_down, engines):
        if command in CHANGE_TABLES:
            forget(MIGRATED, state)
            forget(FILLED, state)
        elif engines is not None and engines.needs_migration:
            migrate(engines, handed_down)
        if engines is not None:
            announce_engines(state, f"manage {command}", handed_down)
        return run_manage(arguments, handed_down)


def needs_no_engines(command: str, arguments: Sequence[str]) -> bool:
    """Django's `check` asks the database only where it is told to."""
    asks_for_help = "--help" in arguments or "-h" in arguments
    checks_code = command == "check" and not any(part.startswith("--database") for part in arguments)
    return asks_for_help or checks_code or command in NEED_NO_ENGINES


def migrate(engines: Engines, environment: Mapping[str, str]) -> None:
    """Bring the tables of our own database up to date; raises EngineError when that fails."""
    warn("bringing the tables up to date")
    if run_manage(["migrate", "--no-input", "--verbosity", "0"], environment):
        raise EngineError("The tables could not be brought up to date; what happened stands above.")
    note(MIGRATED, engines.state, engines.postgres)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except EngineError as error:
        sys.exit(f"rekindle: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
