"""Providers by their HTTP API: what each fault of the network or the provider allows us to conclude, and never twice."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from campaigns.approval import workflow
from campaigns.delivery import reaper
from campaigns.delivery.channels import Cause, ChannelUnavailable, Envelope, Letter, Outcome, Phase, Reply
from campaigns.delivery.channels.anymail import AnymailChannel, describe_route
from campaigns.delivery.channels.http_answers import read_retry_after
from campaigns.delivery.channels.providers import PROVIDERS
from campaigns.delivery.outbox import MAX_ATTEMPTS
from campaigns.delivery.sender import SendRun, send_waiting_messages
from campaigns.models import Campaign, CampaignStatus, Message
from customers.merging.merge import merge_customers
from customers.models import ConsentRecord, Customer
from retention_site.engine_urls import read_email_url
from tests.campaigns import arrange
from tests.campaigns.arrange import Cast
from tests.provider_server import TAKEN, Harm, ProviderServer

from .conftest import states

NAME = "1.1.2.0123456789abcdef0123"
LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
KINDS = ["resend", "postmark"]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def provider() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


def use(settings: Settings, kind: str, server: ProviderServer) -> AnymailChannel:
    """As if EMAIL_URL named it: the address of the API is an option of the URL."""
    for name, value in read_email_url(f"{kind}://secret-key?api_url={server.url}").items():
        setattr(settings, name, value)
    settings.EMAIL_TIMEOUT = 0.5
    return AnymailChannel(kind, timeout_s=0.5)


def envelope(size: int = 10) -> Envelope:
    letter = Letter("Fernweh", "hello@fernweh.test", "Hi Zoë", "text " * size, "<p>html</p>", {"X-Our": "yes"})
    return Envelope("hello@fernweh.test", "kim@shopper.test", b"", NAME, letter)


def test_a_letter_reaches_the_provider_whole(settings: Settings, provider: ProviderServer) -> None:
    channel = use(settings, "resend", provider)

    assert channel.deliver(envelope()).outcome is Outcome.ACCEPTED
    assert channel.deliver(envelope()).outcome is Outcome.ACCEPTED

    (letter,) = provider.letters  # the second had the same key
    path, headers, _letter = provider.requests[0]
    assert (path, headers["Idempotency-Key"], headers["Authorization"]) == ("/emails", NAME, "Bearer secret-key")
    assert letter["from"] == "Fernweh <hello@fernweh.test>" and letter["to"] == ["kim@shopper.test"]
    assert letter["subject"] == "Hi Zoë" and letter["html"] == "<p>html</p>" and letter["text"].startswith("text")
    assert letter["headers"]["X-Our"] == "yes" and NAME in letter["headers"]["X-Metadata"]
    assert provider.connections == 1, "the connection is kept"


@pytest.mark.parametrize(
    ("harm", "with_keys", "without"),
    [
        (Harm.CUT_UNTAKEN, Outcome.REPEAT, Outcome.UNKNOWN),
        (Harm.CUT_TAKEN, Outcome.REPEAT, Outcome.UNKNOWN),
        (Harm.SLOW_TAKEN, Outcome.REPEAT, Outcome.UNKNOWN),
        (Harm.NONSENSE_TAKEN, Outcome.REPEAT, Outcome.UNKNOWN),
        (Harm.GARBAGE_TAKEN, Outcome.REPEAT, Outcome.UNKNOWN),
    ],
)
def test_without_a_clear_answer_only_a_key_allows_another_try(
    settings: Settings, provider: ProviderServer, kind: str, harm: Harm, with_keys: Outcome, without: Outcome
) -> None:
    channel = use(settings, kind, provider)
    provider.harm = harm

    reply = channel.deliver(envelope())

    assert reply.outcome is (with_keys if kind == "resend" else without), reply
    assert reply.phase is Phase.DOT
    assert len(provider.letters) == int(harm in TAKEN)


@pytest.mark.parametrize(
    ("status", "with_keys", "without", "cause"),
    [
        (429, Outcome.RETRY, Outcome.RETRY, Cause.NONE),
        (503, Outcome.RETRY, Outcome.RETRY, Cause.NONE),
        (408, Outcome.RETRY, Outcome.RETRY, Cause.NONE),
        (500, Outcome.REPEAT, Outcome.UNKNOWN, Cause.NONE),
        (502, Outcome.REPEAT, Outcome.UNKNOWN, Cause.NONE),
        (504, Outcome.REPEAT, Outcome.UNKNOWN, Cause.NONE),
        (400, Outcome.FAILED, Outcome.FAILED, Cause.NONE),
        (422, Outcome.FAILED, Outcome.FAILED, Cause.NONE),
        (401, Outcome.RETRY, Outcome.RETRY, Cause.LOGIN),
        (403, Outcome.RETRY, Outcome.RETRY, Cause.LOGIN),
        (307, Outcome.RETRY, Outcome.RETRY, Cause.NONE),
    ],
)
def test_each_status_means_what_it_allows(
    settings: Settings,
    provider: ProviderServer,
    kind: str,
    status: int,
    with_keys: Outcome,
    without: Outcome,
    cause: Cause,
) -> None:
    channel = use(settings, kind, provider)
    provider.harm, provider.status = Harm.STATUS, status
    provider.headers = {"Location": provider.url + "elsewhere"} if status == 307 else {}

    reply = channel.deliver(envelope())

    assert (reply.outcome, reply.cause) == (with_keys if kind == "resend" else without, cause), reply
    assert provider.letters == [] and len(provider.requests) == 1, (
        "a redirect is not followed: it would send our key on"
    )


def test_a_provider_that_is_away_costs_no_message_a_try(settings: Settings, kind: str) -> None:
    with ProviderServer() as gone:
        pass
    channel = use(settings, kind, gone)

    with pytest.raises(ChannelUnavailable) as caught:
        channel.ensure_open()
    assert caught.value.phase is Phase.CONNECT and not caught.value.is_final


def test_a_connection_cut_while_the_letter_is_on_its_way_has_sent_nothing(
    settings: Settings, provider: ProviderServer, kind: str
) -> None:
    """The letter is larger than all buffers between the two ends, so that the cut is met in the middle."""
    channel = use(settings, kind, provider)
    channel._timeout_s = 5
    provider.harm = Harm.RESET_UNREAD

    reply = channel.deliver(envelope(size=4_000_000))

    assert (reply.outcome, reply.phase) == (Outcome.RETRY, Phase.BODY), reply
    assert provider.letters == []


def test_a_kept_connection_that_the_provider_closed_is_made_anew(
    settings: Settings, provider: ProviderServer, kind: str
) -> None:
    channel = use(settings, kind, provider)
    provider.harm, provider.status, provider.headers = Harm.STATUS, 503, {"Connection": "close"}
    channel.deliver(envelope())

    channel.ensure_open()
    assert channel.deliver(envelope()).outcome is Outcome.ACCEPTED
    assert provider.connections == 2


def test_a_provider_that_asks_for_patience_is_left_alone(
    settings: Settings, provider: ProviderServer, kind: str
) -> None:
    channel = use(settings, kind, provider)
    provider.harm, provider.status, provider.headers = Harm.STATUS, 429, {"Retry-After": "120"}

    assert channel.deliver(envelope()).wait_s == 120
    with pytest.raises(ChannelUnavailable) as caught:
        channel.ensure_open()
    assert 100 < caught.value.wait_s <= 120
    assert channel.deliver(envelope()).outcome is Outcome.RETRY and len(provider.requests) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30), (" 7 ", 7), ("999999", 3600), ("0", 0), ("-5", 0), ("soon", 0), ("", 0), ("1e3", 0),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60), ("Wed, 31 Dec 2025 00:00:00 GMT", 0),
    ],
)  # fmt: skip
def test_retry_after_is_read_as_number_or_date(value: str, seconds: float) -> None:
    assert read_retry_after(value, now=LONG_AGO) == seconds


def test_every_provider_of_the_list_is_one_that_anymail_has(settings: Settings) -> None:
    for name, provider in PROVIDERS.items():
        needs = "&".join(f"{need.lower()}=https%3A%2F%2Fapi.test%2F" for need in provider.needs)
        found = read_email_url(f"{name}://key:secret@mg.shop.test?{needs}")
        assert found["EMAIL_PROVIDER"] == name
        settings.ANYMAIL = found["ANYMAIL"]
        channel = AnymailChannel(name, timeout_s=0.1)
        settings.ANYMAIL = settings.ANYMAIL | {f"{provider.prefix}_API_URL": "http://127.0.0.1:1/"}
        with pytest.raises(ChannelUnavailable):
            channel.ensure_open()  # the backend was made; nobody listens
        assert channel.route.has_keys == (name in {"resend", "brevo"})


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("gopher://key", "EMAIL_URL must start with"),
        ("resend://", "lacks API_KEY"),
        ("mailjet://only-key", "lacks SECRET_KEY"),
        ("postal://key", "lacks API_URL"),
    ],
)
def test_a_provider_that_lacks_something_says_what(url: str, says: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=says) as caught:
        read_email_url(url)
    assert "only-key" not in str(caught.value), "keys are never said"


def test_the_parts_of_a_provider_url_are_settings_of_anymail() -> None:
    found = read_email_url("mailgun://k%2Fey@mg.shop.test?api_url=https://api.eu.mailgun.net/v3")
    assert found["ANYMAIL"] == {
        "MAILGUN_API_KEY": "k/ey",
        "MAILGUN_SENDER_DOMAIN": "mg.shop.test",
        "MAILGUN_API_URL": "https://api.eu.mailgun.net/v3",
    }
    assert found["EMAIL_BACKEND"] == "anymail.backends.mailgun.EmailBackend"


def test_brevo_takes_its_key_in_the_message(settings: Settings, provider: ProviderServer) -> None:
    channel = use(settings, "brevo", provider)
    channel.deliver(envelope())
    _path, _headers, letter = provider.requests[0]
    assert letter["headers"]["idempotencyKey"] == NAME


# --- Through the whole sender -----------------------------------------------------------------------------------------


def run(kind: str, *, seconds: float = 5) -> SendRun:
    return send_waiting_messages(
        seconds=seconds, connections=1, open_channel=lambda: AnymailChannel(kind, timeout_s=0.4)
    )


def let_time_pass() -> None:
    """Every wait and lease is over."""
    Message.objects.update(not_before=None)
    Message.objects.filter(status="retry_wait").update(not_before=LONG_AGO)
    Message.objects.filter(lease_until__isnull=False).update(lease_until=LONG_AGO)
    reaper.reap_stuck_messages()


@pytest.mark.parametrize("harm", sorted(TAKEN))
def test_with_keys_every_message_arrives_exactly_once(
    running: Campaign, settings: Settings, provider: ProviderServer, harm: Harm
) -> None:
    use(settings, "resend", provider)
    provider.harm, provider.times, provider.slow_s = harm, 2, 0.8

    run("resend")
    assert states(running)["retry_wait"] == 2 and states(running)["unknown"] == 0
    assert Message.objects.filter(in_doubt_since__isnull=False).count() == 2
    let_time_pass()
    run("resend")

    assert states(running) == {"accepted": 3}
    assert len(provider.letters) == 3
    assert Message.objects.filter(in_doubt_since__isnull=False).count() == 0


@pytest.mark.parametrize("harm", sorted(TAKEN))
def test_without_keys_what_nobody_knows_is_never_sent_again(
    running: Campaign, settings: Settings, provider: ProviderServer, harm: Harm
) -> None:
    use(settings, "postmark", provider)
    provider.harm, provider.times, provider.slow_s = harm, 2, 0.8

    run("postmark")
    let_time_pass()
    run("postmark")

    assert states(running) == {"accepted": 1, "unknown": 2}
    assert len(provider.letters) == 3


def test_a_second_try_says_the_same_though_the_customer_changed(
    running: Campaign, settings: Settings, provider: ProviderServer
) -> None:
    use(settings, "resend", provider)
    provider.harm, provider.times = Harm.CUT_TAKEN, 3
    run("resend")
    Customer.objects.update(first_name="Robin")
    let_time_pass()

    run("resend")

    assert states(running) == {"accepted": 3}
    bodies = [letter["text"] for _path, _headers, letter in provider.requests]
    assert len(bodies) == 6 and not any("Robin" in body for body in bodies)


def test_what_is_in_doubt_counts_for_the_cap_and_is_repeated_all_the_same(
    running: Campaign, cast: Cast, now: dt.datetime, settings: Settings, provider: ProviderServer
) -> None:
    settings.FREQUENCY_CAP_MESSAGES, settings.FREQUENCY_CAP_DAYS = 1, 7
    use(settings, "resend", provider)
    provider.harm, provider.times = Harm.CUT_TAKEN, 3
    run("resend")
    people = [message.customer for message in Message.objects.filter(campaign=running)]
    other = arrange.make_campaign(cast.marketer, people, name="Other", send_at=now, now=now)
    arrange.start(other, cast, now=now)

    run("resend")
    assert states(other) == {"skipped": 3}, "they may have had one already"
    let_time_pass()
    run("resend")

    assert states(running) == {"accepted": 3} and len(provider.letters) == 3


def test_what_is_in_doubt_by_the_id_that_was_merged_does_not_go_to_the_other(
    running: Campaign, now: dt.datetime, settings: Settings, provider: ProviderServer
) -> None:
    first, second, _third = Message.objects.order_by("pk")
    Message.objects.exclude(pk=first.pk).update(not_before=now + dt.timedelta(hours=1))
    use(settings, "resend", provider)
    provider.harm, provider.times = Harm.CUT_TAKEN, 1
    run("resend")
    assert states(running) == {"retry_wait": 1, "queued": 2} and len(provider.letters) == 1
    merge_customers(first.customer_id, second.customer_id, reason="staff", actor=None, now=now)
    Message.objects.filter(pk=second.pk).update(not_before=None)

    run("resend")

    second.refresh_from_db()
    assert (second.status, second.skip_reason) == ("skipped", "had_it") and len(provider.letters) == 1


def test_a_worker_that_dies_at_a_provider_with_keys_leaves_nothing_in_doubt(
    running: Campaign, settings: Settings, provider: ProviderServer
) -> None:
    use(settings, "resend", provider)
    run("resend")
    Message.objects.update(status="sending", lease_until=LONG_AGO)  # as if killed before it could settle
    letters = len(provider.letters)

    assert reaper.reap_stuck_messages().unknown == 0
    run("resend")

    assert states(running) == {"accepted": 3} and len(provider.letters) == letters == 3


def test_what_left_by_another_door_is_not_repeated(
    running: Campaign, settings: Settings, provider: ProviderServer
) -> None:
    """Another provider, or another account at the same one, does not know the key."""
    use(settings, "resend", provider)
    provider.harm, provider.times = Harm.CUT_TAKEN, 1
    run("resend")
    settings.ANYMAIL = settings.ANYMAIL | {"RESEND_API_KEY": "of another account"}
    let_time_pass()
    run("resend")

    assert states(running) == {"accepted": 2, "unknown": 1}
    assert len(provider.letters) == 3


def test_a_key_that_is_forgotten_by_now_is_not_relied_on(
    running: Campaign, settings: Settings, provider: ProviderServer
) -> None:
    use(settings, "resend", provider)
    provider.harm, provider.times = Harm.CUT_TAKEN, 1
    run("resend")
    window = dt.timedelta(seconds=describe_route("resend").key_window_s)
    doubt = Message.objects.get(in_doubt_since__isnull=False)
    Message.objects.filter(pk=doubt.pk).update(in_doubt_since=doubt.in_doubt_since - window)
    let_time_pass()
    run("resend")

    assert states(running) == {"accepted": 2, "unknown": 1}
    assert len(provider.requests) == 3


def test_who_says_no_between_two_tries_is_not_called_unsent(
    running: Campaign, settings: Settings, provider: ProviderServer, now: dt.datetime
) -> None:
    use(settings, "resend", provider)
    provider.harm, provider.times = Harm.CUT_TAKEN, 3
    run("resend")
    customer = Message.objects.earliest("pk").customer
    ConsentRecord.objects.create(
        customer=customer, status="withdrawn", legal_basis="consent", source="test", recorded_at=now
    )
    let_time_pass()
    run("resend")

    assert states(running) == {"accepted": 2, "unknown": 1}
    assert Message.objects.get(customer=customer).status == "unknown"


def test_cancelling_does_not_call_unsent_what_may_have_been_sent(
    running: Campaign, settings: Settings, provider: ProviderServer, cast: Cast, now: dt.datetime
) -> None:
    use(settings, "resend", provider)
    provider.harm, provider.times = Harm.CUT_TAKEN, 1
    run("resend")
    workflow.cancel_campaign(cast.marketer, running, now=now)
    assert states(running) == {"accepted": 2, "unknown": 1}


def test_a_refusal_of_a_later_try_does_not_settle_the_first(
    running: Campaign, settings: Settings, provider: ProviderServer
) -> None:
    use(settings, "resend", provider)
    provider.harm, provider.times = Harm.CUT_TAKEN, 1
    run("resend")
    provider.harm, provider.status, provider.times = Harm.STATUS, 422, 1
    let_time_pass()
    run("resend")
    assert states(running) == {"accepted": 2, "unknown": 1}


def test_after_the_last_try_doubt_remains_doubt(
    running: Campaign, settings: Settings, provider: ProviderServer
) -> None:
    use(settings, "resend", provider)
    provider.harm, provider.times = Harm.CUT_TAKEN, None
    Message.objects.update(attempts=MAX_ATTEMPTS - 1)
    run("resend")
    assert states(running) == {"unknown": 3}


def test_one_refused_login_pauses_and_says_so(
    running: Campaign, settings: Settings, provider: ProviderServer, kind: str
) -> None:
    use(settings, kind, provider)
    provider.harm, provider.status, provider.times = Harm.STATUS, 401, None

    run(kind)

    running.refresh_from_db()
    assert running.status == CampaignStatus.PAUSED and "log-in" in running.status_reason
    assert len(provider.requests) == 1 and states(running) == {"queued": 2, "retry_wait": 1}


def test_a_provider_that_asks_for_patience_gets_no_second_message(
    running: Campaign, settings: Settings, provider: ProviderServer, kind: str
) -> None:
    use(settings, kind, provider)
    provider.harm, provider.status, provider.times = Harm.STATUS, 429, None
    provider.headers = {"Retry-After": "600"}

    run(kind, seconds=0.5)

    assert len(provider.requests) == 1
    running.refresh_from_db()
    assert running.status == CampaignStatus.SENDING, "the provider is well: nobody has to come"
    waits = Message.objects.get(status="retry_wait")
    assert waits.not_before is not None and waits.sending_at is not None
    assert waits.not_before - waits.sending_at >= dt.timedelta(seconds=599)


def test_every_message_has_its_own_way_back(running: Campaign, settings: Settings) -> None:
    """The bounce address, Message-ID and idempotency key all hold the name of the row."""
    settings.EMAIL_BOUNCE_ADDRESS = "bounces@mail.fernweh.test"
    seen: list[Envelope] = []

    class Noting(AnymailChannel):
        def ensure_open(self) -> None:
            pass

        def deliver(self, envelope: Envelope) -> Reply:
            seen.append(dataclasses.replace(envelope))
            return Reply(Outcome.ACCEPTED, Phase.DOT, 200)

    send_waiting_messages(seconds=5, connections=1, open_channel=lambda: Noting("resend", timeout_s=1))
    assert len({envelope.name for envelope in seen}) == 3
    for sent in seen:
        assert sent.sender == f"bounces+{sent.name}@mail.fernweh.test"
        assert sent.letter is not None and sent.name in sent.letter.headers["Message-ID"]
        assert len(sent.sender.partition("@")[0]) <= 64
