"""A real HTTP server on loopback that plays the APIs of a Shopify and of a WooCommerce shop. It misbehaves by script."""

from __future__ import annotations

import base64
import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

Node = dict[str, Any]
TOKEN = "shpat_secret-token"
KEY, CONSUMER_SECRET, CLIENT_SECRET = "ck_key", "cs_secret", "shpss_client"
#: Where a page is said to have moved to; the second is no address at all.
REDIRECTS = {"moved": "/elsewhere", "moved_nowhere": "http://[nowhere"}


@dataclass
class ShopServer:
    """Serves on 127.0.0.1. `harms` says what goes wrong with the n-th page (counted from 1): 429, 500, cut, nonsense,
    throttled, costly, unauthorized, empty, moved, moved_nowhere. `before_page` runs before each page is read, with its number.
    `drops_header`: the host keeps the Authorization header from the shop, which then knows nobody; `seen` are the paths asked."""

    customers: list[Node] = field(default_factory=list)
    products: list[Node] = field(default_factory=list)
    orders: list[Node] = field(default_factory=list)
    variations: dict[int, list[Node]] = field(default_factory=dict)
    harms: dict[int, str] = field(default_factory=dict)
    before_page: Callable[[int], None] | None = None
    scopes: list[str] = field(default_factory=lambda: ["read_customers", "read_orders", "read_products"])
    hooks: list[Node] = field(default_factory=list)
    longest_list: int = 30
    harm_of_questions: str = ""
    drops_header: bool = False
    refusals: int = 0
    seen: list[str] = field(default_factory=list)
    available: float = 2000.0
    pages: int = 0
    asked: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        script = self

        class Handler(_Handler):
            shop = script

        self.lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def next_harm(self) -> str:
        """What goes wrong with this page."""
        with self.lock:
            self.pages += 1
            number = self.pages
        if self.before_page:
            self.before_page(number)
        return self.harms.get(number, "")

    def things(self, stage: str) -> list[Node]:
        return {"customers": self.customers, "products": self.products, "orders": self.orders}[stage]


