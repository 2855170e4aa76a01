"""Where django-helpdesk answers: at the root, as its guide has it."""

from django.urls import include, path  # type: ignore[import-not-found]

urlpatterns = [path("", include("helpdesk.urls", namespace="helpdesk"))]
