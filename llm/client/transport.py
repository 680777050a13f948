"""How a request reaches a model server: the only module that imports `openai`.

The SDK is kept on a short lead: no retries of its own, no redirects, no parsing (it lets pages, half answers and doubled
keys through), and a deadline for the whole, because its own time-out starts again with every byte that arrives. It is
imported when it is first needed: its thousand modules cost more time than all of Django's, and most processes never ask.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from llm.answers import CallFailed, Failure, FailureKind, failure_from_error, load_strict_json
from llm.configuration import ModelInfo, hide_secrets, read_api_key

if TYPE_CHECKING:
    import openai

LARGEST_REPLY_BYTES = 1_000_000
LARGEST_FILE_BYTES = 200_000_000
METADATA_V6 = ip_address("fd00:ec2::254")

T = TypeVar("T")


def load_sdk() -> None:
    """Import the SDK before a deadline begins to run, so that no server pays for it."""
    import openai  # noqa: F401


def post_chat(request: dict[str, Any], info: ModelInfo, timeout_s: float) -> bytes:
    """The body of the reply to one chat completion. Raises CallFailed."""

    async def ask(client: "openai.AsyncOpenAI") -> bytes:
        asking: Any = client.chat.completions.with_streaming_response
        async with asking.create(**request) as response:
            return await _read_bytes(response, LARGEST_REPLY_BYTES)

    return _run(ask, info, timeout_s)


def hand_over_batch(lines: bytes, uid: str, info: ModelInfo, timeout_s: float) -> bytes:
    """Upload requests as JSON lines and start a batch of them that bears `uid`; the provider's answer. Raises CallFailed."""

    async def ask(client: "openai.AsyncOpenAI") -> bytes:
        files: Any = client.files.with_streaming_response
        async with files.create(file=("batch.jsonl", lines, "application/jsonl"), purpose="batch") as response:
            uploaded = load_remote(await _read_bytes(response, LARGEST_REPLY_BYTES))
        batches: Any = client.batches.with_streaming_response
        async with batches.create(
            completion_window="24h",
            endpoint="/v1/chat/completions",
            input_file_id=str(uploaded.get("id")),
            metadata={"rekindle_batch": uid},
        ) as response:
            return await _read_bytes(response, LARGEST_REPLY_BYTES)

    return _run(ask, info, timeout_s)


def list_batches(info: ModelInfo, timeout_s: float) -> bytes:
    """The newest batches of the account. Raises CallFailed."""

    async def ask(client: "openai.AsyncOpenAI") -> bytes:
        batches: Any = client.batches.with_streaming_response
        async with batches.list(limit=100) as response:
            return await _read_bytes(response, LARGEST_REPLY_BYTES)

    return _run(ask, info, timeout_s)


def fetch_batch(remote_id: str, info: ModelInfo, timeout_s: float, *, cancels: bool = False) -> bytes:
    """How a batch is; `cancels` ends it. Raises CallFailed."""

    async def ask(client: "openai.AsyncOpenAI") -> bytes:
        batches: Any = client.batches.with_streaming_response
        asking = batches.cancel(remote_id) if cancels else batches.retrieve(remote_id)
        async with asking as response:
            return await _read_bytes(response, LARGEST_REPLY_BYTES)

    return _run(ask, info, timeout_s)


def fetch_file(file_id: str, info: ModelInfo, timeout_s: float) -> bytes:
    """The bytes of a file at the provider. Raises CallFailed."""

    async def ask(client: "openai.AsyncOpenAI") -> bytes:
        files: Any = client.files.with_streaming_response
        async with files.content(file_id) as response:
            return await _read_bytes(response, LARGEST_FILE_BYTES)

    return _run(ask, info, timeout_s)


def load_remote(body: bytes) -> dict[str, Any]:
    """The JSON object of a reply; CallFailed for anything else."""
    try:
        loaded = load_strict_json(body.decode("utf-8", errors="replace"))
    except ValueError:
        loaded = None
    if not isinstance(loaded, dict):
        detail = "the server does not answer as a batch interface does"
        raise CallFailed(Failure(FailureKind.REJECTED, detail, status=404, may_have_cost=False))
    return loaded


