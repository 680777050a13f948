"""Give the database role of the drafting work its rights, and say whether drafts are written under it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from retention_site.drafting_rights import grant_drafting_rights, read_role_state


class Command(BaseCommand):
    """`./rekindle manage drafting_role`; safe to run at any time."""

    help = (
        "Give the database role of drafting its rights (they are given after each migration too) and say how it stands."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        grant_drafting_rights()
        state = read_role_state()
        self.stdout.write(state.words)
        if state.sql:
            self.stdout.write(state.sql)
