"""`./rekindle bench NAME [--quick]`: one module of benchmarks/ on throw-away engines, never on the data of var/."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from retention_site.embedded.foreground import run_python, warn
from retention_site.embedded.process import EngineError
from retention_site.embedded.state import ROOT
from retention_site.embedded.throwaway import throwaway_engines

MANAGE = os.fspath(ROOT / "manage.py")


def main(arguments: Sequence[str]) -> int:
    """Returns the benchmark's exit code, 2 when there is no such benchmark."""
    known = sorted(path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py") if path.stem != "frame")
    if not arguments or arguments[0] not in known:
        warn(f"usage: ./rekindle bench NAME [--quick], where NAME is one of: {', '.join(known) or 'none yet'}")
        return 2
    name, *options = arguments
    return run_on_throwaway_engines(f"benchmarks.{name}", options)


def run_on_throwaway_engines(module: str, options: Sequence[str]) -> int:
    """Run a module with an empty, migrated database that keeps what it commits, as in production.

    The module's last line, a JSON object, is also ours: nothing is printed to stdout here.
    """
    with throwaway_engines(durable=True) as engines:
        environment = forget_user_settings(os.environ) | engines.environment
        code = run_python([MANAGE, "migrate", "--no-input", "--verbosity", "0"], environment, ROOT)
        return code or run_python(["-m", module, *options], environment, ROOT)


def forget_user_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """A measurement uses no model, mail server or secret of the person who runs it."""
    kept = {
        key: value
        for key, value in environment.items()
        if not key.startswith(("LLM_", "MAIL_CATCHER_", "MESSAGE_CATCHER_"))
    }
    kept.pop("EMAIL_URL", None)
    return kept | {"SECRET_KEY": "for-measurements-only", "PYTHONPATH": os.fspath(ROOT)}


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except EngineError as error:
        sys.exit(f"rekindle: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
