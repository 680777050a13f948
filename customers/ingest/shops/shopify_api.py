"""Shopify's GraphQL Admin API (version 2026-07): a test, pages of things, and the webhooks.

Its limits: a bucket of query cost per shop and app that refills (extensions.cost.throttleStatus), at most 1,000 points for
one query, and no more than 25,000 things by one cursor. So a page is made smaller where it costs too much, a pause is made
where the bucket would not hold the next page, and a cursor is begun anew at a time before it has gone that far.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Set
from typing import Any, Final

from . import graph
from .asking import Asker, Found, Page, ShopTrouble
from .keys import ShopKeys
from .told import Untranslatable
from .values import take_map

VERSION: Final = "2026-07"
SCOPES: Final = ("read_customers", "read_orders", "read_products")
#: A topic that Shopify gives only to an app with a right of its own: made where the app has it.
TOPICS_WITH_A_RIGHT: Final = {"CUSTOMERS_MERGE": "read_customer_merge"}
#: Things in a page of each kind, where none costs too much.
SIZES: Final = {"customers": 100, "products": 25, "orders": 25}
#: A cursor is begun anew after so many things (Shopify ends at 25,000).
LONGEST_CURSOR: Final = 20_000
TOPICS: Final = {"customers": "customers/update", "products": "products/update", "orders": "orders/updated"}
#: Each topic as GraphQL calls it. The privacy topics belong to the app itself, not to a shop: they are set in its settings.
HOOK_TOPICS: Final = (
    "CUSTOMERS_CREATE", "CUSTOMERS_UPDATE", "CUSTOMERS_DELETE", "CUSTOMERS_EMAIL_MARKETING_CONSENT_UPDATE",
    "CUSTOMERS_MARKETING_CONSENT_UPDATE", "ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_PAID", "ORDERS_CANCELLED",
    "ORDERS_DELETE", "REFUNDS_CREATE", "PRODUCTS_CREATE", "PRODUCTS_UPDATE", "PRODUCTS_DELETE", "CARTS_CREATE",
    "CARTS_UPDATE", "CHECKOUTS_CREATE", "CHECKOUTS_UPDATE",
)  # fmt: skip

_SHOP = "query { shop { name currencyCode primaryDomain { url } } currentAppInstallation { accessScopes { handle } } }"
_COUNTS = {
    "customers": "query { customersCount(limit: null) { count precision } }",
    "products": "query { productsCount(limit: null) { count precision } }",
    "orders": "query { ordersCount(limit: null) { count precision } }",
}
_HOOKS = "query Hooks($after: String) { webhookSubscriptions(first: 100, after: $after)" \
    " { pageInfo { hasNextPage endCursor } nodes { topic uri } } }"  # fmt: skip
_MAKE_HOOK = (
    "mutation Make($topic: WebhookSubscriptionTopic!, $hook: WebhookSubscriptionInput!)"
    " { webhookSubscriptionCreate(topic: $topic, webhookSubscription: $hook)"
    " { webhookSubscription { id } userErrors { field message } } }"
)


class TooCostly(Exception):
    """The query would cost more than Shopify allows for one."""


class ShopifyApi:
    """One session with one shop. Raises ShopTrouble."""

    def __init__(self, address: str, keys: ShopKeys) -> None:
        self._asker, self._keys, self._token = Asker(address), keys, keys.token
        self._wait_s = 0.0

    def close(self) -> None:
        self._asker.close()

    def test(self) -> Found:
        """What the shop is called and sells in, and which rights the keys lack."""
        data = self._graph(_SHOP)
        shop = take_map(data, "shop")
        given = _read_scopes(data)
        missing = [scope for scope in SCOPES if not _may(scope, given)]
        url = str(take_map(shop, "primaryDomain").get("url") or "")
        return Found(str(shop.get("name") or ""), str(shop.get("currencyCode") or ""), url, missing)

    def count(self, stage: str) -> int | None:
        """How many there are; None where Shopify only says that there are more than it counts."""
        told = take_map(self._graph(_COUNTS[stage]), f"{stage}Count")
        return int(told["count"]) if told.get("precision") == "EXACT" else None

    def read_page(self, stage: str, cursor: Mapping[str, Any], since: dt.datetime | None) -> Page:
        """The next page: the oldest first, all of them or those changed `since`."""
        size = int(cursor.get("size") or SIZES[stage])
        while True:
            try:
                told = take_map(self._graph(graph.make_page_query(stage), _ask_for(cursor, size, since)), stage)
                break
            except TooCostly:
                if size == 1:
                    raise ShopTrouble("not_understood", "MAX_COST_EXCEEDED", is_final=True) from None
                size = max(size // 2, 1)
        try:
            nodes = [self._fill_lists(dict(node)) for node in told.get("nodes") or []]
            make = {"customers": graph.to_customer, "products": graph.to_product, "orders": graph.to_order}[stage]
            payloads: list[Mapping[str, Any]] = [make(node) for node in nodes]
        except (Untranslatable, AttributeError, TypeError) as error:
            raise ShopTrouble("not_json", str(error)[:100]) from error
        has_more = take_map(told, "pageInfo").get("hasNextPage")
        following = _go_on(cursor, told, nodes, size, by="updatedAt" if since else "createdAt") if has_more else None
        return Page(TOPICS[stage], payloads, following, wait_s=self._wait_s)

    def make_hooks(self, url: str) -> list[str]:
        """Make the webhooks that are missing; returns their topics. Safe to run twice."""
        made = []
        present, given = self._list_hooks(url), _read_scopes(self._graph(_SHOP))
        extra = [topic for topic, scope in TOPICS_WITH_A_RIGHT.items() if _may(scope, given)]
        for topic in (*HOOK_TOPICS, *extra):
            if topic in present:
                continue
            data = self._graph(_MAKE_HOOK, {"topic": topic, "hook": {"uri": url, "format": "JSON"}})
            errors = take_map(data, "webhookSubscriptionCreate").get("userErrors") or []
            if errors:
                raise ShopTrouble("hook_refused", f"{topic}: {errors[0].get('message')}", is_final=True)
            made.append(topic)
        return made

    def _list_hooks(self, url: str) -> set[str]:
        found: set[str] = set()
        after = None
        while True:
            told = take_map(self._graph(_HOOKS, {"after": after}), "webhookSubscriptions")
            found |= {str(one.get("topic")) for one in told.get("nodes") or [] if one.get("uri") == url}
            if not take_map(told, "pageInfo").get("hasNextPage"):
                return found
            after = take_map(told, "pageInfo").get("endCursor")

    def _fill_lists(self, node: dict[str, Any]) -> dict[str, Any]:
        """Ask for the rest of every list in a thing that goes on: an order of 80 lines has 80 lines."""
        for owner, name, told in graph.find_longer(node):
            nodes, page = list(told.get("nodes") or []), take_map(told, "pageInfo")
            while page.get("hasNextPage"):
                asked = {"id": owner, "first": 100, "after": page.get("endCursor")}
                rest = take_map(take_map(self._graph(graph.make_rest_query(name), asked), "node"), name)
                nodes += list(rest.get("nodes") or [])
                page = take_map(rest, "pageInfo")
            whole = {"nodes": nodes}
            if owner == node.get("id"):
                node[name] = whole
            else:
                node["refunds"] = [
                    {**one, name: whole} if one.get("id") == owner else one for one in node.get("refunds") or []
                ]
        return node

    def _graph(self, query: str, variables: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        answer = self._asker.ask(
            "POST",
            f"/admin/api/{VERSION}/graphql.json",
            headers={"X-Shopify-Access-Token": self._find_token()},
            body={"query": query, "variables": dict(variables or {})},
        )
        if not isinstance(answer.content, Mapping):
            raise ShopTrouble("not_json")
        cost = take_map(take_map(answer.content, "extensions"), "cost")
        self._wait_s = _find_wait(cost)
        if errors := answer.content.get("errors"):
            raise _read_error(errors, self._wait_s)
        data = answer.content.get("data")
        if not isinstance(data, Mapping):
            raise ShopTrouble("not_json")
        return data

    def _find_token(self) -> str:
        """The lasting token, or one for a day by the client credentials grant."""
        if self._token:
            return self._token
        asked = {"grant_type": "client_credentials", "client_id": self._keys.key, "client_secret": self._keys.secret}
        answer = self._asker.ask("POST", "/admin/oauth/access_token", body=asked)
        token = answer.content.get("access_token") if isinstance(answer.content, Mapping) else None
        if not isinstance(token, str) or not token:
            raise ShopTrouble("keys_refused", is_final=True)
        self._token = token
        return token


def _read_scopes(data: Mapping[str, Any]) -> set[str]:
    """What the app may do in this shop."""
    return {str(one.get("handle")) for one in take_map(data, "currentAppInstallation").get("accessScopes") or []}


def _may(scope: str, given: Set[str]) -> bool:
    """Who may write may read."""
    return scope in given or scope.replace("read_", "write_") in given


def _ask_for(cursor: Mapping[str, Any], size: int, since: dt.datetime | None) -> dict[str, Any]:
    start = cursor.get("from") or (since.isoformat() if since else "")
    column = "updated_at" if since else "created_at"
    return {
        "first": size,
        "after": cursor.get("after"),
        "query": f"{column}:>='{start}'" if start else None,
        "sort": column.upper(),
    }


def _go_on(
    cursor: Mapping[str, Any], told: Mapping[str, Any], nodes: list[dict[str, Any]], size: int, *, by: str
) -> dict[str, Any]:
    """Where the next page begins: behind this one, or anew at the time of its last thing where the cursor gets long."""
    so_far = int(cursor.get("so_far") or 0) + len(nodes)
    last = str(nodes[-1].get(by) or "") if nodes else ""
    if so_far >= LONGEST_CURSOR and last and last != cursor.get("from"):
        return {"from": last, "size": size}
    after = take_map(told, "pageInfo").get("endCursor")
    return {"after": after, "from": cursor.get("from"), "so_far": so_far, "size": size}


def _find_wait(cost: Mapping[str, Any]) -> float:
    """Seconds until the bucket holds as much again as this query asked for."""
    status = take_map(cost, "throttleStatus")
    asked, available = float(cost.get("requestedQueryCost") or 0), float(status.get("currentlyAvailable") or 0)
    rate = float(status.get("restoreRate") or 0)
    return (asked - available) / rate if status and rate and asked > available else 0.0


def _read_error(errors: Any, wait_s: float) -> Exception:
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], Mapping) else {}
    code = str(take_map(first, "extensions").get("code") or "")
    message = str(first.get("message") or errors)
    if code == "MAX_COST_EXCEEDED":
        return TooCostly(message)
    if code == "THROTTLED" or message == "Throttled":
        return ShopTrouble("throttled", wait_s=max(wait_s, 1.0))
    if code == "ACCESS_DENIED":
        return ShopTrouble("rights_missing", message, is_final=True)
    if code == "INTERNAL_SERVER_ERROR":
        return ShopTrouble("server_error", message)
    return ShopTrouble("not_understood", message, is_final=True)
