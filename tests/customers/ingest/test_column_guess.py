"""The columns of the exports that shops have are recognised, as they call them."""

from __future__ import annotations

import pytest

from customers.ingest.column_guess import guess_columns

SHOPIFY_ORDERS = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,"
    "Total,"
    "Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,"
    "Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,Lineitem fulfillment status,"
    "Billing Name,"
    "Billing Street,Billing Country,Shipping Name,Shipping Country,Notes,Cancelled at,Payment Method,Refunded Amount,Vendor,Id,"
    "Tags,Risk Level,Source,Lineitem discount,Phone,Receipt Number"
)
SHOPIFY_CUSTOMERS = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address Address1,"
    "Default Address City,Default Address Province Code,Default Address Country Code,Default Address Zip,Default Address Phone,"
    "Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,Tags"
)
SHOPIFY_PRODUCTS = (
    "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Grams,"
    "Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,"
    "Image Src,Status"
)
WOO_PRODUCTS = (
    "ID,Type,SKU,Name,Published,Is featured?,Visibility in catalog,Short description,Description,Tax status,In stock?,Stock,"
    "Low stock amount,Weight (kg),Sale price,Regular price,Categories,Tags,Images,Brands"
)
WOO_ORDERS = (
    "Order Number,Order Status,Order Date,Customer Note,First Name (Billing),Last Name (Billing),Company (Billing),"
    "Email (Billing),Phone (Billing),Country Code (Shipping),Payment Method Title,Order Subtotal Amount,Order Total Amount,"
    "SKU,Item #,"
    "Item Name,Quantity (- Refund),Item Cost,Coupon Code,Discount Amount"
)
WOO_CUSTOMERS = (
    "Name,Username,Last active,Date registered,Email,Orders,Total spend,AOV,Country / Region,City,Region,Postal code"
)
MAGENTO_ORDERS = (
    "ID,Purchase Point,Purchase Date,Bill-to Name,Ship-to Name,Grand Total (Base),Grand Total (Purchased),Status,"
    "Billing Address,"
    "Shipping Address,Customer Email,Customer Group,Subtotal,Shipping and Handling,Customer Name,Payment Method,Total Refunded"
)
MAGENTO_PRODUCTS = (
    "sku,store_view_code,attribute_set_code,product_type,categories,name,description,price,url_key,qty,manufacturer"
)
AMAZON = (
    "amazon-order-id,merchant-order-id,purchase-date,last-updated-date,order-status,fulfillment-channel,sales-channel,"
    "product-name,"
    "sku,asin,item-status,quantity,currency,item-price,item-tax,shipping-price,ship-city,ship-postal-code,ship-country"
)
AMAZON_SHIPPED = (
    "order-id,order-item-id,purchase-date,payments-date,buyer-email,buyer-name,sku,product-name,quantity-purchased,currency,"
    "item-price,item-tax,ship-country"
)
ETSY = (
    "Sale Date,Item Name,Buyer,Quantity,Price,Coupon Code,Date Paid,Ship Country,Order ID,Transaction ID,Currency,SKU"
)
STRIPE = (
    "id,Description,Seller Message,Created date (UTC),Amount,Amount Refunded,Currency,Converted Amount,Customer ID,"
    "Customer Email,Status"
)
KLAVIYO = (
    "Email,Klaviyo ID,First Name,Last Name,Organization,Title,Phone Number,City,Country,Source,Profile Created On,Date Added,"
    "Email Marketing Consent,Email Marketing Consent Timestamp"
)
MAILCHIMP = (
    "Email Address,First Name,Last Name,Phone Number,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,TAGS"
)
TAOBAO = "订单编号,买家会员名,买家实际支付金额,订单状态,收货地址,订单创建时间,订单付款时间,宝贝标题,宝贝总数量"
JD = "订单号,商品ID,商品名称,订购数量,支付方式,下单时间,京东价,订单金额,订单状态,下单帐号,客户姓名"
YOUZAN = "订单号,订单状态,买家昵称,商品名称,商品编码,商品单价,商品数量,订单创建时间,买家付款时间,实付金额"


