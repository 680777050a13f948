"""The data dictionary says what the models say."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.utils import translation

from retention_site.data_dictionary import APPS, PATH, write_dictionary


def test_the_page_is_what_the_models_say() -> None:
    assert PATH.read_text(encoding="utf-8") == write_dictionary(), "make it again: ./rekindle manage data_dictionary"


def test_it_is_the_same_whatever_the_language_of_whoever_makes_it() -> None:
    before = write_dictionary()
    with translation.override("zh-hans"):
        assert write_dictionary() == before


@pytest.mark.parametrize("label", [label for label in APPS if apps.is_installed(label)])
def test_every_table_is_in_it_and_says_what_it_is(label: str) -> None:
    text = write_dictionary()
    silent = []
    for model in apps.get_app_config(label).get_models():
        if not model._meta.managed or model._meta.proxy:
            continue
        assert f"`{model._meta.db_table}`" in text
        if f"`{model._meta.db_table}`. \n" in text:
            silent.append(model.__name__)
    assert silent == [], "these models have no docstring"
