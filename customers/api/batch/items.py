"""What a mixed request may hold: one typed shape for each kind of item, all of them checked in one go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired

import pydantic
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import EmailValidator, URLValidator
from django.utils.translation import gettext as _
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from customers.api.event_items import NO_NUL, CustomerKey, Key, Source, explain_body, join_path
from customers.api.fields import MAX_JSON_LENGTH, WEB_SCHEMES
from customers.api.moments import FIRST_YEAR, LAST_YEAR
from customers.api.orders import MAX_LINES, MAX_QUANTITY
from customers.ingest.phones import LONGEST
from customers.ingest.recorder import storable_json
from customers.ingest.schema import CURRENCIES
from customers.models import Channel, EventKind
from customers.models.customer import validate_time_zone

MAX_ITEMS = 1_000
_MOST_STOCK = 2**31 - 1
_check_email, _check_url = EmailValidator(), URLValidator(WEB_SCHEMES)


@dataclass(frozen=True)
class Fault:
    """Why an item could not be kept: its place, the path of the field within it, and a sentence. `code` names the reason."""

    index: int
    path: str
    message: str
    code: str


def _email(value: str) -> str:
    try:
        _check_email(value) if value else None
    except DjangoValidationError:
        raise PydanticCustomError("email", _("This is no e-mail address.")) from None
    return value


def _url(value: str) -> str:
    try:
        _check_url(value) if value else None
    except DjangoValidationError:
        raise PydanticCustomError("url", _("This is no web address.")) from None
    return value


def _zone(value: str) -> str:
    try:
        validate_time_zone(value)
    except DjangoValidationError as error:
        raise PydanticCustomError("time_zone", " ".join(error.messages).replace("{", "(").replace("}", ")")) from None
    return value


def _currency(value: str) -> str:
    code = value.upper()
    if code and code not in CURRENCIES:
        raise PydanticCustomError("currency", _("This is no ISO currency code, such as EUR."))
    return code


def _moment(value: dt.datetime) -> dt.datetime:
    try:
        moment = value.astimezone(dt.UTC)
    except OverflowError:
        moment = None
    if moment is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise PydanticCustomError("time_range", _("The time has to lie from 1990 to 2099."))
    return moment


def _piece(value: int) -> int:
    if value == 0:
        raise PydanticCustomError("quantity", _("A line has at least one piece, or -1 where it came back."))
    return value


def _object(value: dict[str, Any]) -> dict[str, Any]:
    try:
        is_short = len(storable_json(value)) <= MAX_JSON_LENGTH
    except ValueError:
        raise PydanticCustomError(
            "unstorable", _("This holds NUL or a number without end, or is nested too deeply.")
        ) from None
    if not is_short:
        raise PydanticCustomError(
            "too_long", _("This is longer than %(count)d characters.") % {"count": MAX_JSON_LENGTH}
        )
    return value


def _text(most: int) -> Any:
    return pydantic.StringConstraints(strip_whitespace=True, max_length=most, pattern=NO_NUL)


Moment = Annotated[pydantic.AwareDatetime, pydantic.AfterValidator(_moment)]
Json = Annotated[dict[str, Any], pydantic.AfterValidator(_object)]
Currency = Annotated[str, _text(3), pydantic.AfterValidator(_currency)]
Money = Annotated[Decimal, pydantic.Field(ge=0, max_digits=14, decimal_places=2)]
Sku = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=NO_NUL)]


@pydantic.with_config(extra="forbid")
class CustomerItem(TypedDict):
    """A person. Fields that are left out stay as they are."""

    type: Literal["customer"]
    external_id: CustomerKey
    email: NotRequired[Annotated[str, _text(254), pydantic.AfterValidator(_email)]]
    phone: NotRequired[Annotated[str, _text(LONGEST)]]
    first_name: NotRequired[Annotated[str, _text(120)]]
    last_name: NotRequired[Annotated[str, _text(120)]]
    language: NotRequired[Annotated[str, _text(12)]]
    time_zone: NotRequired[Annotated[str, _text(64), pydantic.AfterValidator(_zone)]]
    country: NotRequired[Annotated[str, _text(80)]]
    attributes: NotRequired[Json]
    joined_at: NotRequired[Moment | None]


@pydantic.with_config(extra="forbid")
class ProductItem(TypedDict):
    """An article. Fields that are left out stay as they are."""

    type: Literal["product"]
    sku: Sku
    name: NotRequired[Annotated[str, _text(250)]]
    names: NotRequired[Json]
    category: NotRequired[Annotated[str, _text(120)]]
    brand: NotRequired[Annotated[str, _text(120)]]
    price: NotRequired[Money | None]
    currency: NotRequired[Currency]
    stock: NotRequired[Annotated[int, pydantic.Field(ge=-_MOST_STOCK, le=_MOST_STOCK)] | None]
    url: NotRequired[Annotated[str, _text(500), pydantic.AfterValidator(_url)]]
    is_charge: NotRequired[bool]


@pydantic.with_config(extra="forbid")
class LineItem(TypedDict):
    """One line of an order; what comes back has a negative quantity, never a negative price."""

    sku: NotRequired[Sku | None]
    quantity: Annotated[int, pydantic.Field(ge=-MAX_QUANTITY, le=MAX_QUANTITY), pydantic.AfterValidator(_piece)]
    unit_price: Annotated[Decimal, pydantic.Field(ge=0, max_digits=14, decimal_places=4)]


@pydantic.with_config(extra="forbid")
class OrderItem(TypedDict):
    """An order, always given whole."""

    type: Literal["order"]
    external_id: CustomerKey
    customer: CustomerKey
    ordered_at: Moment
    currency: Annotated[str, pydantic.StringConstraints(min_length=3, max_length=3), pydantic.AfterValidator(_currency)]
    discount: NotRequired[Money]
    discount_code: NotRequired[Annotated[str, _text(60)]]
    lines: Annotated[list[LineItem], pydantic.Field(min_length=1, max_length=MAX_LINES)]


@pydantic.with_config(extra="forbid")
class EventItem(TypedDict):
    """One thing a customer did; (external_id, occurred_at) make it unique within the source."""

    type: Literal["event"]
    external_id: Key
    customer: CustomerKey
    kind: EventKind
    occurred_at: Moment
    properties: NotRequired[dict[str, Any]]


@pydantic.with_config(extra="forbid")
class ConsentItem(TypedDict):
    """A consent given or withdrawn. `consent_source` says where (a form, a checkout), `proof` shows it."""

    type: Literal["consent"]
    customer: CustomerKey
    channel: NotRequired[Channel]
    status: Literal["given", "withdrawn"]
    legal_basis: Literal["consent", "existing_customer"]
    consent_source: NotRequired[Annotated[str, _text(80)]]
    recorded_at: Moment
    proof: NotRequired[Json]


BatchItem = CustomerItem | ProductItem | OrderItem | EventItem | ConsentItem
_Tagged = Annotated[BatchItem, pydantic.Field(discriminator="type")]
_UpToAThousand = pydantic.Field(min_length=1, max_length=MAX_ITEMS)


@pydantic.with_config(extra="forbid")
class _Body(TypedDict):
    items: Annotated[list[Any], _UpToAThousand]
    source: NotRequired[Source]


@pydantic.with_config(extra="forbid")
class _GoodBody(TypedDict):
    items: Annotated[list[_Tagged], _UpToAThousand]
    source: NotRequired[Source]


_BODY, GOOD_BODY, _ITEM = pydantic.TypeAdapter(_Body), pydantic.TypeAdapter(_GoodBody), pydantic.TypeAdapter(_Tagged)


@pydantic.with_config(extra="forbid")
class _QuickEvent(TypedDict):
    """An `EventItem` that is checked without a call into Python for each: it takes the same, and says less of what it refuses."""

    type: Literal["event"]
    external_id: Key
    customer: CustomerKey
    kind: EventKind
    occurred_at: Annotated[
        pydantic.AwareDatetime,
        pydantic.Field(
            ge=dt.datetime(FIRST_YEAR, 1, 1, tzinfo=dt.UTC), lt=dt.datetime(LAST_YEAR + 1, 1, 1, tzinfo=dt.UTC)
        ),
    ]
    properties: NotRequired[dict[str, Any]]


_Quick = Annotated[
    CustomerItem | ProductItem | OrderItem | _QuickEvent | ConsentItem, pydantic.Field(discriminator="type")
]


@pydantic.with_config(extra="forbid")
class _QuickBody(TypedDict):
    items: Annotated[list[_Quick], _UpToAThousand]
    source: NotRequired[Source]


_QUICK_BODY = pydantic.TypeAdapter(_QuickBody)


@dataclass
class Batch:
    """A request as it was read: every item with its type, those that are good so far, and what is wrong with the others."""

    source: str
    raw: list[Any]
    good: dict[int, Mapping[str, Any]]
    faults: list[Fault]
    #: Properties of events as the JSON text that is kept.
    texts: dict[int, str] = field(default_factory=dict)
    _by_kind: dict[str, dict[int, Mapping[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sort()

    def sort(self) -> None:
        """Sort the good items by their type, anew."""
        self._by_kind = {}
        for index, item in self.good.items():
            self._by_kind.setdefault(item["type"], {})[index] = item

    def of(self, kind: str) -> dict[int, Mapping[str, Any]]:
        """The good items of one type, by their place; one that is refused goes from it."""
        return self._by_kind.get(kind, {})

    def refuse(self, index: int, path: str, message: str, code: str) -> None:
        """Take one item out, and say why."""
        self.faults.append(Fault(index, path, message, code))
        if (item := self.good.pop(index, None)) is not None:
            self._by_kind[item["type"]].pop(index, None)


def read_batch(body: bytes) -> Batch:
    """Raises ParseError for a body that is no JSON, and ValidationError for one that holds no list of items."""
    try:
        whole = _QUICK_BODY.validate_json(body)
        return Batch(whole.get("source", "shop"), list(whole["items"]), dict(enumerate(whole["items"])), [])
    except pydantic.ValidationError:
        pass
    try:
        loose = _BODY.validate_json(body)
    except pydantic.ValidationError as error:
        raise explain_body(error) from error
    good: dict[int, Mapping[str, Any]] = {}
    faults: list[Fault] = []
    for index, raw in enumerate(loose["items"]):
        try:
            good[index] = _ITEM.validate_python(raw)
        except pydantic.ValidationError as error:
            faults += [_tell(index, fault) for fault in error.errors(include_url=False, include_input=False)]
    return Batch(loose.get("source", "shop"), loose["items"], good, faults)


def _tell(index: int, fault: Any) -> Fault:
    """Within a union the first part of the place is the type of the item; without one the type itself is wrong."""
    if not fault["loc"]:
        path = "type" if fault["type"].startswith("union_tag") else ""
        return Fault(index, path, str(fault["msg"]), str(fault["type"]))
    return Fault(index, join_path(fault["loc"][1:]), str(fault["msg"]), str(fault["type"]))