@pytest.mark.parametrize(
    ("kind", "header", "expected"),
    [
        ("orders", SHOPIFY_ORDERS, {
            "order": "Name", "customer": "Email", "at": "Created at", "quantity": "Lineitem quantity", "name": "Lineitem name",
            "price": "Lineitem price", "product": "Lineitem sku", "currency": "Currency", "country": "Shipping Country"}),
        ("customers", SHOPIFY_CUSTOMERS, {
            "customer": "Customer ID", "email": "Email", "phone": "Phone", "first_name": "First Name", "last_name": "Last Name",
            "country": "Default Address Country Code"}),
        ("products", SHOPIFY_PRODUCTS, {
            "product": "Variant SKU", "name": "Title", "category": "Type", "brand": "Vendor", "price": "Variant Price",
            "stock": "Variant Inventory Qty"}),
        ("products", WOO_PRODUCTS, {
            "product": "SKU", "name": "Name", "category": "Categories", "brand": "Brands", "price": "Regular price",
            "stock": "Stock"}),
        ("orders", WOO_ORDERS, {
            "order": "Order Number", "product": "SKU", "name": "Item Name", "quantity": "Quantity (- Refund)",
            "at": "Order Date",
            "price": "Item Cost", "customer": "Email (Billing)", "country": "Country Code (Shipping)"}),
        ("customers", WOO_CUSTOMERS, {
            "customer": "Username", "email": "Email", "country": "Country / Region", "at": "Date registered"}),
        ("orders", MAGENTO_ORDERS, {
            "order": "ID", "at": "Purchase Date", "amount": "Grand Total (Base)", "customer": "Customer Email"}),
        ("products", MAGENTO_PRODUCTS, {
            "product": "sku", "name": "name", "category": "categories", "brand": "manufacturer", "price": "price",
            "stock": "qty"}),
        ("orders", AMAZON, {
            "order": "amazon-order-id", "product": "sku", "name": "product-name", "quantity": "quantity", "at": "purchase-date",
            "amount": "item-price", "country": "ship-country", "currency": "currency"}),
        ("orders", AMAZON_SHIPPED, {
            "order": "order-id", "product": "sku", "name": "product-name", "quantity": "quantity-purchased",
            "at": "purchase-date", "amount": "item-price", "customer": "buyer-email", "country": "ship-country",
            "currency": "currency"}),
        ("orders", ETSY, {
            "order": "Order ID", "product": "SKU", "name": "Item Name", "quantity": "Quantity", "at": "Sale Date",
            "price": "Price", "customer": "Buyer", "country": "Ship Country", "currency": "Currency"}),
        ("orders", STRIPE, {
            "order": "id", "name": "Description", "at": "Created date (UTC)", "amount": "Amount", "customer": "Customer ID",
            "currency": "Currency"}),
        ("customers", KLAVIYO, {
            "customer": "Email", "email": "Email", "phone": "Phone Number", "first_name": "First Name",
            "last_name": "Last Name",
            "country": "Country", "at": "Profile Created On"}),
        ("consents", KLAVIYO, {
            "customer": "Email", "status": "Email Marketing Consent", "at": "Email Marketing Consent Timestamp",
            "source": "Source"}),
        ("consents", MAILCHIMP, {"customer": "Email Address", "at": "CONFIRM_TIME"}),
        ("orders", TAOBAO, {
            "order": "订单编号", "customer": "买家会员名", "at": "订单创建时间", "name": "宝贝标题", "quantity": "宝贝总数量",
            "amount": "买家实际支付金额"}),
        ("orders", JD, {
            "order": "订单号", "product": "商品ID", "name": "商品名称", "quantity": "订购数量", "at": "下单时间",
            "price": "京东价",
            "customer": "下单帐号"}),
        ("orders", YOUZAN, {
            "order": "订单号", "product": "商品编码", "name": "商品名称", "quantity": "商品数量", "at": "订单创建时间",
            "price": "商品单价", "customer": "买家昵称"}),
        ("orders", "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country", {
            "order": "InvoiceNo", "product": "StockCode", "name": "Description", "quantity": "Quantity", "at": "InvoiceDate",
            "price": "UnitPrice", "customer": "CustomerID", "country": "Country"}),
        ("orders", "customer,when,article,pieces,total", {
            "customer": "customer", "at": "when", "product": "article", "quantity": "pieces", "amount": "total"}),
        ("orders", "客户,下单时间,订单号,商品,数量,单价（元）,金额（元）", {
            "customer": "客户", "at": "下单时间", "order": "订单号", "name": "商品", "quantity": "数量",
            "price": "单价（元）"}),
        ("orders", "Customer,Date,Name,Price (EUR)", {
            "customer": "Customer", "at": "Date", "name": "Name", "price": "Price (EUR)"}),
        ("events", "event,time,distinct_id,$insert_id", {
            "kind": "event", "at": "time", "customer": "distinct_id", "event": "$insert_id"}),
        ("events", "客户,行为,发生时间,商品", {"customer": "客户", "kind": "行为", "at": "发生时间", "product": "商品"}),
        ("events", "who,when", {"at": "when"}),
        ("consents", "客户,是否同意,同意时间,渠道,来源", {
            "customer": "客户", "status": "是否同意", "at": "同意时间", "channel": "渠道", "source": "来源"}),
        ("customers", "customer_id,when", {"customer": "customer_id", "at": "when"}),
        ("orders", "customer_id,date,dollar_value", {"customer": "customer_id", "at": "date"}),
        ("orders", "", {}),
    ],
)  # fmt: skip
def test_the_exports_of_shops_are_recognised(kind: str, header: str, expected: dict[str, str]) -> None:
    assert guess_columns(header.split(","), kind) == expected


def test_of_two_columns_of_one_name_the_plain_one_is_taken() -> None:
    assert guess_columns(["Price (with tax)", "Price", "Customer", "Date"])["price"] == "Price"
    assert guess_columns(["Price (a)", "Price (b)", "Customer", "Date"])["price"] == "Price (a)"
