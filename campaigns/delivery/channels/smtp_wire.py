"""Commands and answers of SMTP over a connected socket: what a delivery needs of it, several commands in one packet too.

smtplib greets, secures and logs in. For the four commands of a delivery its reader is slow, and what it has read ahead cannot
be seen, so that an answer that came too early would pass for the answer to the final dot.
"""

from __future__ import annotations

import select
import smtplib
import socket
from collections.abc import Sequence

#: More than any server says in one answer, in bytes.
LONGEST_ANSWER = 65_536
_CHUNK = 8_192


class SmtpWire:
    """One connected socket after the greeting."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self._read = bytearray()
        self._poll = select.poll()
        self._poll.register(connected, select.POLLIN | select.POLLHUP | select.POLLERR)

    def command(self, *lines: str) -> None:
        """Send commands, all in one packet. Raises ValueError for one that holds a line end."""
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a command with a line end in it")
        self.send("".join(f"{line}\r\n" for line in lines).encode("ascii"))

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read_answer(self) -> tuple[int, bytes]:
        """Code and text of the next answer (RFC 5321, 4.2), -1 where there is no code. Raises SMTPServerDisconnected."""
        said: list[bytes] = []
        while True:
            line = self._read_line()
            said.append(line[4:].strip(b" \t\r\n"))
            if not line[:3].isdigit():
                return -1, line.strip()
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(said)
            if sum(map(len, said)) > LONGEST_ANSWER:
                raise smtplib.SMTPServerDisconnected("the answer does not end")

    def read_answers(self, count: int) -> Sequence[tuple[int, bytes]]:
        """As many of `count` answers as come."""
        found = []
        try:
            for _number in range(count):
                found.append(self.read_answer())
        except (smtplib.SMTPException, OSError):
            pass
        return found

    def has_spoken(self) -> bool:
        """Whether the server said something, or hung up, when it was not its turn."""
        return bool(self._read) or bool(self._poll.poll(0))

    def _read_line(self) -> bytes:
        while (end := self._read.find(b"\n")) < 0:
            if len(self._read) > LONGEST_ANSWER:
                raise smtplib.SMTPServerDisconnected("the answer does not end")
            try:
                more = self.socket.recv(_CHUNK)
            except OSError as error:
                raise smtplib.SMTPServerDisconnected(f"Connection unexpectedly closed: {error}") from error
            if not more:
                raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
            self._read += more
        line = bytes(self._read[: end + 1])
        del self._read[: end + 1]
        return line
