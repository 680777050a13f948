"""The wiring: settings, addresses, workers, roles, the home page, embedded engines, the demo shop."""

from .celery import app as celery_app

__all__ = ["celery_app"]
