"""The whole API against its own description: requests made from the schema, good ones and broken ones, through the whole site.

schemathesis makes the requests (boundary values, wrong types, missing fields, odd text) and judges the answers: never a 5xx, and
what is answered is what the description says (status, content type, body). Half of the requests that name a row name one that
is there. Without --quick 20,000 cases. The last line is JSON: cases, answers of 5xx, breaks of the description.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.frame import parse_arguments, print_result, print_table, set_up_django

CASES, QUICK_CASES = 20_000, 2_000
#: Rows that are there, by the first word of the path: the parts of a path that name each.
Rows = Mapping[str, Sequence[Mapping[str, Any]]]
#: What an answer is held against. Not that every good request is taken: a description cannot say what the shop has.
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


@dataclass
class Found:
    """What came of it: how many requests, how they were answered, and each thing that is wrong, once, with a way to repeat it."""

    cases: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    server_errors: dict[str, str] = field(default_factory=dict)
    schema_breaks: dict[str, str] = field(default_factory=dict)


def fuzz(key: str, cases: int, *, rows: Rows, seed: int | None = None) -> Found:
    """About `cases` requests over all operations with the API key `key`.

    Without a seed the requests are the same in every run.
    """
    import schemathesis
    from drf_spectacular.generators import SchemaGenerator

    from retention_site.wsgi import application

    description = SchemaGenerator().get_schema(request=None, public=True)
    schema = schemathesis.openapi.from_dict(description)
    schema.app = application
    operations = [result.ok() for result in schema.get_all_operations()]
    found = Found()
    for operation in operations:
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            each = max(1, round(cases / len(operations) / 2))
            _fuzz_operation(operation, mode, each, key, rows, seed, found)
    return found


def _fuzz_operation(operation: Any, mode: Any, each: int, key: str, rows: Rows, seed: int | None, found: Found) -> None:
    import hypothesis
    from hypothesis.errors import HypothesisException
    from schemathesis.core.errors import SchemathesisError

    options: dict[str, Any] = {"max_examples": each, "database": None, "deadline": None, "derandomize": seed is None}
    options |= {"suppress_health_check": list(hypothesis.HealthCheck), "phases": [hypothesis.Phase.generate]}
    count = [0]

    def send(case: Any) -> None:
        count[0] += 1
        if count[0] > each:
            return
        _name_a_row(case, rows, count[0])
        _send(case, key, found)

    run = hypothesis.settings(**options)(hypothesis.given(operation.as_strategy(generation_mode=mode))(send))
    if seed is not None:
        run = hypothesis.seed(seed)(run)
    with contextlib.suppress(HypothesisException, SchemathesisError):  # a GET without parameters cannot be made wrong
        run()


def _name_a_row(case: Any, rows: Rows, number: int) -> None:
    """Every other request names a row that is there."""
    known = rows.get(case.operation.path.removeprefix("/api/v1/").partition("/")[0])
    if known and number % 2:
        row = known[number // 2 % len(known)]
        for name in case.path_parameters or {}:
            case.path_parameters[name] = row.get(name, case.path_parameters[name])


def _send(case: Any, key: str, found: Found) -> None:
    from schemathesis.core.failures import FailureGroup

    found.cases += 1
    response = case.call(headers={"Authorization": f"Bearer {key}", "Host": "localhost"}, base_url="http://localhost")
    found.codes[response.status_code] += 1
    label = case.operation.label
    if response.status_code >= 500:
        found.server_errors.setdefault(label, case.as_curl_command()[:1_000])
        return
    try:
        case.validate_response(response, checks=_load_checks())
    except FailureGroup as group:
        for failure in group.exceptions:
            name = f"{label} {response.status_code} {type(failure).__name__}"
            found.schema_breaks.setdefault(name, f"{str(failure)[:600]}\n{case.as_curl_command()[:600]}")


def _load_checks() -> list[Any]:
    import schemathesis.checks as known
    from schemathesis.checks import CHECKS as registry

    known.load_all_checks()
    return [check for check in registry.get_all() if check.__name__ in CHECKS]


def make_shop() -> tuple[str, Rows]:
    """A key that may do everything, and some rows of each kind that paths name."""
    from django.contrib.auth.models import User
    from django.utils import timezone

    from campaigns.models import Archetype, Campaign, ReviewComment, Variant
    from customers.api.authentication import issue_api_key
    from customers.models import (
        Customer,
        CustomerMerge,
        OutgoingDelivery,
        OutgoingEndpoint,
        Segment,
        ShopConnection,
    )
    from customers.outgoing.endpoints import send_test
    from support.models import Ticket
    from tests.campaigns.arrange import make_campaign, make_cast

    now = timezone.now().replace(microsecond=0)
    cast = make_cast()
    user, _created = User.objects.get_or_create(username="fuzz", defaults={"is_superuser": True, "is_active": True})
    campaigns = [
        make_campaign(
            cast.marketer,
            None if number == 0 else [],
            name=f"Fuzz {number}",
            send_at=now + dt.timedelta(days=2),
            now=now,
        )
        for number in range(3)
    ]
    _row, key = issue_api_key(user, "fuzz")
    hook = OutgoingEndpoint.objects.create(url="https://receiver.invalid/hook", kinds=["customer.created"])
    send_test(hook, now=now)
    numbered: dict[str, Any] = {
        "campaigns": Campaign,
        "archetypes": Archetype,
        "variants": Variant,
        "segments": Segment,
        "web-hooks": OutgoingEndpoint,
        "web-hook-deliveries": OutgoingDelivery,
        "review-comments": ReviewComment,
        "tickets": Ticket,
        "merges": CustomerMerge,
        "shops": ShopConnection,
    }
    _make_further(campaigns[0], cast.marketer, now)
    named: dict[str, Sequence[Mapping[str, Any]]] = {
        path: [{"id": pk, "number": 1, "segment": pk} for pk in table.objects.values_list("pk", flat=True)[:3]]
        for path, table in numbered.items()
    }
    assert all(named.values()), "some kind of row is missing"
    named["customers"] = list(Customer.objects.filter(source="shop").values("source", "external_id")[:3])
    named |= {"brand-voice": [{"number": 1}], "policies": [{"number": 1}]}
    return key, {**named, "products": [{"sku": "FUZZ"}], "orders": [{"source": "shop", "external_id": "o-fuzz"}]}


def _make_further(campaign: Any, author: Any, now: dt.datetime) -> None:
    """One of each: a product, an order, a ticket, a comment, a shop, and two customers who are one."""
    from campaigns.models import ReviewComment
    from customers.merging.merge import merge_customers
    from customers.models import Customer, CustomerMerge, Order, Product, ShopConnection
    from support.models import Ticket, TicketMessage

    two = [Customer.objects.create(external_id=f"twin-{number}", email="twin@shop.example") for number in range(2)]
    merge_customers(two[1].pk, two[0].pk, reason=CustomerMerge.Reason.STAFF, actor=author, now=now)
    Product.objects.create(sku="FUZZ", name="Tent", price="9.00", currency="EUR")
    Order.objects.create(
        source="shop", external_id="o-fuzz", customer=two[0], ordered_at=now, currency="EUR", total="9.00"
    )
    ticket = Ticket.objects.create(
        channel="api", external_id="fuzz", customer=two[0], opened_at=now, last_message_at=now
    )
    TicketMessage.objects.create(ticket=ticket, direction="in", text="Where is my parcel?", written_at=now)
    ReviewComment.objects.create(
        campaign=campaign, place="campaign", author=author, body="Shorter, please.", created_at=now
    )
    ShopConnection.objects.create(
        kind="shopify", name="Fuzz", source="fuzz", address="https://fuzz.myshopify.com", currency="EUR"
    )


@contextlib.contextmanager
def without_limit() -> Iterator[None]:
    """As many requests a minute as come: the limit is tested elsewhere."""
    from django.test import override_settings

    with override_settings(API_REQUESTS_PER_MINUTE=0, ALLOWED_HOSTS=["localhost"], SECURE_SSL_REDIRECT=False):
        yield


def main() -> None:
    """Fuzz, print what was found, and the object in the last line."""
    arguments = parse_arguments(__doc__ or "")
    set_up_django()
    key, rows = make_shop()
    cases = QUICK_CASES if arguments.quick else CASES
    with without_limit():
        found = fuzz(key, cases, rows=rows, seed=arguments.seed)
    print_table("Answers", {str(code): count for code, count in sorted(found.codes.items())})
    for title, faults in (("5xx", found.server_errors), ("not as described", found.schema_breaks)):
        for name, text in faults.items():
            print(f"\n{title}: {name}\n{text}")
    print_result(
        arguments,
        size={"cases": cases},
        cases=found.cases,
        server_errors=sum(count for code, count in found.codes.items() if code >= 500),
        schema_breaks=len(found.schema_breaks),
    )


if __name__ == "__main__":
    main()
