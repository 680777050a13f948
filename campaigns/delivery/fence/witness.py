"""What is kept outside the database: its epoch, how far it has moved on, and the newest message of each campaign.

Two keepers, because either may be lost: a file on each machine, and the key-value server that all machines share. Neither
ever goes back; both are written after the database has committed, so that an ordinary crash leaves them behind it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

import redis
import structlog
from django.conf import settings

log = structlog.get_logger(__name__)

#: The file is written in place, in one piece of this size: the same inode for ever, and no moment at which it is half empty.
FILE_BYTES: Final = 4096
#: Campaigns whose newest message is remembered; the ones that sent last.
CAMPAIGNS_KEPT: Final = 40
STORE_TIMEOUT_S: Final = 1.0


class Unreachable(Exception):
    """The keeper did not answer: nobody knows what it holds."""


@dataclass(frozen=True)
class Witness:
    """`newest` is the highest message id that was marked, by campaign. `is_copy`: the file is not the one it was made as."""

    epoch: str
    moved: int = 0
    newest: Mapping[int, int] = field(default_factory=dict)
    is_copy: bool = False

    def later(self, other: Witness) -> Witness:
        """Both together, where they speak of the same epoch; otherwise `other`, which is the one to keep."""
        if self.epoch != other.epoch:
            return other
        newest = dict(self.newest)
        for campaign, message in other.newest.items():
            message = max(message, newest.pop(campaign, 0))
            newest[campaign] = message
        kept = dict(list(newest.items())[-CAMPAIGNS_KEPT:])
        return Witness(self.epoch, max(self.moved, other.moved), kept, other.is_copy)


class Keeper(Protocol):
    """One place outside the database."""

    name: str

    def read(self) -> Witness | None:
        """What it holds; None where it holds nothing. Raises Unreachable."""

    def write(self, witness: Witness, *, sync: bool = False) -> None:
        """Add to what it holds, or replace another epoch. Raises Unreachable."""


class FileKeeper:
    """A file of this machine. It knows its own inode, so that one that came back from a backup is told from the first."""

    name = "file"

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Witness | None:
        try:
            with self.path.open("rb") as file:
                return _decode(file.read(FILE_BYTES), os.fstat(file.fileno()).st_ino)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unreachable(str(error)) from error

    def write(self, witness: Witness, *, sync: bool = False) -> None:
        """Under a lock, because the workers of a machine share it. `sync` outlasts a power cut, which takes some milliseconds."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unreachable(str(error)) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            inode = os.fstat(handle).st_ino
            held = _decode(os.pread(handle, FILE_BYTES, 0), inode)
            os.pwrite(handle, _encode(held.later(witness) if held else witness, inode), 0)
            if sync:
                os.fsync(handle)
        except OSError as error:
            raise Unreachable(str(error)) from error
        finally:
            os.close(handle)


class StoreKeeper:
    """A hash in Valkey: of all machines."""

    name = "store"

    def __init__(self, url: str, key: str) -> None:
        self.key = key
        self.client = _connect(url)

    def read(self) -> Witness | None:
        try:
            held = {str(name): str(value) for name, value in self.client.hgetall(self.key).items()}
        except redis.RedisError as error:
            raise Unreachable(str(error)) from error
        if "epoch" not in held:
            return None
        newest = {int(name[2:]): int(value) for name, value in held.items() if name.startswith("c:")}
        return Witness(held["epoch"], int(held.get("moved", "0")), newest)

    def write(self, witness: Witness, *, sync: bool = False) -> None:
        pairs: list[str | int] = ["moved", witness.moved]
        for campaign, message in witness.newest.items():
            pairs += [f"c:{campaign}", message]
        try:
            self.client.eval(_KEEP, 1, self.key, witness.epoch, *pairs)
        except redis.RedisError as error:
            raise Unreachable(str(error)) from error


def open_keepers() -> tuple[Keeper, ...]:
    """The file of EPOCH_FILE, and the broker's server; REDIS_URL where the broker is none of its kind."""
    url = settings.CELERY_BROKER_URL
    if not url.startswith(("redis://", "rediss://", "unix://")):
        url = settings.REDIS_URL
    return FileKeeper(Path(settings.EPOCH_FILE)), StoreKeeper(url, settings.EPOCH_KEY)


#: Never lower a number; another epoch replaces all.
_KEEP: Final = """
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], 'epoch', ARGV[1])
end
for place = 2, #ARGV, 2 do
    local held = tonumber(redis.call('HGET', KEYS[1], ARGV[place]) or '-1')
    if tonumber(ARGV[place + 1]) > held then
        redis.call('HSET', KEYS[1], ARGV[place], ARGV[place + 1])
    end
end
return 1
"""


@lru_cache(maxsize=4)
def _connect(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url, socket_timeout=STORE_TIMEOUT_S, socket_connect_timeout=STORE_TIMEOUT_S, decode_responses=True
    )


def _encode(witness: Witness, inode: int) -> bytes:
    newest = dict(list(witness.newest.items())[-CAMPAIGNS_KEPT:])
    told = {"epoch": witness.epoch, "moved": witness.moved, "inode": inode, "newest": newest}
    return json.dumps(told).encode().ljust(FILE_BYTES)


def _decode(raw: bytes, inode: int) -> Witness | None:
    """None for an empty or torn file, which says nothing."""
    try:
        told = json.loads(raw)
        newest = {int(campaign): int(message) for campaign, message in told["newest"].items()}
        witness = Witness(str(told["epoch"]), int(told["moved"]), newest)
        return replace(witness, is_copy=True) if told["inode"] != inode else witness
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
