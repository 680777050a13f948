"""The WSGI application that gunicorn serves."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention_site.settings")

application = get_wsgi_application()
# All views, before gunicorn forks: otherwise each worker imports them for itself, during its first request.
import_module(settings.ROOT_URLCONF)
