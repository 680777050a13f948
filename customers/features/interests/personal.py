"""What is known of a customer and must not leave the house."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from customers.models import Customer
from llm.masking import PersonalKind, PersonalValue

#: Keys of a customer's attributes whose values say who or where somebody is.
PERSONAL_ATTRIBUTES: Final = (
    "name", "mail", "phone", "mobile", "tel", "fax", "address", "street", "city", "town", "zip", "post", "birth",
    "iban", "card", "account", "company", "vat", "tax", "user", "login", "passport", "ssn", "ident", "dob",
    "wechat", "weixin", "whatsapp", "telegram", "skype", "contact", "recipient",
    "姓名", "名字", "电话", "手机", "地址", "邮箱", "邮编", "收货", "收件", "微信", "身份证", "护照", "生日", "城市",
    "公司", "账号", "卡号",
)  # fmt: skip
PHONE_ATTRIBUTES: Final = ("phone", "mobile", "tel", "fax", "whatsapp", "电话", "手机")
MOST_ORDERS: Final = 100


def personal_values(customer: Customer) -> list[PersonalValue]:
    """Names, addresses and numbers of a customer, for `llm.masking`; none of them blank."""
    full_name = f"{customer.first_name} {customer.last_name}".strip()
    reversed_name = f"{customer.last_name}{customer.first_name}"
    values = [
        PersonalValue(full_name),
        PersonalValue(reversed_name),
        PersonalValue(customer.first_name),
        PersonalValue(customer.last_name),
        PersonalValue(customer.email, PersonalKind.EMAIL),
        PersonalValue(customer.phone, PersonalKind.PHONE),
        PersonalValue(customer.external_id, PersonalKind.ID),
    ]
    if customer.pk:
        values += [PersonalValue(alias.external_id, PersonalKind.ID) for alias in customer.aliases.all()]
        values += [PersonalValue(number, PersonalKind.ID) for number in _list_order_numbers(customer)]
    values += _read_attributes(customer.attributes, is_personal=False, kind=PersonalKind.ADDRESS)
    return [value for value in values if value.value.strip()]


def _list_order_numbers(customer: Customer) -> list[str]:
    """The newest ones, which people quote in what they write: the shop finds a person by such a number."""
    newest = customer.orders.order_by("-ordered_at").values_list("external_id", flat=True)
    return list(newest[:MOST_ORDERS])


def _read_attributes(held: Any, *, is_personal: bool, kind: PersonalKind) -> Iterator[PersonalValue]:
    """What stands under a personal key, however deep."""
    if isinstance(held, dict):
        for key, value in held.items():
            named = str(key).lower()
            of_key = PersonalKind.PHONE if any(part in named for part in PHONE_ATTRIBUTES) else kind
            personal = is_personal or any(part in named for part in PERSONAL_ATTRIBUTES)
            yield from _read_attributes(value, is_personal=personal, kind=of_key)
    elif isinstance(held, list):
        for value in held:
            yield from _read_attributes(value, is_personal=is_personal, kind=kind)
    elif is_personal and isinstance(held, str | int) and not isinstance(held, bool):
        yield PersonalValue(str(held), kind)