def _run(ask: "Callable[[openai.AsyncOpenAI], Awaitable[T]]", info: ModelInfo, timeout_s: float) -> T:
    """What one piece of work with a client gives, or CallFailed. In a thread of its own, because the caller's may
    already have an event loop."""
    import httpx2
    import openai

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="llm") as pool:
        try:
            return pool.submit(asyncio.run, _with_client(ask, info, timeout_s)).result()
        except (TimeoutError, openai.APITimeoutError, httpx2.TimeoutException):
            detail = f"no whole answer within {timeout_s:.0f} s"
            raise CallFailed(Failure(FailureKind.TIMED_OUT, detail)) from None
        except openai.APIStatusError as error:
            raise CallFailed(_read_status_error(error)) from None
        except (openai.APIConnectionError, httpx2.RequestError, httpx2.StreamError) as error:
            was_sent = not isinstance(error.__cause__, httpx2.ConnectError)
            detail = "the connection broke" if was_sent else "no connection"
            raise CallFailed(Failure(FailureKind.UNREACHABLE, detail, may_have_cost=was_sent)) from None
        except (openai.OpenAIError, httpx2.InvalidURL, UnicodeError) as error:
            detail = f"the client refused the request ({type(error).__name__})"
            raise CallFailed(Failure(FailureKind.REJECTED, detail, may_have_cost=False)) from None


async def _refuse_link_local(info: ModelInfo) -> None:
    """No model server has a link-local address: clouds keep the keys of the machine there (169.254.169.254).

    A name that leads there is refused as well. Addresses of the own network are right: models run there.
    """
    try:
        parts = urlsplit(info.base_url)
        resolve = asyncio.get_running_loop().getaddrinfo
        found = {row[4][0] for row in await resolve(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError, ValueError):
        return  # the client says why
    addresses = [ip_address(str(one).partition("%")[0]) for one in found]
    plain = [getattr(one, "ipv4_mapped", None) or one for one in addresses]
    if any(one.is_link_local or one.is_multicast or one == METADATA_V6 for one in plain):
        detail = "LLM_BASE_URL leads to an address at which no model server can be"
        raise CallFailed(Failure(FailureKind.REJECTED, detail, may_have_cost=False))


async def _with_client(ask: "Callable[[openai.AsyncOpenAI], Awaitable[T]]", info: ModelInfo, timeout_s: float) -> T:
    import httpx2
    import openai

    # A proxy of the environment is right for a provider and wrong for this machine.
    trust_env = not info.is_local
    transport = openai.DefaultAsyncHttpxClient(
        follow_redirects=False,
        trust_env=trust_env,
        timeout=httpx2.Timeout(timeout_s),
        verify=_read_authorities(trust_env),
    )
    async with asyncio.timeout(timeout_s), transport:
        await _refuse_link_local(info)
        client = openai.AsyncOpenAI(
            base_url=info.base_url, api_key=read_api_key(), max_retries=0, timeout=timeout_s, http_client=transport
        )
        return await ask(client)


@cache
def _read_authorities(trust_env: bool) -> ssl.SSLContext:
    """Whose certificates are believed, read once for each process: it takes 34 ms, more than the rest of a call here does."""
    import httpx2

    return httpx2.create_ssl_context(trust_env=trust_env)


async def _read_bytes(response: Any, most: int) -> bytes:
    body = bytearray()
    async for chunk in response.iter_bytes():
        body += chunk
        if len(body) > most:
            raise CallFailed(Failure(FailureKind.BROKEN_REPLY, "the reply is far too long"))
    return bytes(body)


def _read_status_error(error: "openai.APIStatusError") -> Failure:
    if error.status_code < 400:
        detail = "the server sent us on to another address, which is not followed"
        return Failure(FailureKind.REJECTED, detail, error.status_code, may_have_cost=False)
    body = error.body if error.body else error.message
    failure = failure_from_error(body, status=error.status_code, retry_after_s=_read_retry_after(error))
    return replace(failure, detail=hide_secrets(failure.detail))


def _read_retry_after(error: "openai.APIStatusError") -> float | None:
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds <= 86_400 else None
