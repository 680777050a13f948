"""Has a language model propose a rule for a sentence. The proposal is shown and counted; only a person saves it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import connection
from django.db.models import Count
from django.utils.translation import gettext as _

from customers.ingest.currency import read_shop_currency
from customers.models import Customer, Product
from customers.segments.faults import RuleError
from customers.segments.proposed import ProposedBy, sign_proposal
from customers.segments.rules import dump_rule, parse_rule
from customers.segments.telling import Told, tell_rule
from customers.segments.wording import describe_error
from llm.client import complete
from llm.configuration import read_timeout_s
from llm.errors import ModelError, NotConfigured

from .prompt import LONGEST_REQUEST, PROMPT
from .reading import Known, read_answer

PURPOSE: Final = "propose_segment"
#: Nobody waits for a page longer than this.
LONGEST_WAIT_S: Final = 60.0
MOST_LISTED: Final = 60
PEOPLE_LOOKED_AT: Final = 2_000
#: A country or an attribute that fewer have is not told to the model.
FEWEST_PEOPLE: Final = 5

log = structlog.get_logger(__name__)


class CannotPropose(Exception):
    """No proposal; the text says why and what to do."""


@dataclass(frozen=True)
class Proposal:
    """A rule that a model proposed for a sentence. `left_out` is what it does not say, in words; `told` is its sentence and
    size. `model` and `call` say who wrote it; nothing of it is saved."""

    sentence: str
    name: str
    tree: dict[str, Any]
    left_out: tuple[str, ...]
    told: Told
    model: str
    call: UUID

    @property
    def token(self) -> str:
        """What travels with the rule until a person saves it, so that the revision says who proposed it."""
        return sign_proposal(self.tree, ProposedBy(self.model, f"{PROMPT.name} {PROMPT.version}", str(self.call)))


def propose_rule(sentence: str, *, now: dt.datetime, as_of: dt.datetime) -> Proposal:
    """Ask the model for a rule. Not to be called inside a transaction.

    Raises CannotPropose with a sentence for staff: no words, no model, a model that failed, or nothing that can be said.
    """
    words = _read_sentence(sentence)
    known = read_known()
    variables = {
        "sentence": words, "today": as_of.date().isoformat(), "currency": read_shop_currency(),
        "countries": list(known.countries), "categories": list(known.categories), "brands": list(known.brands),
    }  # fmt: skip
    seconds = min(read_timeout_s(), LONGEST_WAIT_S)
    try:
        answer = complete(PROMPT, variables, purpose=PURPOSE, now=now, timeout_s=seconds, may_reuse=True)
    except NotConfigured:
        raise CannotPropose(
            _(
                "No language model is connected, so a rule has to be put together by hand. An admin can connect one in Settings."
            )
        ) from None
    except ModelError as error:
        raise CannotPropose(error.staff_message) from error
    read = read_answer(answer.data, known)
    left_out = (*read.left_out, *(_tell_fault(fault) for fault in read.faults))
    if read.tree is None:
        log.info("segment_not_proposed", left_out=len(left_out), call=str(answer.call_id))
        raise CannotPropose(_tell_nothing(left_out))
    tree = dump_rule(parse_rule(read.tree))
    told = tell_rule(tree, as_of=as_of)
    log.info("segment_proposed", conditions=len(read.tree["rules"]), left_out=len(left_out), call=str(answer.call_id))
    return Proposal(words, read.name, tree, left_out, told, answer.label, answer.call_id)


def read_known() -> Known:
    """The words of this shop that a proposal may use. What only a few customers have could tell of one of them: it stays in
    the house, and so do the names of attributes, against which the answer is read."""
    shared = Customer.objects.exclude(country="").values("country").annotate(people=Count("pk"))
    countries = (
        shared.filter(people__gte=FEWEST_PEOPLE).order_by("-people", "country").values_list("country", flat=True)
    )
    wares = Product.objects.filter(is_charge=False)
    categories = wares.exclude(category="").order_by("category").values_list("category", flat=True).distinct()
    brands = wares.exclude(brand="").order_by("brand").values_list("brand", flat=True).distinct()
    return Known(
        list(countries[:MOST_LISTED]), list(categories[:MOST_LISTED]), list(brands[:MOST_LISTED]), _read_attributes()
    )


def _read_attributes() -> dict[str, str]:
    """The shop's own attributes and which type most of their values are."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
SELECT a.key, CASE
         WHEN bool_and(jsonb_typeof(a.value) = 'boolean') THEN 'flag'
         WHEN bool_and(jsonb_typeof(a.value) = 'number') THEN 'number'
         WHEN bool_and(a.value #>> '{}' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN 'date'
         ELSE 'text' END
FROM (SELECT attributes FROM customers_customer WHERE attributes <> '{}' LIMIT %s) c
CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(c.attributes) WHEN 'object' THEN c.attributes ELSE '{}' END) a
WHERE a.key <> 'push_token' AND length(a.key) <= 60 GROUP BY a.key HAVING count(*) >= %s
ORDER BY count(*) DESC, a.key LIMIT %s""",
            [PEOPLE_LOOKED_AT, FEWEST_PEOPLE, MOST_LISTED],
        )
        return dict(cursor.fetchall())


def _read_sentence(sentence: str) -> str:
    words = " ".join(sentence.replace("\x00", " ").encode("utf-8", "ignore").decode().split())
    if not words:
        raise CannotPropose(_("Say in a sentence which customers you mean."))
    if len(words) > LONGEST_REQUEST:
        raise CannotPropose(_("Say it in %(count)d characters at most.") % {"count": LONGEST_REQUEST})
    return words


def _tell_fault(fault: RuleError) -> str:
    return f"{fault.path}: {describe_error(fault)}"


def _tell_nothing(left_out: tuple[str, ...]) -> str:
    if not left_out:
        return _("The model found nothing in this sentence that a rule can say. Say it in other words.")
    return _("A rule cannot say this: %(what)s.") % {"what": "; ".join(left_out)}
