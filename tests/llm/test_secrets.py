"""Keys are neither shown, stored nor logged, and no request goes where keys of the machine are kept."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from llm import errors
from llm.client import complete
from llm.configuration import configured_model
from llm.models import LlmCall, LlmServerHealth, LlmServerMode
from llm.prompts import Prompt
from tests import model_server as faults
from tests.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "key-of-the-tests"


def ask(prompt: Prompt) -> None:
    complete(prompt, {"shop": "Fernweh", "customer": "likes jackets"}, purpose="test", now=timezone.now(), timeout_s=5)


@pytest.mark.parametrize(
    "step",
    [
        faults.fault_wrong_key(KEY),
        faults.fault_error(200, f"Bad key {KEY}"),
        faults.fault_error(500, f"Bearer {KEY} was refused upstream"),
        faults.answer_text(f"Your key is {KEY}"),
        faults.answer_text(None, refusal=f"not for {KEY}"),
    ],
)
def test_a_key_that_a_server_says_back_is_kept_nowhere(
    step: faults.Step, model_server: ModelServer, invitation: Prompt, capfd: pytest.CaptureFixture[str]
) -> None:
    model_server.always(step)
    with pytest.raises(errors.ModelError) as raised:
        ask(invitation)
    rows = [*LlmCall.objects.values(), *LlmServerHealth.objects.values(), *LlmServerMode.objects.values()]
    assert rows
    assert KEY not in str(rows) + raised.value.staff_message + str(capfd.readouterr())


def test_a_password_in_the_address_is_used_and_not_kept(
    model_server: ModelServer, invitation: Prompt, settings: Any, client: Client, site_admin: User,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    settings.LLM_BASE_URL = model_server.base_url.replace("//", "//shop:pass-of-the-proxy@") + "?tenant=secret-of-ours"
    model_server.script(faults.fault_500(), faults.fault_500())
    for _turn in range(2):
        try:
            ask(invitation)
        except errors.ModelError:
            continue
    assert configured_model().address == model_server.base_url
    rows = [*LlmCall.objects.values(), *LlmServerHealth.objects.values(), *LlmServerMode.objects.values()]
    client.force_login(site_admin)
    pages = [
        client.get(path).content.decode() for path in ("/settings/model/", "/admin/llm/llmserverhealth/", "/settings/")
    ]
    for secret in ("pass-of-the-proxy", "secret-of-ours"):
        assert secret not in str(rows) + "".join(pages) + str(capfd.readouterr())


def test_what_models_are_asked_is_not_logged_even_when_everything_is() -> None:
    chatty = ("httpx2._client", "httpcore2.http11", "openai._base_client")
    assert not [name for name in chatty if logging.getLogger(name).isEnabledFor(logging.INFO)]


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "224.0.0.1"]
)
def test_no_request_goes_to_where_a_cloud_keeps_the_keys_of_its_machines(
    host: str, model_server: ModelServer, invitation: Prompt, settings: Any
) -> None:
    settings.LLM_BASE_URL = f"http://{host}/v1"
    with pytest.raises(errors.ModelRequestRejected, match="no model server can be"):
        ask(invitation)
    assert LlmCall.objects.get().reserved_tokens == 0
