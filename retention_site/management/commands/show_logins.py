"""`show_logins`: the log-ins of the demo shop that still have the demo password."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand

from retention_site.demo.people import DEMO_PASSWORD, find_open_logins


class Command(BaseCommand):
    help = "Show the address and the demo log-ins, one for each role."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        people = find_open_logins()
        if people:
            self.stdout.write(f"log in at {settings.SITE_URL}/ with the password “{DEMO_PASSWORD}” as")
            for person in people:
                self.stdout.write(f"  {person.username:6} {person.role:9} {person.first_name} {person.last_name}")
        elif not User.objects.filter(is_active=True).exists():
            self.stdout.write(
                "nobody can log in yet: ./rekindle manage createsuperuser makes an administrator,"
                " ./rekindle manage seed_demo --with-people-only the demo log-ins"
            )
