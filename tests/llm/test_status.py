"""Is a model connected, does it answer, is there one on this machine?"""

from __future__ import annotations

from typing import Any

import pytest

from llm.models import LlmCall
from llm.status import configured_model, find_local_servers, try_connection
from tests import model_server as faults
from tests.llm.conftest import NOON
from tests.model_server import ModelServer


def test_configured_model_shows_its_host_and_never_its_key(settings: Any) -> None:
    settings.LLM_BASE_URL, settings.LLM_MODEL, settings.LLM_LABEL = "https://user:pw@models.example.test/v1/", "m-1", ""

    info = configured_model()

    assert (info.label, info.host, info.is_local, info.is_configured) == ("m-1", "models.example.test", False, True)


@pytest.mark.parametrize("address", ["http://127.0.0.1:11434/v1", "http://localhost:1/v1", "http://[::1]:8080/v1"])
def test_server_on_this_machine_is_local(settings: Any, address: str) -> None:
    settings.LLM_BASE_URL, settings.LLM_MODEL = address, "m"

    assert configured_model().is_local


@pytest.mark.parametrize(("address", "model"), [("", ""), ("http://127.0.0.1:1/v1", ""), ("", "m")])
def test_model_needs_an_address_and_a_name(settings: Any, address: str, model: str) -> None:
    settings.LLM_BASE_URL, settings.LLM_MODEL = address, model

    assert not configured_model().is_configured


@pytest.mark.django_db
def test_trying_the_connection_says_that_it_works_and_leaves_a_row(model_server: ModelServer) -> None:
    check = try_connection(NOON)

    assert check.works
    assert "Scripted model" in check.message
    assert check.mode == "json_schema"
    assert LlmCall.objects.get().purpose == "connection_check"


@pytest.mark.django_db
def test_trying_the_connection_says_what_is_wrong(model_server: ModelServer) -> None:
    model_server.always(faults.fault_wrong_key())

    check = try_connection(NOON)

    assert not check.works
    assert "LLM_API_KEY" in check.message


def test_local_servers_are_found_with_their_models() -> None:
    with ModelServer(models=("qwen", "llama")) as one, ModelServer(models=()) as empty:
        found = find_local_servers((one.port, empty.port, 9))

    assert [(server.base_url, server.models) for server in found] == [(one.base_url, ("qwen", "llama"))]
