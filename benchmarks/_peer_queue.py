"""Makes the tables of one other sender and queues messages: `python -m benchmarks._peer_queue SIZE FILE`, in its environment."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import django
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.management import call_command

AT_ONCE = 1_000


def main(size: int, letter: Mapping[str, str]) -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    queue = queue_in_post_office if settings.PEER == "post_office" else queue_in_mailer
    for first in range(0, size, AT_ONCE):
        queue([f"p{number}@shopper.test" for number in range(first, min(first + AT_ONCE, size))], letter)


def queue_in_post_office(people: list[str], letter: Mapping[str, str]) -> None:
    import_module("post_office.mail").send_many(
        [
            {
                "sender": settings.DEFAULT_FROM_EMAIL,
                "recipients": [who],
                "subject": letter["subject"],
                "message": letter["text"],
                "html_message": letter["html"],
            }
            for who in people
        ]
    )


def queue_in_mailer(people: list[str], letter: Mapping[str, str]) -> None:
    messages = []
    for who in people:
        message = EmailMultiAlternatives(letter["subject"], letter["text"], settings.DEFAULT_FROM_EMAIL, [who])
        message.attach_alternative(letter["html"], "text/html")
        messages.append(message)
    get_connection().send_messages(messages)


if __name__ == "__main__":
    main(int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()))
