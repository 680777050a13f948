"""WooCommerce's REST API v3 (/wp-json/wc/v3): a test, pages of things, and the webhooks.

It numbers pages from what is there now, so a thing that is deleted meanwhile would push another one over the edge of a page.
Therefore each page begins with the last thing of the one before: where that is not there, we go back a page.

Some hosts keep the Authorization header from WooCommerce. Its documentation has the keys in the query string then, over https:
that is asked once, where the shop recognised nobody, and kept for the session where it helps.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from .addresses import is_local
from .asking import Answer, Asker, Found, Page, ShopTrouble
from .keys import ShopKeys
from .values import take_map

API: Final = "/wp-json/wc/v3"
SIZE: Final = 100  # the most that it gives at once
TOPICS: Final = {"customers": "customer.updated", "products": "product.updated", "orders": "order.updated"}
HOOK_TOPICS: Final = (
    "customer.created", "customer.updated", "customer.deleted", "order.created", "order.updated", "order.deleted",
    "order.restored", "product.created", "product.updated", "product.deleted", "product.restored",
)  # fmt: skip
_MORE: Final = {"customers": {"role": "all"}, "products": {"status": "any"}, "orders": {"status": "any"}}


class WooCommerceApi:
    """One session with one shop, logged in with consumer key and secret. Raises ShopTrouble."""

    def __init__(self, address: str, keys: ShopKeys) -> None:
        self._asker, self._login, self._secret = Asker(address), (keys.key, keys.token), keys.secret
        self._is_private = address.startswith("https://") or is_local(address)
        self._keys_in_query: bool | None = None  # not known yet

    def close(self) -> None:
        self._asker.close()

    def test(self) -> Found:
        """What the shop is called and sells in; reading each kind of thing shows whether the key may."""
        currency = take_map(self._get("/data/currencies/current").content)
        missing = []
        for stage in TOPICS:
            try:
                self._get(f"/{stage}", per_page=1)
            except ShopTrouble as trouble:
                if trouble.code != "keys_refused":
                    raise
                missing.append(stage)
        root = take_map(self._asker.ask("GET", "/wp-json/").content)
        return Found(str(root.get("name") or ""), str(currency.get("code") or ""), str(root.get("home") or ""), missing)

    def count(self, stage: str) -> int | None:
        return _read_total(self._get(f"/{stage}", per_page=1, **_MORE[stage]))

    def read_page(self, stage: str, cursor: Mapping[str, Any], since: dt.datetime | None) -> Page:
        """The next page in the order of the ids: all of them or, of products and orders, those changed `since`."""
        offset, last = int(cursor.get("offset") or 0), str(cursor.get("last") or "")
        start = max(offset - 1, 0)
        asked: dict[str, Any] = {"per_page": SIZE, "offset": start, "orderby": "id", "order": "asc", **_MORE[stage]}
        if since is not None and stage != "customers":
            asked |= {
                "modified_after": since.astimezone(dt.UTC).replace(tzinfo=None).isoformat(),
                "dates_are_gmt": "true",
            }
        answer = self._get(f"/{stage}", **asked)
        found = answer.content
        if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
            raise ShopTrouble("not_json")
        total = _read_total(answer)
        if last and (not found or str(found[0].get("id")) != last):  # something before it was deleted
            back = max(offset - SIZE, 0)
            return Page(TOPICS[stage], [], {"offset": back} if back else {"offset": 0, "begun": True}, total)
        payloads = found[1:] if last else found
        end = start + len(found)
        is_last = len(found) < SIZE or (total is not None and end >= total)
        following = None if is_last else {"offset": end, "last": str(found[-1].get("id"))}
        if stage == "products":
            payloads = [one for product in payloads for one in (product, *self._read_variations(product))]
        return Page(TOPICS[stage], payloads, following, total)

    def is_gone(self, stage: str, number: str) -> bool:
        """Whether the shop lists the thing no more: deleted, or in the trash. An API that is not there is a ShopTrouble."""
        found = self._get(f"/{stage}", include=number, per_page=1, **_MORE[stage]).content
        if not isinstance(found, list):
            raise ShopTrouble("not_json")
        return not found

    def make_hooks(self, url: str) -> list[str]:
        """Make the webhooks that are missing; returns their topics. Safe to run twice."""
        present = self._list_hooks(url)
        made = []
        for topic in HOOK_TOPICS:
            if topic not in present:
                body = {
                    "name": f"Rekindle {topic}",
                    "topic": topic,
                    "delivery_url": url,
                    "secret": self._secret,
                    "status": "active",
                }
                self._ask("POST", "/webhooks", body=body)
                made.append(topic)
        return made

    def _list_hooks(self, url: str) -> set[str]:
        found: set[str] = set()
        for page in range(1, 51):
            told = self._get("/webhooks", per_page=SIZE, page=page).content
            if not isinstance(told, list):
                raise ShopTrouble("not_json")
            found |= {
                str(one.get("topic"))
                for one in told
                if one.get("delivery_url") == url and one.get("status") == "active"
            }
            if len(told) < SIZE:
                break
        return found

    def _read_variations(self, product: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The variations of a product, each as a product of its own, with the name and categories of the whole."""
        if product.get("type") != "variable":
            return []
        found: list[Mapping[str, Any]] = []
        for page in range(1, 51):
            told = self._get(f"/products/{product.get('id')}/variations", per_page=SIZE, page=page).content
            if not isinstance(told, list):
                raise ShopTrouble("not_json")
            found += [_name_variation(product, one) for one in told]
            if len(told) < SIZE:
                break
        return found

    def _get(self, path: str, **params: Any) -> Answer:
        return self._ask("GET", path, params=params)

    def _ask(self, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Any = None) -> Answer:
        """With the keys in the header; where the shop has not seen them there, in the query string, from then on."""
        if not self._keys_in_query:
            try:
                answer = self._asker.ask(method, f"{API}{path}", params=params, body=body, login=self._login)
            except ShopTrouble as trouble:
                if not (trouble.is_unknown and self._is_private and self._keys_in_query is None):
                    raise
            else:
                self._keys_in_query = False
                return answer
        key, secret = self._login
        given = {**(params or {}), "consumer_key": key, "consumer_secret": secret}
        if self._keys_in_query is None:
            self._keys_in_query = False  # where they are refused there as well they are not given again
        answer = self._asker.ask(method, f"{API}{path}", params=given, body=body)
        self._keys_in_query = True
        return answer


def _name_variation(product: Mapping[str, Any], variation: Mapping[str, Any]) -> Mapping[str, Any]:
    options = [str(one.get("option") or "") for one in variation.get("attributes") or [] if isinstance(one, Mapping)]
    name = " – ".join([str(product.get("name") or ""), *filter(None, options)])
    return {**variation, "name": name, "categories": product.get("categories"), "brands": product.get("brands")}


def _read_total(answer: Answer) -> int | None:
    text = answer.headers.get("X-WP-Total", "")
    return int(text) if text.isdecimal() else None
