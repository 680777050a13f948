"""One poll of the mailbox that SUPPORT_IMAP_URL names, in a process that a test may kill."""

from __future__ import annotations

import django

if __name__ == "__main__":
    django.setup()
    from support.tasks import poll_support_mailbox

    poll_support_mailbox()
