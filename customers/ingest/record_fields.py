"""What files of other things than orders may hold, and how shops call the columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Kinds of file besides orders, each with its fields and what else shops call them, in the order in which they are asked for.
RECORD_FIELDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "customers": {
        "customer": (
            "customerid", "customer", "externalid", "userid", "id", "customernumber", "customerno", "memberid", "accountid",
            "clientid", "客户编号", "客户id", "客户号", "会员号", "会员编号", "会员id", "用户id", "用户编号", "顾客编号",
            "买家会员名",
            "客户", "username", "用户名",
        ),
        "email": (
            "email", "emailaddress", "mail", "customeremail", "useremail", "billingemail", "邮箱", "电子邮件", "电子邮箱",
            "邮箱地址",
        ),
        "phone": (
            "phone", "telephone", "phonenumber", "mobile", "mobilephone", "mobilenumber", "billingphone", "defaultaddressphone",
            "手机", "手机号", "手机号码", "联系手机", "联系电话", "电话",
        ),
        "first_name": ("firstname", "givenname", "forename", "billingfirstname", "名", "名字"),
        "last_name": ("lastname", "surname", "familyname", "billinglastname", "姓", "姓氏"),
        "language": ("language", "locale", "languagecode", "preferredlanguage", "acceptslanguage", "语言"),
        "time_zone": ("timezone", "tz", "时区"),
        "country": (
            "country", "countrycode", "defaultaddresscountrycode", "billingcountry", "shippingcountry", "countryregion", "国家",
            "国家地区", "国家代码",
        ),
        "at": (
            "joinedat", "createdat", "customersince", "registeredat", "dateregistered", "registrationdate", "registered",
            "signedupat", "signupdate", "profilecreatedon", "dateadded", "datecreated", "createdutc", "created", "since",
            "when",
            "注册时间", "注册日期", "创建时间", "加入时间",
        ),
    },
    "products": {
        "product": (
            "sku", "variantsku", "itemsku", "productsku", "productid", "articleno", "articlenumber", "stockcode", "productcode",
            "itemid", "itemcode", "id", "商品编号", "商品编码", "商家编码", "商品id", "货号",
        ),
        "name": (
            "name", "title", "productname", "producttitle", "itemname", "description", "商品名称", "商品标题", "宝贝标题",
            "商品名",
            "标题", "品名",
        ),
        "category": (
            "category", "categories", "itemcategory", "producttype", "type", "productcategory", "品类", "类目", "商品分类",
            "分类",
            "类别",
        ),
        "brand": ("brand", "brands", "brandname", "vendor", "manufacturer", "品牌", "商品品牌"),
        "price": (
            "price", "variantprice", "regularprice", "unitprice", "sellingprice", "saleprice", "listprice", "单价", "商品价格",
            "售价", "销售价", "一口价", "价格",
        ),
        "currency": ("currency", "currencycode", "币种", "货币"),
        "stock": (
            "stock", "inventory", "quantity", "inventoryquantity", "variantinventoryqty", "stockquantity", "qty", "available",
            "onhand", "库存", "库存数量", "可售库存", "数量",
        ),
        "url": ("url", "link", "producturl", "permalink", "productlink", "address", "链接", "商品链接", "网址"),
    },
    "events": {
        "customer": (
            "customerid", "customer", "userid", "distinctid", "profileid", "memberid", "clientid", "user", "email",
            "客户编号", "客户id", "用户id", "用户编号", "会员号", "会员id", "客户", "用户",
        ),
        "kind": (
            "kind", "event", "eventname", "eventtype", "type", "action", "activity", "metric", "metricname", "事件", "事件名称",
            "事件类型", "行为", "行为类型", "操作",
        ),
        "at": (
            "occurredat", "timestamp", "time", "at", "datetime", "date", "when", "happenedat", "eventtime", "eventdate",
            "eventtimestamp", "originaltimestamp", "createdat", "时间", "发生时间", "事件时间", "操作时间", "日期",
        ),
        "event": ("eventid", "messageid", "id", "uuid", "externalid", "insertid", "事件id", "事件编号"),
        "product": (
            "sku", "productid", "product", "productsku", "itemid", "variantid", "stockcode", "商品编号", "商品编码",
            "商品id", "货号",
            "商品",
        ),
        "properties": ("properties", "props", "eventproperties", "payload", "data", "属性", "事件属性"),
    },
    "consents": {
        "customer": (
            "customerid", "customer", "userid", "id", "externalid", "memberid", "profileid", "email", "emailaddress",
            "客户编号", "客户id", "用户id", "会员号", "会员id", "客户", "用户", "邮箱",
        ),
        "status": (
            "status", "consent", "subscribed", "optin", "acceptsmarketing", "acceptsemailmarketing", "marketingconsent",
            "emailmarketingconsent", "emailmarketing", "subscriptionstatus", "consentstatus", "marketingoptin", "newsletter",
            "状态", "同意", "是否同意", "订阅", "订阅状态", "是否订阅", "营销同意",
        ),
        "at": (
            "recordedat", "consentedat", "consentat", "consenttimestamp", "consentdate", "emailmarketingconsenttimestamp",
            "optinat", "optintimestamp", "confirmtime", "optintime", "subscribedat", "subscribedon", "timestamp", "date",
            "datetime", "at", "when", "time", "updatedat", "createdat", "时间", "同意时间", "订阅时间", "更新时间", "日期",
        ),
        "channel": ("channel", "medium", "consentchannel", "渠道"),
        "source": (
            "source", "form", "collectedby", "optinsource", "consentmethod", "method", "initialsource", "来源", "收集方式",
        ),
        "wording": ("wording", "text", "proof", "consenttext", "consentwording", "文案", "同意文案"),
    },
}  # fmt: skip
RECORD_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "customers": ("customer",),
    "products": ("product",),
    "events": ("customer", "kind", "at"),
    "consents": ("customer", "status", "at"),
}
