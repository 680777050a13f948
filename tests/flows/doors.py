"""The addresses that others may post to, and for each of them honest posts and the ways to forge, alter and play them again."""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.db import connection

#: Tables that say what came and was refused; every other table has to stay as it was.
LISTS_OF_REFUSALS: Final = {"customers_shopdelivery", "customers_shopconnection"}


@dataclass(frozen=True)
class Post:
    """One request as a provider makes it. `signature` is the header that bears its signature."""

    path: str
    body: bytes
    content_type: str
    headers: Mapping[str, str]
    signature: str

    def with_header(self, name: str, value: str) -> Post:
        return replace(self, headers={**self.headers, name: value})


@dataclass(frozen=True)
class Attack:
    """`hours` later than the honest posts. `is_copy`: nothing but a copy, which may be answered kindly; it changes nothing."""

    name: str
    post: Post
    hours: float = 0.0
    is_copy: bool = False


def make_attacks(honest: Sequence[Post], count: int, dice: random.Random) -> list[Attack]:
    """So many of all kinds in turn, by somebody who has every honest post and not the secret."""
    makers = (_unsigned, _guessed, _bit, _longer, _shorter, _other_signature, _other_address, _copy, _later)
    return [makers[number % len(makers)](dice.choice(honest), honest, dice) for number in range(count)]


def read_everything() -> dict[str, tuple[int, str]]:
    """Number of rows and a digest of each table, but for the lists of what was refused."""
    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            if table not in LISTS_OF_REFUSALS:
                cursor.execute(
                    f"SELECT count(*), md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM {table} t"
                )
                found[table] = cursor.fetchone()
    return found


def _unsigned(post: Post, _honest: Sequence[Post], _dice: random.Random) -> Attack:
    rest = {name: value for name, value in post.headers.items() if name != post.signature}
    return Attack("unsigned", replace(post, headers=rest))


def _guessed(post: Post, _honest: Sequence[Post], dice: random.Random) -> Attack:
    noise = dice.randbytes(32)
    guess = dice.choice(("", "AAAA", "v1,AAAA", base64.b64encode(noise).decode(), noise.hex(), "\u00ff" * 10))
    return Attack("guessed signature", post.with_header(post.signature, guess))


def _bit(post: Post, _honest: Sequence[Post], dice: random.Random) -> Attack:
    place, bit = dice.randrange(len(post.body)), 1 << dice.randrange(7)
    body = post.body[:place] + bytes([post.body[place] ^ bit]) + post.body[place + 1 :]
    return Attack("one bit altered", replace(post, body=body))


def _longer(post: Post, _honest: Sequence[Post], dice: random.Random) -> Attack:
    return Attack("longer", replace(post, body=post.body + dice.choice((b" ", b"&x=y", b"\n{}"))))


def _shorter(post: Post, _honest: Sequence[Post], dice: random.Random) -> Attack:
    return Attack("shorter", replace(post, body=post.body[: -dice.randrange(1, min(40, len(post.body)))]))


def _other_signature(post: Post, honest: Sequence[Post], dice: random.Random) -> Attack:
    others = [one for one in honest if one.body != post.body] or [replace(post, headers={post.signature: "AAAA"})]
    return Attack("signature of another", post.with_header(post.signature, dice.choice(others).headers[post.signature]))


def _other_address(post: Post, _honest: Sequence[Post], dice: random.Random) -> Attack:
    """The body of one under what is not signed or hardly ever looked at: a query, another type of content."""
    if dice.random() < 0.5:
        return Attack(
            "other query", replace(post, path=f"{post.path.partition('?')[0]}?message=1.1.1.{'a' * 20}"), is_copy=True
        )
    return Attack("other type", replace(post, content_type="text/plain"), is_copy=True)


def _copy(post: Post, _honest: Sequence[Post], _dice: random.Random) -> Attack:
    return Attack("copy at once", post, is_copy=True)


def _later(post: Post, _honest: Sequence[Post], dice: random.Random) -> Attack:
    return Attack("copy later", post, hours=dice.uniform(5, 100), is_copy=True)
