"""Settings of the small Django project in which `bench peers` runs one other sender, as its documentation recommends.

It runs in an environment without Rekindle's packages: Django and the sender alone. What differs is in the environment:
PEER, PEER_DATABASE (name), PEER_SOCKETS (folder of PostgreSQL's socket), PEER_FOLDER, PEER_PORT (of the sink), PEER_LOCKS.
"""

from __future__ import annotations

import os
from pathlib import Path

PEER = os.environ["PEER"]
FOLDER = Path(os.environ["PEER_FOLDER"])

SECRET_KEY = "for-measurements-only"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [PEER]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PEER_DATABASE"],
        "HOST": os.environ["PEER_SOCKETS"],
        "USER": "postgres",
    }
}
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ["PEER_PORT"])
DEFAULT_FROM_EMAIL = "shop@fernweh.test"
LOGGING = {"version": 1, "root": {"level": "ERROR"}}

# django-post-office: queued by send_many, sent by `send_queued_mail`; 100 in a batch, 5 threads (its defaults). It renders the
# templates that it is given when they are queued, and the messages here are rendered already.
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
POST_OFFICE = {
    "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
    "MESSAGE_ID_ENABLED": True,
    "LOG_LEVEL": 1,
}

# django-mailer: "the preferred and easiest way" is its backend, sent by `runmailer`.
EMAIL_BACKEND = "mailer.backend.DbBackend" if PEER == "mailer" else "django.core.mail.backends.smtp.EmailBackend"
MAILER_LOCK_PATH = os.fspath(FOLDER / "send_mail")
MAILER_USE_FILE_LOCK = os.environ.get("PEER_LOCKS", "1") == "1"
