"""The engines of one checkout, as far as the user brings none: what is started, and what is handed down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from .brought_engines import check_broker, check_database
from .mail_catcher import MailCatcher
from .milestones import MIGRATED, is_noted
from .postgres import Postgres
from .process import Engine, EngineError
from .state import ROOT, State, make_secret_key
from .valkey import Valkey

Say = Callable[[str], None]


class Engines:
    """PostgreSQL, Valkey and the mail catcher under `var/`, each left out where the user names another.

    `environment` is what web, worker and commands are started with: the user's own settings and ours.
    """

    def __init__(self, state: State, environment: Mapping[str, str]) -> None:
        self.state = state
        self.environment = dict(environment)
        self.postgres: Postgres | None = None
        self.running: list[Engine] = []

    def start(self, say: Say) -> None:
        """Start what is needed in order; on an error all that was started is stopped again."""
        try:
            self._start(say)
        except BaseException:
            self.stop(lambda text: None)
            raise

    def _start(self, say: Say) -> None:
        env, folder = self.environment, self.state.folder
        env["REKINDLE_VAR"] = str(folder)
        (folder / "static").mkdir(exist_ok=True)  # whitenoise warns about a missing one
        env.setdefault("SECRET_KEY", make_secret_key(self.state))
        env["PYTHONPATH"] = str(ROOT)
        if "DATABASE_URL" not in env:
            self.postgres = Postgres(folder / "postgres")
            self._run(self.postgres, say)
            env["DATABASE_URL"] = self.postgres.url
        else:
            check_database(env["DATABASE_URL"])
        if "REDIS_URL" not in env:
            valkey = Valkey(folder / "valkey")
            self._run(valkey, say)
            env["REDIS_URL"] = valkey.url
            env.setdefault("BROKER_URL", valkey.broker_url)
        else:
            check_broker(env["REDIS_URL"])
        if "EMAIL_URL" not in env:
            catcher = make_mail_catcher(self.state, env)
            self._run(catcher, say)
            env.update(catcher.environment)

    def add(self, engine: Engine, say: Say) -> None:
        """Start one more, which is stopped before those that were started earlier."""
        self._run(engine, say)

    def _run(self, engine: Engine, say: Say) -> None:
        try:
            engine.start()
        except BaseException:
            engine.stop()
            raise
        self.running.append(engine)
        say(f"{engine.title} is running")

    def stop(self, say: Say) -> None:
        """Stop in the reverse order. Safe to call twice."""
        while self.running:
            engine = self.running.pop()
            engine.stop()
            say(f"{engine.title} has stopped")

    @property
    def needs_migration(self) -> bool:
        """Whether our own database may lack a table; never for a database that the user brings."""
        return self.postgres is not None and not is_noted(MIGRATED, self.state, self.postgres)


def make_mail_catcher(state: State, environment: Mapping[str, str]) -> MailCatcher:
    """On MAIL_CATCHER_PORT, or on any free port."""
    port = environment.get("MAIL_CATCHER_PORT", "0")
    try:
        return MailCatcher(Path(state.folder), folder=state.mail, port=int(port))
    except (OSError, ValueError) as error:
        raise EngineError(f"The mail catcher cannot listen on MAIL_CATCHER_PORT={port}: {error}") from None
