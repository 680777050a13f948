"""The words beside an amount that say what it is: taken off, a minimum, a fee, a sum, what is paid after the offer."""

from __future__ import annotations

import re

_I = re.IGNORECASE
DERIVED = re.compile(
    r"\b(?:now|instead|after|with|save|saving|was|down|reduced|off|discount|pay|only|just|becomes?|brings?|comes|code|yours|normally|usually|regular(?:ly)?|originally|today|this\s+(?:week|weekend|month))\b|折|券后|到手|优惠|立减|省|减|原价|现价|仅",
    _I,
)
DISCOUNT_AFTER = re.compile(
    r"^\s*(?:off|discount|reduction|less|cheaper|rebate|back\b|towards?\b|saving|credit|voucher|coupon|(?:的)?(?:优惠|折扣|代金|抵用|无门槛|券|红包))",
    _I,
)
DISCOUNT_BEFORE = re.compile(
    r"(?:\b(?:sav(?:e|ing)s?(?:\s+of)?|discount(?:\s+of)?|knock|take|reduc\w+\s+(?:by|of)|voucher\s+(?:for|worth|of)|minus|get)|"
    r"立减|减免?|直[降减]|优惠|立省|节?省|返|抵扣?|便宜|降价?)\s*(?:an?\s+|you\s+|up\s+to\s+|another\s+|extra\s+|了|下|出)*$",
    _I,
)
LIMIT_BEFORE = re.compile(
    r"(?:\b(?:over|above|spend(?:ing)?|minimum(?:\s+[a-z]+){0,3}?(?:\s+of|\s+is|:)?|at\s+least|more\s+than|exceed\w*|reach(?:es)?|pass(?:es)?|past(?:\s+the)?"
    r"|(?:basket|order|purchase)s?(?:\s+value)?\s+(?:of|from|over|above|worth)|orders?\s+(?:is|are))|满|超过|高于|凑[到够]|[,。]过|最低(?:消费)?|不低于|达到?)"
    r"\s*(?:at\s+least\s+|or\s+)?$",
    _I,
)
LIMIT_AFTER = re.compile(
    r"^\s*(?:or\s+more|and\s+(?:over|above|up|more)|\+(?!\s*[£€$¥\d\ue000\u4e00-\u9fff])|minimum|min\b|basket|以上|及以上|起(?:可|用|减|享)|可用)",
    _I,
)
CUT_TO = re.compile(
    r"\b(?:reduced|cut|slashed|dropped|lowered|marked\s+down|discounted|falls?|drops?)\s+(?:down\s+)?to\s*$|(?:直?降[到至为]|特价)\s*:?\s*$",
    _I,
)
FEE_BEFORE = re.compile(
    r"\b(?:delivery|shipping|postage)\b[^,.;:\d£€$¥]{0,24}?\b(?:is|are|costs?|at)\s*(?:only\s+|just\s+)?$|(?:运费|邮费)\s*(?:为|是|:|只要|仅)?\s*$",
    _I,
)
SUM_BEFORE = re.compile(
    r"(?:\btotal\s+(?:comes\s+to|is|of)|\btogether,?\s+and\s+you(?:'re|\s+are)\s+at|\b(?:all\s+)?(?:the|these|those)\s+(?:two|three|four|[2-9])\s+come\s+to|\b(?:together|in\s+total|altogether)\b,?\s*(?:that|they|it|both)?\s*(?:'s|is|are|costs?|comes?\s+to|makes?)?|\bcome\s+to|\badd\s+up\s+to|合计|总共|一共|总价|加起来|(?<=[样件口者])共|[两三四五]样|=)\s*(?:是|为|才|只要)?\s*:?\s*$",
    _I,
)
OFFER_BEHIND = re.compile(
    r",?\s*(?:(?:the|our|your)\s+code|you\s+(?:can\s+)?(?:also\s+)?(?:take|get|save)|\ue000+\s+takes)\b", _I
)
REDUCED_AFTER = re.compile(
    r"\s*(?:with|after|using|once)\s+(?:it\b(?!\s+[a-z])|(?:the|your|our|this|that)\s+(?:code|discount|offer)\b|code\b|\ue000)",
    _I,
)
FOR_ONLY = re.compile(r"\b(?:for|at|only|just)\s*(?:only\s+|just\s+)?$|(?:只要|仅|特价)\s*$", _I)
GIVES_FREE = re.compile(r"\bfree\b|\bgift\b|complimentary|送|赠|免|包邮", _I)
NOW = re.compile(
    r",?\s*(?:(?:and|but)\s+)?(?:(?:is|are|it's)\s+)?(?:now|down\s+to)\s+(?:only\s+|just\s+)?|[,;]?\s*(?:现在|现价|折后|券后|用码后)(?:只要|仅需?|是)?\s*",
    _I,
)
TO = re.compile(r"\s*(?:to|->|→)\s*", _I)
FALLS_FROM = re.compile(r"\b(?:goes?|drops?|falls?|comes?|down|reduced|cut)\s+(?:down\s+)?from\s*$", _I)
USUAL_BEFORE = re.compile(
    r"\b(?:instead\s+of|was|from|usually|normally|originally|regularly|rather\s+than|before)\s*$|原价\s*$", _I
)
#: The value of a present, which is no product's price.
WORTH = re.compile(r"\bworth\s*(?:of\s+)?$|价值\s*$", _I)
SHORT_AFTER = re.compile(r"\s*(?:short|away)\b", _I)
SHORT_BEFORE = re.compile(r"差了?\s*$")
SUM_AFTER = re.compile(r"\s*(?:in\s+(?:all|total)|altogether|together)\b", _I)
INSTEAD = re.compile(r"\s*\(?\s*(?:instead\s+of|down\s+from|rather\s+than|was|usually|normally|原价|平时)\s*:?\s*", _I)
REDUCED_BEFORE = re.compile(
    r"(?:折后|券后|减后|到手价?|实付|\d\s*折(?:之?后|下来)?|减\s*\d+\s*元后|\bbecomes|\bdown\s+to|\bmakes\s+(?:it|that)"
    r"|\b[Ww]ith\s+(?:(?:the|your|our|this)\s+)?(?:code|\ue000+),?\s+(?:it's|it\s+is|that's|they're|you(?:'ll|'d)?\s+pay|it\s+comes\s+to)),?\s*(?:只要|仅需?|只需|才|是|为)?\s*:?\s*$"
)
KEPT = re.compile(r"\b(?:keep|kept)\s*$|省[了下]?\s*$", _I)
BELOW = re.compile(r"\b(?:under|below|less\s+than|cheaper\s+than)\s*$|(?:不到|低于|不足)\s*$", _I)
FROM = re.compile(r"\b(?:from|starting\s+at)\s*$", _I)
PRICE_WORDS = re.compile(r"(?:\bprices?d?(?:\s+at)?|\bcosts?|售价|价格|仅售|只要|只需)\s*:?\s*$", _I)
#: Said of a product: what it costs, not from where the delivery is free.
PRICE_SAID = re.compile(
    r"(?:\b(?:now|just|only|at|for|is|are|costs?|was)|现在|现价|只要|仅需|只需|仅售|售价|价格|才|只|仅|特价|一口价)\s*:?\s*$",
    _I,
)
#: Too short to say how a price came about: the body does.
HEADLINES = frozenset(["subject", "preheader", "button_label"])
ALL = re.compile(r"\b(?:every(?:thing)?|all|each|any)\b|所有|全部|全场|全店|都", _I)
POLICY = re.compile(r"deliver|\bship|\bships?\b|postage|return|包邮|免邮|运费|配送|退", _I)
DELIVERY = re.compile(r"deliver|\bship|postage|\bparcel|\btravels?\s+free|\bpost(?:ed)?\b|包邮|免邮|运费|配送", _I)
