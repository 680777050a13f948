"""The site's addresses with the style guide, which is otherwise mounted in development only."""

from django.urls import path

from retention_site.styleguide import show_preview, show_styleguide
from retention_site.urls import urlpatterns as site_patterns

urlpatterns = [
    *site_patterns,
    path("styleguide/", show_styleguide, name="styleguide"),
    path("styleguide/preview/", show_preview, name="styleguide_preview"),
]
