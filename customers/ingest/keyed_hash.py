"""HMAC-SHA256 inside PostgreSQL, spelled out in sha256(), because pgcrypto need not be there."""

from __future__ import annotations

BLOCK = 64  # RFC 2104: the block of SHA-256 in bytes


def hmac_sql(key: bytes, text: str) -> str:
    """SQL for the HMAC, in hexadecimal digits, of a text expression. Keys longer than a block are refused (ValueError)."""
    if len(key) > BLOCK:
        raise ValueError("a key has 64 bytes at most")
    padded = key.ljust(BLOCK, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in padded).hex() for pad in (0x36, 0x5C))
    told = f"convert_to({text}, 'UTF8')"
    return f"encode(sha256('\\x{outer}'::bytea || sha256('\\x{inner}'::bytea || {told})), 'hex')"
