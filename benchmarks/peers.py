"""Rekindle beside other senders for Django: the same sink, messages, number and kills; who doubles, loses, gets stuck, how fast.

Each sender sends twice: once in peace, for its speed, and once while its whole process group is killed -9 again and again, and
started anew at once, as a supervisor would. The others run as their documentation says (`_peer_site.py`), each in a database of
its own on the same durable PostgreSQL, in an environment of their own. Judged by what the sink saw.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from tests.faults.history import arrival_rate, judge_recipients
from tests.faults.sink import count_arrivals, read_arrivals, running_sink

from ._peer_environment import ROOT, make_environment, read_versions
from .frame import parse_arguments, print_result, set_up_django


@dataclass(frozen=True)
class Peer:
    """`app` and the command that sends, run by `processes` at once; `open_sql` counts what is still to be sent, `failed_sql` what
    the table says was not sent."""

    title: str
    package: str
    app: str
    command: tuple[str, ...]
    connections: int
    open_sql: str
    failed_sql: str = "SELECT 0"
    processes: int = 1
    locks: bool = True


POST_OFFICE = Peer(
    "django-post-office", "django-post-office", "post_office",
    ("send_queued_mail", "--processes=1", "--lockfile={folder}/post_office"), 5,
    "SELECT count(*) FROM post_office_email WHERE status IN (2, 3)",
    "SELECT count(*) FROM post_office_email WHERE status = 1",
)  # fmt: skip
MAILER = Peer(
    "django-mailer", "django-mailer", "mailer", ("runmailer",), 1, "SELECT count(*) FROM mailer_message"
)  # fmt: skip
#: Its own other way, for databases with row locks: then several may send at once, and no file outlives a kill.
MAILER_UNLOCKED = Peer(
    "django-mailer, no lock file", "django-mailer", "mailer", ("runmailer",), 2, "SELECT count(*) FROM mailer_message",
    processes=2, locks=False,
)  # fmt: skip
PEERS = (POST_OFFICE, MAILER, MAILER_UNLOCKED)


def main() -> None:
    arguments = parse_arguments(__doc__ or "", add_sizes)
    size = arguments.more.messages or (500 if arguments.quick else 10_000)
    kills = arguments.more.kills or (3 if arguments.quick else 20)
    still_s = 8.0 if arguments.quick else 20.0
    python = make_environment()
    versions = read_versions(python)
    print(f"seed {arguments.seed}: {size} messages in peace, {size} with {kills} kills of the whole process group")
    figures: dict[str, dict[str, object]] = {"Rekindle": measure_ours(size, kills, arguments.seed)}
    set_up_django()
    letter = write_letter()
    for peer in PEERS:
        figures[peer.title] = {
            "version": versions[peer.package],
            **measure_peer(peer, python, letter, size, kills, still_s),
        }
    print_peers(figures)
    print_result(arguments, size=size, kills=kills, django=versions["django"], senders=figures)


def add_sizes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--messages", type=int, help="instead of 10,000, or 500 with --quick")
    parser.add_argument("--kills", type=int, help="instead of 20, or 3 with --quick")


def measure_ours(size: int, kills: int, seed: int) -> dict[str, object]:
    """By the fault run, which brings engines, workers and a sink of its own."""
    options = ["--messages", size, "--kills", kills, "--flushes", 0, "--restarts", 0, "--seed", seed]
    command = [sys.executable, "-m", "tests.faults.run", *map(str, options), "--rows", "calm,kills"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    rows: Mapping[str, Mapping[str, object]] = json.loads(done.stdout.splitlines()[-1])["rows"]
    return {
        "connections": rows["kills"]["connections"],
        "per_second": rows["calm"]["per_second"],
        "doubled": rows["kills"]["doubled"],
        "lost": rows["kills"]["lost"],
        "stuck": 0,
        "unknown": rows["kills"]["unknown"],
    }


def write_letter() -> dict[str, str]:
    """One of our messages, filled: what the others are given to send."""
    from django.utils import timezone

    from campaigns.delivery import outbox
    from campaigns.delivery.copies import make_copy, prepare_batch
    from tests.campaigns import arrange

    now, cast = timezone.now(), arrange.make_cast()
    people = arrange.make_customers(1, now=now)
    campaign = arrange.start(arrange.make_campaign(cast.marketer, people, send_at=now, now=now), cast, now=now)
    messages = outbox.claim_batch("peers", campaign_id=campaign.pk, size=1)
    letter = make_copy(prepare_batch(campaign, messages, now=now), messages[0]).envelope.letter
    assert letter is not None
    return {"subject": letter.subject, "text": letter.text, "html": letter.html}


def measure_peer(
    peer: Peer, python: Path, letter: Mapping[str, str], size: int, kills: int, still_s: float
) -> dict[str, object]:
    calm = send_by(peer, python, letter, size, 0, still_s)
    harmed = send_by(peer, python, letter, size, kills, still_s)
    return {"connections": peer.connections, "per_second": calm["per_second"]} | {
        name: harmed[name] for name in ("doubled", "lost", "stuck", "failed")
    }


def send_by(
    peer: Peer, python: Path, letter: Mapping[str, str], size: int, kills: int, still_s: float
) -> dict[str, object]:
    """Queue, send under supervision, kill at even distances, and judge when nothing moves any more."""
    sockets = parse_qs(urlsplit(os.environ["DATABASE_URL"]).query)["host"][0]
    database = f"{peer.app}_{time.monotonic_ns()}"
    with psycopg.connect(host=sockets, user="postgres", dbname="postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{database}"')
    with tempfile.TemporaryDirectory() as name, running_sink(Path(name) / "sink.log") as port:
        folder, log = Path(name), Path(name) / "sink.log"
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": os.fspath(ROOT), "DJANGO_SETTINGS_MODULE": "benchmarks._peer_site",
            "PEER": peer.app, "PEER_DATABASE": database, "PEER_SOCKETS": sockets, "PEER_FOLDER": name,
            "PEER_PORT": str(port), "PEER_LOCKS": str(int(peer.locks)),
        }  # fmt: skip
        (folder / "letter.json").write_text(json.dumps(dict(letter)))
        queue = [os.fspath(python), "-m", "benchmarks._peer_queue", str(size), os.fspath(folder / "letter.json")]
        subprocess.run(queue, env=environment, cwd=folder, check=True)
        command = [os.fspath(python), "-m", "django", *(part.format(folder=name) for part in peer.command)]
        with psycopg.connect(host=sockets, user="postgres", dbname=database, autocommit=True) as table:

            def count(question: str) -> int:
                row = table.execute(question).fetchone()
                return int(row[0]) if row else 0

            crew = Crew(command, environment, folder, peer.processes)
            try:
                for kill in range(1, kills + 1):
                    if not wait_for(log, crew, size * kill // (kills + 1), still_s):
                        break  # stuck: more kills would change nothing
                    crew.kill()
                wait_for(log, crew, None, still_s, is_done=lambda: count(peer.open_sql) == 0)
            finally:
                crew.kill()
            arrivals = read_arrivals(log)
            verdict = judge_recipients(
                size, [arrival.recipient for arrival in arrivals], count(peer.open_sql), count(peer.failed_sql)
            )
    return vars(verdict) | {"per_second": arrival_rate([arrival.at_s for arrival in arrivals])}


class Crew:
    """The processes of one sender, each in a group of its own; whoever ended is started again."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path, processes: int) -> None:
        self.command, self.environment, self.folder = command, environment, folder
        self.members: list[subprocess.Popen[bytes] | None] = [None] * processes

    def tend(self) -> None:
        for place, member in enumerate(self.members):
            if member is None or member.poll() is not None:
                self.members[place] = self._start()

    def kill(self) -> None:
        """kill -9 of all of them and their children."""
        for member in self.members:
            if member is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(member.pid, signal.SIGKILL)
                member.wait()
        self.members = [None] * len(self.members)

    def _start(self) -> subprocess.Popen[bytes]:
        with (self.folder / "sender.log").open("ab") as out:
            return subprocess.Popen(
                self.command,
                env=dict(self.environment),
                cwd=self.folder,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )


def wait_for(
    log: Path, crew: Crew, arrivals: int | None, still_s: float, *, is_done: Callable[[], bool] | None = None
) -> bool:
    """Until so many have arrived or `is_done`: True. False where nothing came for `still_s` though the sender was kept up."""
    last, since = -1, time.monotonic()
    while time.monotonic() < since + still_s:
        crew.tend()
        now = count_arrivals(log)
        if now != last:
            last, since = now, time.monotonic()
        if (arrivals is not None and now >= arrivals) or (is_done is not None and is_done()):
            return True
        time.sleep(0.005 if arrivals is not None else 0.1)
    return False


def print_peers(figures: Mapping[str, Mapping[str, object]]) -> None:
    columns = ("version", "connections", "per_second", "doubled", "lost", "stuck", "failed", "unknown")
    print(f"  {'':<30}" + "".join(f"{column:>13}" for column in columns))
    for title, row in figures.items():
        print(f"  {title:<30}" + "".join(f"{row.get(column, '')!s:>13}" for column in columns))


if __name__ == "__main__":
    main()