class _Handler(BaseHTTPRequestHandler):
    shop: ShopServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/admin/oauth/access_token":
            given = json.loads(body)
            is_right = given["grant_type"] == "client_credentials" and given["client_secret"] == CLIENT_SECRET
            self._answer(200 if is_right else 401, {"access_token": TOKEN, "expires_in": 86399} if is_right else {})
        elif self.path.endswith("/graphql.json"):
            self._graphql(json.loads(body))
        elif urlsplit(self.path).path == "/wp-json/wc/v3/webhooks" and self._is_logged_in():
            hook = json.loads(body)
            self.shop.hooks.append(hook)
            self._answer(201, {"id": len(self.shop.hooks), **hook})
        else:
            self._answer(404, {})

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        path = parts.path.removeprefix("/wp-json/wc/v3")
        if parts.path == "/wp-json/":
            return self._answer(200, {"name": "Tarnside Woo", "home": "https://shop.tarnside.test"})
        self.shop.seen.append(self.path)
        if not self._is_logged_in():
            self.shop.refusals += 1
            return self._answer(401, {"code": self._why_not()})
        if path == "/data/currencies/current":
            return self._answer(200, {"code": "EUR"})
        if path == "/webhooks":
            return self._answer(200, [{**hook, "status": "active"} for hook in self.shop.hooks])
        if path.endswith("/variations"):
            return self._answer(200, self.shop.variations.get(int(path.split("/")[2]), []))
        stage = path.strip("/")
        if stage not in {"customers", "products", "orders"}:
            return self._answer(404, {})
        return self._woo_page(stage, query)

    # --- WooCommerce -----------------------------------------------------------------------------------------------------

    def _is_logged_in(self) -> bool:
        asked = dict(parse_qsl(urlsplit(self.path).query))
        if "consumer_key" in asked:
            return (asked["consumer_key"], asked.get("consumer_secret")) == (KEY, CONSUMER_SECRET)
        wanted = base64.b64encode(f"{KEY}:{CONSUMER_SECRET}".encode()).decode()
        return self.headers.get("Authorization") == f"Basic {wanted}" and not self.shop.drops_header

    def _why_not(self) -> str:
        """As WooCommerce has it: a key that it knows with another secret is told from one that it has not seen."""
        given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        knows_key = given.startswith(f"{KEY}:") and not self.shop.drops_header
        return "woocommerce_rest_authentication_error" if knows_key else "woocommerce_rest_cannot_view"

    def _woo_page(self, stage: str, query: dict[str, str]) -> None:
        is_page = "orderby" in query
        harm = self.shop.next_harm() if is_page else self.shop.harm_of_questions
        if self._misbehave(harm):
            return
        found = sorted(self.shop.things(stage), key=lambda one: one["id"])
        if after := query.get("modified_after"):
            found = [one for one in found if one["date_modified_gmt"] >= after]
        if wanted := query.get("include"):
            found = [one for one in found if str(one["id"]) in wanted.split(",")]
        start = int(query.get("offset", 0))
        some = found[start : start + int(query["per_page"])]
        if is_page:
            self.shop.asked.append(f"{stage}@{start}")
        self._answer(200, some, {"X-WP-Total": str(len(found)), "X-WP-TotalPages": "1"})

    # --- Shopify ---------------------------------------------------------------------------------------------------------

    def _graphql(self, asked: Node) -> None:
        if self.headers.get("X-Shopify-Access-Token") != TOKEN:
            return self._answer(401, {"errors": "[API] Invalid API key or access token"})
        query, given = asked["query"], asked["variables"]
        if "currentAppInstallation" in query:
            scopes = [{"handle": scope} for scope in self.shop.scopes]
            shop = {"name": "Tarnside", "currencyCode": "GBP", "primaryDomain": {"url": "https://tarnside.test"}}
            return self._data({"shop": shop, "currentAppInstallation": {"accessScopes": scopes}})
        if "webhookSubscriptionCreate" in query:
            self.shop.hooks.append({"topic": given["topic"], "uri": given["hook"]["uri"]})
            return self._data({"webhookSubscriptionCreate": {"webhookSubscription": {"id": "1"}, "userErrors": []}})
        if "webhookSubscriptions" in query:
            return self._data({"webhookSubscriptions": {"nodes": self.shop.hooks, "pageInfo": {"hasNextPage": False}}})
        for stage in ("customers", "products", "orders"):
            if f"{stage}Count" in query:
                return self._data({f"{stage}Count": {"count": len(self.shop.things(stage)), "precision": "EXACT"}})
            if f" {stage}(first" in query:
                return self._graph_page(stage, given)
        return self._graph_rest(given)

    def _graph_page(self, stage: str, given: Node) -> None:
        harm = self.shop.next_harm()
        if harm == "throttled":
            cost = self._cost(available=0.0)
            return self._answer(
                200, {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}], **cost}
            )
        if harm == "costly" and given["first"] > 5:
            error = {"message": "Query cost is 2000", "extensions": {"code": "MAX_COST_EXCEEDED"}}
            self.shop.harms[self.shop.pages + 1] = "costly"
            return self._answer(200, {"errors": [error]})
        if self._misbehave(harm):
            return None
        column = "updatedAt" if given["sort"] == "UPDATED_AT" else "createdAt"
        found = sorted(self.shop.things(stage), key=lambda one: (one[column], int(one["id"].rpartition("/")[2])))
        if given["query"]:
            start = given["query"].partition(":>='")[2].rstrip("'")
            found = [one for one in found if one[column] >= start.replace("+00:00", "Z")]
        place = int(given["after"] or 0)
        some = found[place : place + given["first"]]
        end = place + len(some)
        self.shop.asked.append(f"{stage}@{place}+{given['first']}")
        page = {"hasNextPage": end < len(found), "endCursor": str(end)}
        return self._data({stage: {"nodes": [self._cut_lists(one) for one in some], "pageInfo": page}})

    def _cut_lists(self, node: Node) -> Node:
        """Lists inside a thing come with their first items."""
        shown = dict(node)
        for name in ("lineItems", "variants"):
            if name in node:
                shown[name] = self._part(node[name], 0, self.shop.longest_list)
        if "refunds" in node:
            shown["refunds"] = [
                {**one, "refundLineItems": self._part(one["refundLineItems"], 0, self.shop.longest_list)}
                for one in node["refunds"]
            ]
        return shown

    def _graph_rest(self, given: Node) -> None:
        for node in (
            *self.shop.orders,
            *self.shop.products,
            *(r for o in self.shop.orders for r in o.get("refunds", [])),
        ):
            if node["id"] == given["id"]:
                name = next(name for name in ("lineItems", "variants", "refundLineItems") if name in node)
                return self._data({"node": {name: self._part(node[name], int(given["after"]), given["first"])}})
        return self._data({"node": None})

    def _part(self, items: list[Node], start: int, count: int) -> Node:
        end = start + count
        return {
            "nodes": items[start:end], "pageInfo": {"hasNextPage": end < len(items), "endCursor": str(min(end, len(items)))}
        }  # fmt: skip

    def _cost(self, *, available: float) -> Node:
        status = {"maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": 100.0}
        return {"extensions": {"cost": {"requestedQueryCost": 300, "actualQueryCost": 12, "throttleStatus": status}}}

    def _data(self, data: Node) -> None:
        self._answer(200, {"data": data, **self._cost(available=self.shop.available)})

    # --- both ------------------------------------------------------------------------------------------------------------

    def _misbehave(self, harm: str) -> bool:
        if harm == "cut":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
        elif harm == "nonsense":
            self._raw(200, b"<html>maintenance</html>")
        elif harm == "empty":
            self._raw(200, b"")
        elif harm in {"429", "500", "503"}:
            self._raw(int(harm), b"{}", {"Retry-After": "7"} if harm != "500" else {})
        elif harm == "unauthorized":
            self._answer(401, {})
        elif harm in REDIRECTS:
            self._raw(302, b"", {"Location": REDIRECTS[harm]})
        return bool(harm) and harm != "costly"

    def _answer(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        self._raw(status, json.dumps(content).encode(), headers)

    def _raw(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def stock_shopify(server: ShopServer, people: int = 7, orders: int = 9) -> None:
    """Customers, products and orders as GraphQL shows them; every third order has a refund, the last is a guest's."""
    money = lambda amount: {"shopMoney": {"amount": amount}}  # noqa: E731
    server.customers = [
        {
            "id": f"gid://shopify/Customer/{n}", "firstName": f"First{n}", "lastName": f"Last{n}", "locale": "en",
            "createdAt": f"2026-01-{n % 28 + 1:02d}T00:00:00Z", "updatedAt": f"2026-02-{n % 28 + 1:02d}T00:00:00Z",
            "defaultEmailAddress": {
                "emailAddress": f"p{n}@mail.test", "marketingState": "SUBSCRIBED" if n % 2 else "NOT_SUBSCRIBED",
                "marketingOptInLevel": "SINGLE_OPT_IN", "marketingUpdatedAt": "2026-01-05T00:00:00Z" if n % 2 else None,
            },
            "defaultPhoneNumber": None,
            "defaultAddress": {"countryCodeV2": "GB", "phone": None},
        }
        for n in range(1, people + 1)
    ]  # fmt: skip
    server.products = [
        {
            "id": f"gid://shopify/Product/{n}", "title": f"Ware {n}", "handle": f"ware-{n}", "vendor": "Tarnside",
            "productType": "Tents", "status": "ACTIVE", "createdAt": f"2026-01-0{n}T00:00:00Z",
            "updatedAt": f"2026-01-0{n}T00:00:00Z", "onlineStoreUrl": None,
            "variants": [
                {"id": f"gid://shopify/ProductVariant/{n}0", "sku": f"W{n}", "title": "Default Title", "price": f"{n}.50",
                 "inventoryQuantity": n}
            ],
        }
        for n in range(1, 4)
    ]  # fmt: skip

    def line(order: int, place: int) -> Node:
        return {
            "id": f"gid://shopify/LineItem/{order}{place}", "name": f"Ware {place}", "title": f"Ware {place}",
            "sku": f"W{place}", "quantity": place, "originalUnitPriceSet": money(f"{place}.50"),
            "variant": {"id": f"gid://shopify/ProductVariant/{place}0"},
        }  # fmt: skip

    def refund(order: int) -> Node:
        back = {"quantity": 1, "subtotalSet": money("1.50"), "totalTaxSet": money("0.0"), "lineItem": line(order, 1)}
        return {
            "id": f"gid://shopify/Refund/{order}", "createdAt": "2026-04-01T00:00:00Z", "totalRefundedSet": money("1.50"),
            "refundLineItems": [back],
        }  # fmt: skip

    server.orders = [
        {
            "id": f"gid://shopify/Order/{n}", "createdAt": f"2026-03-{n % 28 + 1:02d}T08:00:00Z",
            "processedAt": f"2026-03-{n % 28 + 1:02d}T08:00:00Z", "updatedAt": f"2026-03-{n % 28 + 1:02d}T09:00:00Z",
            "cancelledAt": None, "test": False, "currencyCode": "GBP", "displayFinancialStatus": "PAID",
            "customerLocale": "en", "email": f"p{(n - 1) % people + 1}@mail.test", "discountCodes": ["TEN"] if n % 2 else [],
            "totalPriceSet": money("19.00"), "totalDiscountsSet": money("2.00"),
            "billingAddress": {"firstName": "G", "lastName": "Uest", "phone": None, "countryCodeV2": "GB"},
            "customer": server.customers[(n - 1) % people] if n < orders else None,
            "refunds": [refund(n)] if n % 3 == 0 else [],
            "lineItems": [line(n, 1), line(n, 2), line(n, 3)],
        }
        for n in range(1, orders + 1)
    ]  # fmt: skip


def stock_woocommerce(server: ShopServer, people: int = 230, orders: int = 250) -> None:
    """More than two pages of people and of orders, and a product with two variations."""
    server.customers = [
        {
            "id": n, "date_created_gmt": "2026-01-01T00:00:00", "date_modified_gmt": "2026-02-01T00:00:00",
            "email": f"p{n}@mail.test", "first_name": f"First{n}", "last_name": "", "role": "customer",
            "billing": {"country": "DE", "phone": ""},
        }
        for n in range(1, people + 1)
    ]  # fmt: skip
    server.products = [
        {
            "id": 90, "name": "Mug", "sku": "MUG", "type": "variable", "status": "publish", "price": "9.00",
            "permalink": "https://shop.tarnside.test/mug/", "stock_quantity": None, "stock_status": "instock",
            "date_modified_gmt": "2026-02-01T00:00:00", "categories": [{"name": "Kitchen"}],
        }
    ]  # fmt: skip
    server.variations = {
        90: [
            {
                "id": 90 + n, "sku": f"MUG-{n}", "price": f"{n}.00", "status": "publish", "stock_quantity": n,
                "permalink": "https://shop.tarnside.test/mug/?v", "date_modified_gmt": "2026-02-01T00:00:00",
                "attributes": [{"name": "Colour", "option": colour}],
            }
            for n, colour in ((1, "red"), (2, "blue"))
        ]
    }  # fmt: skip
    server.orders = [
        {
            "id": 1000 + n, "status": "completed", "currency": "EUR", "date_created_gmt": "2026-03-01T08:00:00",
            "date_modified_gmt": "2026-03-02T08:00:00", "date_paid_gmt": "2026-03-01T08:00:00", "discount_total": "0.00",
            "total": "12.00", "customer_id": (n - 1) % people + 1, "billing": {"email": f"p{(n - 1) % people + 1}@mail.test"},
            "line_items": [
                {"id": n, "name": "Mug", "product_id": 90, "variation_id": 91, "quantity": 2, "subtotal": "12.00", "sku": "MUG-1"}
            ],
            "coupon_lines": [], "refunds": [],
        }
        for n in range(1, orders + 1)
    ]  # fmt: skip
