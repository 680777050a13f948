"""Every version of a prompt is tried on the golden briefs, and the figures stay with its words."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from campaigns.content.evaluation import compare_prompts, evaluate_prompts, find_former
from campaigns.content.golden import read_golden_briefs
from campaigns.models import PromptEvaluation
from llm.errors import BudgetExceeded, NotConfigured
from llm.models import LlmCall
from tests.conftest import MakeUser
from tests.model_server import ModelServer, Step, answer, answer_text

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
ENGLISH = {
    "subject": "Something for the kitchen",
    "preheader": "A word from the harbour",
    "opening": "The evenings are long again, and a warm pot on the table makes them shorter.",
    "invitation": "Come and have a look at what is on the shelves.",
}
CHINESE = {
    "subject": "店里的灯还亮着",
    "preheader": "进来坐坐吧",
    "opening": "天冷了，一壶热茶最能暖手，也最适合慢慢聊天。",
    "invitation": "有空的时候，回来看看新到的东西。",
}
FALSE = {**ENGLISH, "invitation": "Everything is half price today, come and have a look."}


def write(request: dict[str, Any]) -> Step:
    """A good draft in the language of the brief; a false one for jackets; nonsense where the family is tea."""
    told = json.dumps(request["messages"], ensure_ascii=False)
    if "Tarn Fleece" in told:
        return answer(FALSE)
    if "Assam" in told:
        return answer_text("I would rather not.")
    return answer(CHINESE if "青石小铺" in told else ENGLISH)


@pytest.fixture
def server(model_server: ModelServer) -> ModelServer:
    model_server.answer_with(write)
    return model_server


def test_each_prompt_gets_the_figures_of_its_briefs(server: ModelServer) -> None:
    english, chinese = evaluate_prompts(now=NOW)

    assert (english.figures["briefs"], chinese.figures["briefs"]) == (12, 12)
    jackets = sum(brief.interest == "Jackets" for brief in read_golden_briefs() if brief.language == "en")
    teas = sum(brief.interest == "Tea" for brief in read_golden_briefs())
    assert english.figures["schema"] == pytest.approx((12 - teas) / 12)
    assert english.figures["usable"] == pytest.approx((12 - teas - jackets) / 12)
    assert chinese.figures["usable"] == chinese.figures["schema"] == 1
    assert chinese.figures["diversity"] == 0
    calls = LlmCall.objects.filter(purpose="evaluate_prompt")
    assert sum(trial["tries"] for each in (english, chinese) for trial in each.trials) == calls.count() == server.count
    assert english.prompt_text["system"] in server.chats[0].system_turn
    refused = next(trial for trial in english.trials if trial["words"] is None)
    assert refused["fault"]
    assert refused["tries"] > 1


def test_a_cap_ends_the_run_and_no_model_is_said_plainly(server: ModelServer, settings: Settings) -> None:
    settings.LLM_DAILY_TOKEN_CAP = 100
    with pytest.raises(BudgetExceeded):
        evaluate_prompts(now=NOW)
    settings.LLM_BASE_URL = ""
    with pytest.raises(NotConfigured):
        evaluate_prompts(now=NOW)
    assert not PromptEvaluation.objects.exists()
    assert not server.count


def test_a_changed_prompt_is_held_against_its_former_version(server: ModelServer) -> None:
    briefs = [brief for brief in read_golden_briefs() if brief.language == "zh"][:2]
    [old] = evaluate_prompts(now=NOW, briefs=briefs)
    [new] = evaluate_prompts(now=NOW + dt.timedelta(hours=1), briefs=briefs)
    assert find_former(new) is None
    PromptEvaluation.objects.filter(pk=old.pk).update(
        prompt_version="1", prompt_text={**old.prompt_text, "user": "Write something."}
    )

    former = find_former(new)

    assert former is not None
    assert former.pk == old.pk
    lines = compare_prompts(former.prompt_text, new.prompt_text)
    assert lines[0] == "# user"
    assert "-Write something." in lines
    assert compare_prompts(new.prompt_text, new.prompt_text) == []


def test_the_command_prints_figures_and_json(server: ModelServer) -> None:
    told = StringIO()
    call_command("evaluate_prompts", "--language", "zh", "--most", "2", stdout=told)
    assert "zh-01  ok" in told.getvalue()
    assert "usable" in told.getvalue()
    told = StringIO()
    call_command("evaluate_prompts", "--most", "1", "--json", stdout=told)
    figures = json.loads(told.getvalue())
    assert [each["briefs"] for each in figures.values()] == [1, 1]
    with pytest.raises(CommandError, match="No brief"):
        call_command("evaluate_prompts", "--most", "0")


def test_the_admin_shows_the_figures_and_what_changed(server: ModelServer, client: Client, make_user: MakeUser) -> None:
    briefs = [brief for brief in read_golden_briefs() if brief.language == "en"][3:5]
    [old] = evaluate_prompts(now=NOW, briefs=briefs)
    [new] = evaluate_prompts(now=NOW + dt.timedelta(hours=1), briefs=briefs)
    PromptEvaluation.objects.filter(pk=old.pk).update(
        prompt_version="1", prompt_text={**old.prompt_text, "system": "Be kind."}
    )
    admin = make_user("ada", "admin")
    client.force_login(admin)

    listing = client.get("/admin/campaigns/promptevaluation/").content.decode()
    page = client.get(f"/admin/campaigns/promptevaluation/{new.pk}/change/").content.decode()

    assert new.prompt_name in listing
    assert "-Be kind." in page
    assert "Something for the kitchen" in page
