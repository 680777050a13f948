"""What files of other things than orders may hold, and how shops call the columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Kinds of file besides orders, each with its fields and what else shops call them, in the order in which they are asked for.
RECORD_FIELDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "customers": {
        "customer": (
            "customerid", "customer", "externalid", "userid", "id", "customernumber", "memberid", "客户编号", "会员号", "用户id",
        ),
        "email": ("email", "emailaddress", "mail", "邮箱", "电子邮件"),
        "phone": ("phone", "telephone", "phonenumber", "mobile", "手机", "手机号", "电话"),
        "first_name": ("firstname", "givenname", "forename", "名"),
        "last_name": ("lastname", "surname", "familyname", "姓"),
        "language": ("language", "locale", "acceptslanguage", "语言"),
        "time_zone": ("timezone", "tz", "时区"),
        "country": ("country", "countrycode", "defaultaddresscountrycode", "国家"),
        "at": ("joinedat", "createdat", "customersince", "registeredat", "signedupat", "注册时间"),
    },
    "products": {
        "product": ("sku", "variantsku", "productid", "articleno", "stockcode", "productcode", "id", "商品编号", "货号"),
        "name": ("name", "title", "productname", "description", "商品名称", "品名"),
        "category": ("category", "producttype", "type", "productcategory", "品类", "类目"),
        "brand": ("brand", "vendor", "manufacturer", "品牌"),
        "price": ("price", "variantprice", "unitprice", "saleprice", "单价", "价格"),
        "currency": ("currency", "currencycode", "币种", "货币"),
        "stock": ("stock", "inventory", "quantity", "inventoryquantity", "variantinventoryqty", "qty", "库存"),
        "url": ("url", "link", "producturl", "address", "链接"),
    },
    "events": {
        "customer": ("customerid", "customer", "userid", "distinctid", "客户编号", "用户id"),
        "kind": ("kind", "event", "eventname", "type", "action", "事件"),
        "at": ("occurredat", "timestamp", "time", "at", "datetime", "date", "createdat", "时间"),
        "event": ("eventid", "messageid", "id", "uuid", "externalid", "insertid"),
        "product": ("sku", "productid", "product", "stockcode", "商品编号", "货号"),
        "properties": ("properties", "props", "payload", "data", "属性"),
    },
    "consents": {
        "customer": ("customerid", "customer", "userid", "id", "externalid", "客户编号", "用户id"),
        "status": ("status", "consent", "subscribed", "optin", "acceptsmarketing", "marketingconsent", "状态", "同意"),
        "at": (
            "recordedat", "consentedat", "consentat", "optinat", "optintimestamp", "timestamp", "date", "at", "updatedat", "时间",
        ),
        "channel": ("channel", "medium", "渠道"),
        "source": ("source", "form", "collectedby", "optinsource", "来源"),
        "wording": ("wording", "text", "proof", "consenttext", "文案"),
    },
}  # fmt: skip
RECORD_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "customers": ("customer",),
    "products": ("product",),
    "events": ("customer", "kind", "at"),
    "consents": ("customer", "status", "at"),
}
