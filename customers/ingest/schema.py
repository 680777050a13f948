"""What a file of orders may hold, how its columns are named, and the choices made for one import."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from customers.models.customer import zone_names

from .record_fields import RECORD_FIELDS, RECORD_REQUIRED

#: Our fields, in the order in which they are listed to people, and what else shops call them, the surest name first: exports of
#: Shopify, WooCommerce, Magento, Amazon, Etsy, Stripe, Taobao, JD and Youzan, and what people write themselves.
FIELDS: dict[str, tuple[str, ...]] = {
    "order": (
        "invoiceno", "invoice", "order", "ordernumber", "orderno", "orderid", "amazonorderid", "incrementid", "orderref",
        "orderreference", "invoicenumber", "transactionid", "transaction", "basketid", "receipt", "receiptno",
        "订单号", "订单编号", "订单id", "主订单编号", "交易号", "单号",
    ),
    "product": (
        "stockcode", "sku", "lineitemsku", "itemsku", "productsku", "productid", "productcode", "product", "itemid", "itemcode",
        "article", "articleno", "articlenumber", "variantsku", "asin", "商品编号", "商品编码", "商家编码", "商品id", "货号",
    ),
    "name": (
        "description", "lineitemname", "productname", "title", "itemname", "producttitle", "itemtitle", "item",
        "商品名称", "商品标题", "宝贝标题", "宝贝名称", "标题", "商品名", "商品", "品名",
    ),
    "quantity": (
        "quantity", "qty", "lineitemquantity", "quantitypurchased", "qtyordered", "quantityordered", "itemquantity",
        "units", "pieces", "amountoforderedproducts", "count", "数量", "商品数量", "购买数量", "订购数量", "宝贝总数量", "件数",
    ),
    "at": (
        "invoicedate", "orderedat", "createdat", "orderdate", "dateordered", "datecreated", "createddate", "date", "datetime",
        "timestamp", "purchasedat", "purchasedate", "placedat", "processedat", "saledate", "when", "at", "time", "paidat",
        "datepaid", "paiddate", "transactiondate", "transactiontime", "ordertime", "orderpurchasetimestamp", "created",
        "下单时间", "订单创建时间", "订单时间", "创建时间", "付款时间", "订单付款时间", "买家付款时间", "支付时间",
        "成交时间", "交易时间",
        "购买时间", "下单日期", "订单日期", "日期", "时间",
    ),
    "price": (
        "unitprice", "price", "lineitemprice", "priceperunit", "itemprice", "itemcost", "productprice", "sellingprice",
        "单价", "商品单价", "商品价格", "成交单价", "京东价", "售价", "价格",
    ),
    "amount": (
        "amount", "linetotal", "rowtotal", "itemtotal", "lineitemtotal", "total", "lineamount", "value", "spent", "revenue",
        "sales", "totalprice", "grandtotal", "ordertotal", "ordertotalamount", "ordervalue",
        "金额", "总价", "小计", "实付金额", "实付款", "实际支付金额", "买家实际支付金额", "支付金额", "成交金额",
        "订单金额", "总金额",
    ),
    "customer": (
        "customerid", "customer", "customerno", "customernumber", "userid", "clientid", "memberid", "accountid", "contactid",
        "email", "customeremail", "buyeremail", "billingemail", "emailaddress", "user", "custid", "buyerid", "buyer",
        "buyerusername", "username",
        "客户编号", "客户id", "客户号", "客户", "用户id", "用户编号", "会员号", "会员编号", "会员id", "顾客编号", "顾客",
        "买家会员名",
        "买家id", "买家昵称", "买家", "下单账号", "下单帐号", "用户名",
    ),
    "country": (
        "country", "shippingcountry", "billingcountry", "countrycode", "customercountry", "shippingcountrycode", "shipcountry",
        "billingcountrycode", "countryregion", "国家", "国家地区", "收货国家", "国家代码",
    ),
    "currency": ("currency", "currencycode", "ordercurrency", "币种", "货币"),
}  # fmt: skip
REQUIRED = ("customer", "at")
#: How a shop or system may be called under which ids are kept.
SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_CODES = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
    CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL
    HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD
    MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG
    QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD
    TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
ENCODINGS = (
    "utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "latin-1", "gb18030", "big5", "shift_jis", "cp1250", "cp1251",
)  # fmt: skip
CURRENCIES = frozenset(_CODES.split())


#: The kind of file whose lines are lines of orders; the others are in RECORD_FIELDS.
ORDERS = "orders"
KINDS = (ORDERS, *RECORD_FIELDS)


class FileProblem(Exception):
    """Something about the file or the choices that a person can mend; the message says what and how."""


@dataclass(frozen=True)
class ImportOptions:
    """How to read one file.

    `columns` maps our fields to the file's column names; `time_zone` is where times without a zone were written down;
    `kind` is what a line is: a line of an order, or one of RECORD_FIELDS.
    `encoding` and `date_order` ("day_first", "month_first") are found out where they are empty.
    """

    columns: Mapping[str, str]
    currency: str
    time_zone: str
    source: str = "shop"
    test_contacts: bool = False
    encoding: str = ""
    date_order: str = ""
    kind: str = "orders"

    def to_json(self) -> dict[str, Any]:
        """The form in which ImportRun.options keeps them."""
        return dataclasses.asdict(self) | {"columns": dict(self.columns)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ImportOptions:
        """The reverse; keys of other versions are ignored."""
        names = {field.name for field in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in names})

    def check(self) -> None:
        """Raise FileProblem where a choice cannot be right, whatever the file."""
        fields = fields_of(self.kind)
        if unknown := sorted(set(self.columns) - set(fields)):
            raise FileProblem(
                _("“%(names)s” is no field of such a file. The fields are: %(known)s.")
                % {"names": ", ".join(unknown), "known": ", ".join(fields)}
            )
        if missing := [name for name in required_of(self.kind) if not self.columns.get(name)]:
            raise FileProblem(_("Say which column holds: %(names)s.") % {"names": ", ".join(missing)})
        if self.kind == ORDERS and not self.columns.get("price") and not self.columns.get("amount"):
            raise FileProblem(_("Say which column holds the price (of one piece) or the amount (of the line)."))
        self._check_values()

    def _check_values(self) -> None:
        if self.currency not in CURRENCIES:
            raise FileProblem(
                _("“%(code)s” is no currency. Use an ISO code such as GBP or EUR.") % {"code": self.currency[:20]}
            )
        if self.time_zone not in zone_names():
            raise FileProblem(
                _("“%(name)s” is not a time zone. Use a name such as Europe/London.") % {"name": self.time_zone[:60]}
            )
        if not SOURCE_NAME.fullmatch(self.source):
            raise FileProblem(_("The name of the source is 1 to 40 small letters, digits, - and _."))
        if self.encoding and self.encoding not in ENCODINGS:
            raise FileProblem(
                _("“%(name)s” is no encoding that can be read here. Choose one of: %(known)s.")
                % {"name": self.encoding[:40], "known": ", ".join(ENCODINGS)}
            )
        if self.date_order not in {"", "day_first", "month_first"}:
            raise FileProblem(_("The order of dates is day_first or month_first."))


def fields_of(kind: str) -> Mapping[str, tuple[str, ...]]:
    """The fields of a kind of file, with what shops call them. Raises FileProblem for a kind that there is not."""
    if kind not in KINDS:
        raise FileProblem(
            _("“%(kind)s” is no kind of file. Choose one of: %(known)s.")
            % {"kind": kind[:40], "known": ", ".join(KINDS)}
        )
    return FIELDS if kind == ORDERS else RECORD_FIELDS[kind]


def required_of(kind: str) -> tuple[str, ...]:
    """The fields without which a file of this kind cannot be imported."""
    return REQUIRED if kind == ORDERS else RECORD_REQUIRED[kind]


def parse_columns(text: str) -> dict[str, str]:
    """Read `order=InvoiceNo,at=InvoiceDate`; a comma inside a column's name is written twice.

    Raises FileProblem for a part without “=” and for a field that stands twice.
    """
    columns: dict[str, str] = {}
    for part in re.split(r"(?<!,),(?!,)", text):
        field, equals, column = part.replace(",,", ",").partition("=")
        if not equals or not field.strip() or not column.strip():
            raise FileProblem(
                _("“%(part)s” does not say which column holds which field. Write it as customer=CustomerID.")
                % {"part": part[:60]}
            )
        if field.strip() in columns:
            raise FileProblem(_("The field %(name)s is given twice.") % {"name": field.strip()})
        columns[field.strip()] = column.strip()
    return columns


def find_columns(header: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    """The place of each mapped column in the file's header; raises FileProblem naming the columns that are there."""
    places: dict[str, int] = {}
    missing: list[str] = []
    for field, name in columns.items():
        fits = [place for place, title in enumerate(header) if title == name]
        fits = fits or [place for place, title in enumerate(header) if title.strip().lower() == name.strip().lower()]
        if len(fits) > 1:
            raise FileProblem(
                _("The file has %(count)d columns “%(name)s”; rename one.") % {"count": len(fits), "name": name}
            )
        if fits:
            places[field] = fits[0]
        else:
            missing.append(name)
    if missing:
        raise FileProblem(
            _("The file has no column %(missing)s. Its columns are: %(present)s.")
            % {"missing": ", ".join(f"“{name[:60]}”" for name in missing), "present": list_columns(header)}
        )
    return places


def list_columns(header: Sequence[str]) -> str:
    """The columns as one phrase, cut where there are very many."""
    shown = ", ".join(title[:60] or "(no name)" for title in header[:40])
    return f"{shown}, … ({len(header)})" if len(header) > 40 else shown
