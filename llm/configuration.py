"""Which model server is set up, read from the settings."""

from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit, urlunsplit

from django.conf import settings

STAND_IN = "not-needed"


@dataclass(frozen=True)
class ModelInfo:
    """The configured model as pages may show it: never the key."""

    label: str
    base_url: str
    model: str
    is_local: bool
    is_configured: bool

    @property
    def address(self) -> str:
        """The address without user name, password and query: fit to be stored and shown."""
        try:
            parts = urlsplit(self.base_url)
        except ValueError:
            return ""
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))[:500]

    @property
    def host(self) -> str:
        """Host and port of the server, without user name, path or query."""
        return host_of(self.base_url)


def configured_model() -> ModelInfo:
    """The model of LLM_BASE_URL and LLM_MODEL. `is_configured` is False unless both are set
    (servers on the own machine often need no key, so LLM_API_KEY may be empty)."""
    base_url = str(getattr(settings, "LLM_BASE_URL", "") or "").strip().rstrip("/")
    model = str(getattr(settings, "LLM_MODEL", "") or "").strip()
    label = str(getattr(settings, "LLM_LABEL", "") or "").strip()
    return ModelInfo(
        label=label or model,
        base_url=base_url,
        model=model,
        is_local=is_loopback(base_url),
        is_configured=bool(base_url and model),
    )


def read_api_key() -> str:
    """LLM_API_KEY, or a stand-in, because the client insists on one and local servers do not look at it."""
    return str(getattr(settings, "LLM_API_KEY", "") or "").strip() or STAND_IN


def hide_secrets(text: str) -> str:
    """Without the key and the password of LLM_BASE_URL: servers say back what they were sent."""
    for secret in _read_secrets():
        text = text.replace(secret, "[key]")
    return text


def read_timeout_s() -> float:
    """LLM_TIMEOUT_S: the total deadline of one completion, all its attempts together."""
    return float(getattr(settings, "LLM_TIMEOUT_S", None) or 60.0)


def host_of(base_url: str) -> str:
    """Host and port of an address, "" when there is none."""
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    return f"{host}:{port}" if port else host


def _read_secrets() -> list[str]:
    """Longest first; what is shorter than eight characters is a stand-in like "none", and a word."""
    password = ""
    with suppress(ValueError):
        password = urlsplit(str(getattr(settings, "LLM_BASE_URL", "") or "")).password or ""
    found = {read_api_key(), password, unquote(password)} - {STAND_IN}
    return sorted((secret for secret in found if len(secret) >= 8), key=len, reverse=True)


def is_loopback(base_url: str) -> bool:
    """True when the address is on this machine."""
    try:
        host = urlsplit(base_url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
