"""Mailbox providers by their domains, as far as they are known: what to propose for a limit."""

from __future__ import annotations

from typing import Final

#: What a provider publishes as its own domains for everybody; a company's own domain is added by hand.
FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "Google": ("gmail.com", "googlemail.com"),
    "Microsoft": ("outlook.com", "hotmail.com", "live.com", "msn.com", "hotmail.co.uk", "hotmail.fr", "hotmail.de",
                  "live.co.uk", "outlook.de", "outlook.fr"),
    "Yahoo": ("yahoo.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "ymail.com", "rocketmail.com", "aol.com"),
    "Apple": ("icloud.com", "me.com", "mac.com"),
    "QQ": ("qq.com", "foxmail.com", "vip.qq.com"),
    "NetEase": ("163.com", "126.com", "yeah.net"),
    "United Internet": ("gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de", "mail.com"),
}  # fmt: skip
