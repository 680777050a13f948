"""Finds what people and their devices are called on networks: handles, IP addresses, keys, links with something in them.

No Django here.
"""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

URL = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,15}://|www\.)[^\s<>\"'，。！？、）】」]{1,2000}"
    # Without a scheme a host has to be followed by something that may be a person's.
    r"|(?<![\w@.-])(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,12}/[\w/.%~-]{0,500}[?#][\w/.%~?#&=+:@-]{1,2000}",
    re.IGNORECASE | re.ASCII,
)
TOKEN = re.compile(r"(?=[^/]*[A-Za-z])(?=[^/]*\d)[A-Za-z0-9_.~%=-]{16,}|[A-Za-z0-9_~%=-]{32,}")
SECRET = re.compile(
    r"(?<![A-Za-z0-9_-])(?:eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?|(?:sk|pk|ghp|gho|hf|xox[bp])[_-][\w-]{16,}|A[KS]IA[A-Z0-9]{16})"
)
#: Names that people go by elsewhere: WeChat, QQ, Telegram. Without a colon only what looks like no ordinary word.
HANDLE = re.compile(
    r"(?:(?:加我)?[微威]信号?|(?<![A-Za-z])(?:(?:wechat|weixin|vx|telegram|whatsapp|skype|instagram)(?:\s+id)?|line\s+id|qq[号群]?(?!\d{1,4}(?!\d))))"
    r"(?:\s*[:：是]\s*|\s+is\s+|\s?(?=\d{5})|\s{1,2}(?=@|[\w.-]{0,30}[\d_]))(?P<handle>@?[A-Za-z0-9][\w.-]{4,31})",
    re.IGNORECASE | re.ASCII,
)
IP_4 = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
IP_6 = re.compile(r"(?<![\w.])[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])", re.ASCII)


def find_urls(text: str) -> list[tuple[int, int]]:
    """Only links that may carry something of a person: a query, a log-in, a fragment, a token in the path."""
    found = []
    for match in URL.finditer(text):
        link = match[0].rstrip(".,;:!?)]}")
        try:
            parts = urlsplit(link if "://" in link else f"https://{link}")
            is_personal = bool(parts.query or parts.fragment or "@" in parts.netloc or TOKEN.search(parts.path))
        except ValueError:
            is_personal = True
        if is_personal:
            found.append((match.start(), match.start() + len(link)))
    return found


def find_secrets(text: str) -> list[tuple[int, int]]:
    """Keys and signed tokens, by the forms that services give them."""
    return [match.span() for match in SECRET.finditer(text)]


def find_network_names(text: str) -> list[tuple[int, int]]:
    """Handles, and addresses of devices (personal data: CJEU C-582/14)."""
    return [*(match.span("handle") for match in HANDLE.finditer(text)), *_find_ips(text)]


def _find_ips(text: str) -> Iterator[tuple[int, int]]:
    for match in (*IP_4.finditer(text), *IP_6.finditer(text)):
        try:
            address = ip_address(match[0])
        except ValueError:
            continue
        # 1.2.3.4 is a version more often than an address, and ::1 says nothing of anybody.
        if len(match[0]) > 8 and not address.is_loopback:
            yield match.span()
