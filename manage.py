#!/usr/bin/env python
"""Django's command line for Rekindle; `./rekindle manage` calls it with the engines running."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention_site.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        settings.DEBUG  # noqa: B018  reads all settings; a wrong one is for people to mend, who need no traceback
    except ImproperlyConfigured as problem:
        sys.exit(f"rekindle: {problem}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
