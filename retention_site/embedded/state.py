"""The state folder (`var/` or `REKINDLE_VAR`): its paths, its secret key, and the user's own `.env`."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .process import EngineError

ROOT = Path(__file__).resolve().parents[2]
# Set but empty means not set: compose files and shells hand such settings down.
MAY_BE_EMPTY = {
    "DATABASE_URL",
    "REDIS_URL",
    "BROKER_URL",
    "EMAIL_URL",
    "SECRET_KEY",
    "SITE_URL",
    "PORT",
    "REKINDLE_VAR",
}
MAY_BE_EMPTY |= {"LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL", "LOCAL_MODEL_FILE", "MAIL_CATCHER_PORT"}


@dataclass(frozen=True)
class State:
    """Where one checkout keeps what outlives a command."""

    folder: Path

    @property
    def lock(self) -> Path:
        return self.folder / "engines.lock"

    @property
    def guests(self) -> Path:
        return self.folder / "guests.lock"

    @property
    def addresses(self) -> Path:
        return self.folder / "engines.json"

    @property
    def children(self) -> Path:
        return self.folder / "children.json"

    @property
    def mail(self) -> Path:
        return self.folder / "mail"


def find_state(environment: Mapping[str, str]) -> State:
    """The state folder, made when it is missing; raises EngineError when it cannot be written."""
    folder = Path(environment.get("REKINDLE_VAR") or ROOT / "var").absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EngineError(f"{folder} cannot be made ({error.strerror}): set REKINDLE_VAR to another folder.") from None
    if not os.access(folder, os.W_OK):
        raise EngineError(
            f"{folder} cannot be written by you: start as the user who made it, or set REKINDLE_VAR to another folder."
        )
    return State(folder)


def read_environment(root: Path = ROOT) -> dict[str, str]:
    """The environment, and beneath it what `.env` in the root says. Raises EngineError naming a bad line."""
    path = root / ".env"
    written = parse_dotenv(path.read_text(encoding="utf-8")) if path.exists() else {}
    return written | {key: value for key, value in os.environ.items() if value or key not in MAY_BE_EMPTY}


def parse_dotenv(text: str) -> dict[str, str]:
    """KEY=VALUE by line; quotes around a value go, # starts a comment at a line's start or after a space.

    Nothing is executed and nothing expanded. An empty value counts as not set.
    """
    values = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals or not key.strip().replace("_", "a").isalnum():
            raise EngineError(f".env, line {number}: expected NAME=value.")
        if parsed := _parse_value(value.strip()):
            values[key.strip()] = parsed
    return values


def _parse_value(value: str) -> str:
    if len(value) >= 2 and value[0] in "'\"" and (end := value.find(value[0], 1)) > 0:
        return value[1:end]
    if value.startswith("#"):
        return ""
    return value.split(" #", 1)[0].rstrip()


def make_secret_key(state: State) -> str:
    """The key in var/secret_key, made on the first call. Several at once get the same one."""
    path = state.folder / "secret_key"
    if not path.exists():
        handle, draft = tempfile.mkstemp(dir=state.folder, prefix=".secret_key-")  # mode 0600
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(50))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            Path(draft).unlink()
    return path.read_text().strip()
