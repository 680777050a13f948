"""The words that promise something, and the words of the facts that bear them out, in English and Chinese."""

from __future__ import annotations

import re
from dataclasses import dataclass

from campaigns.content.findings import Verdict


@dataclass(frozen=True)
class Promise:
    """Words that promise something, and the words of the facts that bear it out (the same ones where none are given)."""

    code: str
    said: re.Pattern[str]
    known: re.Pattern[str]
    verdict: Verdict = "block"


def _promise(code: str, said: str, known: str = "", verdict: Verdict = "block") -> Promise:
    return Promise(code, re.compile(said, re.IGNORECASE), re.compile(known or said, re.IGNORECASE), verdict)


_I = re.IGNORECASE
WHOLE_SHOP = re.compile(
    r"\beverything\b|\b(?:all|every|any)\s+(?:our\s+)?(?:products?|items?|goods|orders?)\b|\bwhatever\b|所有|全部|全场|一切",
    _I,
)
DELIVERS = re.compile(
    r"arriv|deliver|\border|\bship|parcel|\bthere\b|\byours\b|\bsend|\bsent\b|\bget\b|\bwith\s+you\b|\bdoor\b|\bpost\b",
    _I,
)
LIFE = re.compile(r"\blifetime\b|\bfor\s+life\b|终身", _I)
WARRANTS = re.compile(r"guarant|warrant|质保|保修|联保|包换|\brepair|\breplac|\bfree\b|\bfix|\bmend|\bcovered?\b", _I)
RETURNS = re.compile(r"\breturn|\bswap|\bsend\b.{0,20}\bback\b|\bexchange|退|换", _I)
SHIPS = re.compile(
    r"\bship|\bdeliver|\bpost(?:age)?\b|\btravels?\b|\bparcel|\b(?:comes?|arrives?|gets?|on\s+its\s+way)\s+to\s+you\b|\boff\s+(?:they|it)\s+goe?s?\b|\bon\s+(?:its|their|your)\s+way\b|\breach\w*\s+you\b|\bto\s+your\s+door\b|运|送|邮",
    _I,
)
SHIPPING = r"(?:shipping|delivery|postage|p&p|dispatch)"
FREE_SHIPPING = (
    rf"\b(?:free|complimentary|no[\s-]cost|gratis)[\s-]+(?:(?:\w+[\s-]+){{0,3}}?){SHIPPING}"
    rf"|\b{SHIPPING}\s+(?:is\s+|will\s+be\s+|comes\s+)?(?:always\s+)?(?:free|on\s+us|on\s+the\s+house|included|costs?\s+(?:you\s+)?nothing)"
    rf"|\b(?:we(?:'ll|\s+will)?\s+)?(?:cover|pay(?:\s+for)?|waive)\s+(?:the\s+|your\s+)?(?:cost\s+of\s+)?{SHIPPING}|\bno\s+{SHIPPING}\s+(?:charges?|fees?|costs?)"
    rf"|\bship\s+(?:\w+\s+){{0,3}}?(?:for\s+)?free|\bdelivered\s+(?:for\s+)?free|\bship(?:s|ped)?\s+(?:for\s+)?free"
    rf"|\b{SHIPPING}\s+and\s+(?:\w+\s+){{1,4}}are\s+(?:both\s+|all\s+)?(?:free|included)"
    r"|(?:送货|配送|运费|上门)[^,。\n]{0,8}(?:都|全部?|均)免费"
    r"|包邮|免运费|免邮|免费(?:配送|送货|邮寄|快递|发货)|运费全免|运费由我们|零运费"
)
PROMISES: tuple[Promise, ...] = (
    _promise(
        "shipping",
        FREE_SHIPPING,
        FREE_SHIPPING + r"|free.?shipping|\b(?:deliver\w*|shipping|postage)\b(?:[^.\n]|\.(?=\d)){0,40}\bfree\b",
    ),
    _promise(
        "returns",
        r"\bfree(?:\s+and\s+easy)?\s+(?:\w+[\s-]+){0,3}?(?:returns?|exchanges?)\b|\b(?:returns?|exchanges?)\s+(?:are|is)\s+(?:always\s+)?free|\bsend\s+(?:it|them)\s+back\s+(?:for\s+)?free|免费退[换货]|免费换货|退货免费|退换免费|运费险",
        r"free\s+(?:\w+[\s-]+){0,3}?(?:returns?|exchanges?)|returns?\b.{0,20}\bfree|免费退|免费换|退货免费|退换免费|运费险",
    ),
    _promise(
        "refund",
        r"\bmoney[\s-]back\b|\bfull\s+refund|\brefund(?:s|ed)?\b|\byour\s+money\s+back|全额退款|退款|不满意就退|假一赔",
        r"refund|money[\s-]back|退款|赔",
    ),
    _promise(
        "returns",
        r"\b(?:no[\s-]questions[\s-]asked|hassle[\s-]free\s+returns?)\b|无理由退[换货]?|随时退[换货]|无忧退[换货]",
        r"no[\s-]questions|hassle[\s-]free|无理由|随时退|无忧退",
    ),
    _promise(
        "returns",
        r"\breturn(?:s|ed)?\s+(?:policy|window|period|within|any)|\beasy\s+returns|\bsend\s+(?:it|them)\s+back\b|退[换]货",
        r"return|退|\btrial\b|试[用睡穿]|\bsen[dt]\b[^.\n]{0,30}\bback\b",
    ),
    _promise("guarantee", r"\blifetime\b|\bfor\s+life\b|终身"),
    _promise(
        "guarantee",
        r"\b(?:guarantee[ds]?|guaranteed|warrant(?:y|ies))\b|质保|保修|保证|包换|联保",
        r"lifetime|guarantee|warrant|质保|保修|保证|包换|联保",
    ),
    _promise(
        "price",
        r"\bmatch\s+(?:any|every|the|their)\s+(?:\w+\s+)?prices?|\bprice[\s-](?:match(?:ed)?|promise|guarantee|protection)|价保|保价|买贵",
        r"price[\s-](?:match|promise|guarantee|protection)|价保|保价|买贵",
    ),
    _promise(
        "price",
        r"\bprices?\s+(?:\w+\s+)?(?:go(?:es|ing)?\s+up|ris(?:e|es|ing)|increas(?:e|es|ing)|will\s+(?:go\s+up|rise|increase)|hike)|(?<!不)(?<!不会)(?<!没)涨价|恢复原价",
        r"prices?\s+(?:\w+\s+)?(?:go|ris|increas|will)|涨价|恢复原价",
    ),
    _promise("guarantee", r"\blifetime\b|\bfor\s+life\b|终身"),
    _promise(
        "comparison",
        r"\b(?:lowest|cheapest|best|unbeatable|unbeaten)\s+(?:\w+\s+)?(?:prices?|deals?|offers?|discounts?)\b|\bcheaper\s+than\b|\b(?:twice|\d+\s*(?:x|times)|half)\s+as\s+\w+\s+as\b|\bas\s+\w+\s+as\s+(?:any|no)\s+other|\b\w{3,}er\s+than\s+(?:any|all|every|other|the\s+(?:rest|others?|competition))\b|\b(?:not|never|n't|nobody|no\s+one|nowhere)\b[^.!?\n]{0,40}\b(?:cheaper|better\s+(?:price|value)|less)\b[^.!?\n]{0,10}\b(?:anywhere|elsewhere|else)\b|\bno\s+other\s+(?:shop|store|brand|seller)\b|\b(?:cheapest|lowest)\b(?!\s+(?:(?:1|one|book|item|piece|bottle|pair|title|of\s+(?:the|them|your)(?:\s+\w+)?)\s+)?(?:is|comes|goes)\s+(?:on\b|free|for\s+free|our))|\bbetter\s+than\s+(?:any|all|other|our|the\s+(?:rest|competition))|\bbiggest\s+(?:\w+\s+)?(?:sale|discount|offer)|\bbeats?\s+(?:any|all|the\s+competition)"
        r"|\bnobody\s+(?:else\s+)?(?:sells|offers)|\bno\s+one\s+else\b|最低价|全网最低|史上?最低|最便宜|历史最低|最优惠|最大力度|全网第一|行业第一|全国第一|销量.{0,4}第一|第一名|第一品牌|排名第一|比(?!原价|平时|原来|之前|日常).{1,8}(?:便宜|优惠)|力度最大|独家|顶级",
    ),
    _promise(
        "reputation",
        r"\baward[\s-]winning\b|\btop[\s-]rated\b|\b(?:highest|best)[\s-]rated\b|\bas\s+seen\s+(?:on|in)\b|\brecommended\s+by\b|\bendorsed\s+by\b|\b(?:named|crowned|elected|chosen\s+as)\s+(?:the\s+)?[^.!?\n]{0,30}\bof\s+the\s+(?:year|month)\b|\bdermatologist\w*\s+(?:tested|recommended|approved)|\bclinically\b|\bscientifically\b|\bvoted\b|获奖|(?:专家|医生|医师|营养师|教练|老师|名人)(?:都)?(?:推荐|认可|力荐)|\d成(?:的)?[\u4e00-\u9fff]{1,4}(?:推荐|选择|喜欢|回购|好评)|临床|(?:医学|科学)(?:证明|验证|证实)|年度最佳|明星同款|好评如潮|销量冠军|国家级|免检",
    ),
    _promise("reputation", r"\bcertified\b|认证", r"certifi|\b(?:OEKO|GOTS|FSC|ISO|EU organic|Fairtrade)\b|认证|标准"),
    _promise(
        "reputation",
        r"\bbest[\s-]?sell(?:er|ing)s?\b(?=[^.!?\n]{0,20}\b(?:of\s+(?:the|all|this)|ever|in\s+the|this\s+(?:year|season|month))\b)|\bno\.?\s*1\b|销量[第之]|(?:年度|全年|本季|今年)[^,。]{0,4}(?:畅销|热销|销冠)",
    ),
    _promise(
        "reputation",
        r"\bbest[\s-]?sell(?:er|ing)s?\b|\bmost\s+popular\b|\bcustomers'?\s+favou?rite|\beveryone(?:'s)?\s+(?:is\s+)?(?:loves?|talking)|畅销|爆款|热销|人气",
        verdict="warn",
    ),
    _promise(
        "delivery",
        r"\b(?:next|same)[\s-]day\b|\bexpress\s+(?:delivery|shipping)|\bovernight\b(?=\s+(?:delivery|shipping))|\b(?:arriv\w+|deliver\w*|ship\w*|with\s+you|there|yours)\s+(?:\w+\s+){0,2}?overnight\b|\b(?:arrives?|delivered|deliver|get\s+it|at\s+your\s+door|with\s+you|yours)\s+(?:it\s+)?(?:by\s+)?(?:tomorrow|today|tonight|in\s+time\s+for|in\s+time)|\bdeliver\w*\b[^.!?\n]{0,30}\b(?:tomorrow|today|tonight)\b|\bfast\s+(?:delivery|shipping)|\bworldwide\s+(?:delivery|shipping)"
        r"|次日达|当日达|隔日达|次日送达|(?:当天|当日|今天|今日)(?:就|即|可|能)?(?:发货|完成|送达|寄出|出库|取|冲|修|装|洗|磨|做好)|今日发货|明[天日](?:送达|就?到)|极速发货|闪电发货",
    ),
    _promise("delivery", r"\b(?:before|by|in\s+time\s+for)\s+christmas\b", r"christmas|圣诞"),
    _promise("delivery", r"(?:圣诞节?|节)前送达", r"christmas|圣诞|节前"),
    _promise(
        "delivery",
        r"\b(?:sent|ship(?:s|ped)?|dispatch(?:ed)?|deliver(?:s|ed|y)?|roast(?:s|ed)?|baked?|bakes|post(?:ed)?)\b[^.!?\n]{0,25}\b(?:every\s+(?:single\s+)?day|daily|7\s+days\s+a\s+week|at\s+weekends)\b|(?:每[天日]|天天)(?:都)?(?:发货|烘焙|现烤|配送|送货)|周末(?:也|照常|不休|无休)",
    ),
    _promise(
        "delivery",
        r"\b(?:deliver\w*|ship\w*|post(?:age|ed)?)\b[^.!?\n]{0,50}?\b(?:anywhere|everywhere|all\s+over|throughout)\b"
        r"|\ue000,?\s+(?:anywhere|everywhere|all\s+over|throughout)\s+(?:in\b|the\b|[A-Z])",
        r"anywhere|everywhere|all\s+over|throughout|wide\b|whole|\bany\b",
    ),
    _promise(
        "delivery",
        r"\bnation[\s-]?wide\b|\bworld[\s-]?wide\b|\bto\s+(?:any|every)\s+country\b|全国(?:各地)?(?:包邮|次日|当日|隔日|免邮|送达|免费送)|全球(?:包邮|直邮|配送)|港澳台",
    ),
    _promise(
        "gift",
        r"\bfree\s+(?:\w+\s+)?gifts?\b|\bgifts?\s+with\s+(?:every|any|each|your|all|purchase|an?)\b|\bbonus\s+(?:gift|item|points?)|\bgoody\s+bag|\bgift\s+cards?\b|\bsurprise\s+gift|\bgift\s+(?:is\s+)?(?:included|worth|inside|in\s+(?:every|your)\s+(?:parcel|order|box))|\b(?:add|include|slip|tuck|pop|send|get|receive|comes?)\b[^.!?\n]{0,40}\b(?:as|for)\s+an?\s+(?:\w+\s+)?(?:gift|present|bonus|thank[\s-]you)\b|\bthrow(?:ing|n)?\s+in\b|\bon\s+top,?\s+you\s+(?:get|receive)"
        r"|赠品|赠送|附赠|加赠|买就送|(?<=[再即还都就另])送礼|(?:下单|购物|消费|满\s*\d[^,。!?\n送]{0,8})送礼(?![两自正都皆首佳必])|送礼(?=品|包|盒)|随单[赠送]|免费[送赠领]|礼品卡|(?:[买购][^,。!?\n送]{1,10}|每[一1]?[单件][^,。!?\n送]{0,4}|下单[^,。!?\n送]{0,6}|满[^,。!?\n送]{1,8})送(?![货达到给人礼朋爸妈长她他礼])|送你?一[份个件]|送您一[份个件]|好礼相送|即送|还送|另送|再送",
        r"gift|赠|(?<![配运派])送(?!货|达|到|上门)",
    ),
    _promise(
        "gift",
        r"\b(?:a|little|small)\s+gift\b|\b(?:treat|surprise|present)\s+(?:for\s+you|from\s+us|is\s+waiting)|小惊喜|惊喜|礼物",
        r"gift|surprise|treat|礼|惊喜",
        "warn",
    ),
    _promise(
        "reward",
        r"\bcash[\s-]?back\b|\bstore\s+credit\b|\bcredit\s+(?:in|to|on|has\s+been)\b|\b(?:loyalty|reward|bonus|double)\s+points?\b|\bprize(?:s|\s+draw)?\b|\braffle\b|\bsweepstakes?\b|\bwin\s+(?:an?|one|your)\b|积分|返现|红包|抽奖|大奖|中奖",
    ),
    _promise(
        "finance",
        r"\bpay\s+later\b|\binterest[\s-]free\b|\bin\s+instal?lments?\b|\bbuy\s+now,?\s+pay|免息|分期|先用后付",
    ),
    _promise(
        "service",
        r"\b24/7\b|\bround\s+the\s+clock\b|\bfree\s+(?:\w+\s+)?(?:fitting|advice|trial|samples?|upgrade|installation|engraving)\b"
        r"|全天候|24小时(?:都?有人)?(?:客服|服务|在线|免费|咨询|营业)|免费(?:维修|试用|体验|安装|升级|样品)",
    ),
    _promise(
        "material",
        r"\bcarbon[\s-](?:neutral|free)\b|\bclimate[\s-]neutral\b|\bplastic[\s-]free\b|\borganic\b|\brecycled\b|\bsustainabl[ye]\b|\bvegan\b|\bfair[\s-]?trade\b|\bhand[\s-]?made\b|有机|环保|碳中和|纯手工",
        verdict="warn",
    ),
)
SENTENCE = re.compile(r"\n|[.;](?=\s|$)|。")
FREE = re.compile(
    r"(?<![\w-])(?<!feel )(?<!feeling )(?<!set )(?<!break )(?<!hands )(?<!worry )"
    r"(?:completely\s+|totally\s+|absolutely\s+)?(?:for\s+)?free\b"
    r"(?!\s*-|\s+(?:to|time|hand|hands|spirit|weekend|afternoon|evening|day|moment|from|for\s+an?\b|of(?!\s+charge)|up|and\s+easy|range|hour|minute|rein|as)\b)(?:\s+(?:of\s+charge|(?P<noun>[a-z]+)))?"
    r"|\bcomplimentary\b|\bon\s+the\s+house\b|\bat\s+no\s+(?:extra\s+)?(?:cost|charge)|\bgratis\b|免费|白送|零元购|0元购",
    _I,
)
#: Promised together with another: "delivery and returns are free".
BESIDE_OTHERS = frozenset(["delivery", "returns"])
HEADLINES = frozenset(["subject", "preheader", "button_label"])
FREE_THING = re.compile(r"(?:completely\s+|totally\s+|absolutely\s+)?free\s+(?P<thing>(?:[a-z-]+\s+){0,3}[a-z-]+)", _I)
PRESENT = re.compile(
    r"(?<![赠附加再])(?:[买购满][^,。!?\n送]{1,12}|下单|随单|免费|立|即|就|再|还|加|附)?[送赠]送?(?:您|你)?(?:[一1\d]{0,2}[个件份只顶条套瓶盒支张本把款])?"
    r"(?![货达到给人礼朋爸妈长她他完自您你上一品])(?:价值\s?\d{1,6}(?:\.\d{1,2})?\s?元的?)?(?P<what>[\u4e00-\u9fff]{2,6})"
)
FOR_GOODS = re.compile(
    r"\b(?:on|for)\s+(?:all\s+|our\s+|selected\s+)?(?!orders?|purchases?|everything|every|any|all\b|free|request|baskets?|deliver|shipping|returns?"
    r"|you|your|us\b|life|customers?|members?|the\b|an?\b|each|up\b|time|over|most|\d|more)(?P<goods>[a-z]{3,})",
    _I,
)
WIDE = re.compile(r"\b(?:every(?:thing)?|all|any|each|whole|entire)\b|所有|全部|全场|每一?[件个]", _I)
IS_FREE = re.compile(
    r"\bfree\b|\bcomplimentary\b|\bon\s+us\b|\b(?:at\s+no|without|no)\s+(?:extra\s+)?(?:charge|cost)\b|\bgratis\b|免费|免",
    _I,
)
#: Services in the words of a Chinese text and of English facts: no stem is common to the two.
SERVICES = tuple(
    (re.compile(zh), re.compile(rf"\b(?:{en})", _I))
    for zh, en in (
        (
            r"旧.{0,6}(?:拉走|带走|回收|运走|取走|处理)|(?:拉走|带走|回收|运走|取走|处理).{0,4}旧",
            r"\bold\b.*\b(?:take|collect|remov|dispos|recycl)\w*|\b(?:take|collect|remov|dispos|recycl)\w*.*\bold\b",
        ),
        (r"安装|组装|装好", r"install|assembl|fitting|set\s+up"),
        (r"礼品?包装|礼盒|包装", r"gift[\s-]?wrap|wrapp|gift\s+box"),
        (r"刻字|刻名|雕刻", r"engrav|initial|monogram"),
        (r"绣", r"embroider|monogram"),
        (r"改裤|裁|改短|修改", r"hem(?:s|med|ming)?\b|alter|shorten|tailor"),
        (r"维修|修理|修补|修", r"repair|mend|fix"),
        (
            r"保养|养护|检修",
            r"servicing|serviced|(?:first|annual|yearly|free|full)\s+service\b(?!\s+(?:desk|team|line))|check-?up|maintenance",
        ),
        (r"换新|更换|补发|重发", r"replac|new\s+one"),
        (r"试[吃喝用睡戴穿]|样品|小样|试用装", r"trial|sample|try\b"),
        (r"咨询|建议|搭配|指导", r"advice|advis|consult|styling"),
        (r"打磨|磨刀|磨", r"sharpen|grind"),
        (
            r"上门取|上门收|取件",
            # "Free pick up in our store" sends nobody to the door.
            r"we(?:'ll|\s+will)?\s+(?:\w+\s+)?(?:collect|fetch|pick)|(?:collected|fetched|picked\s+up|collection|pick-?\s?up)\s+(?:from|at)\s+(?:your|you|home)\b|home\s+(?:collection|pick-?up)",
        ),
        (r"贺卡|卡片", r"card"),
    )
)
#: The offer is a thing that comes with the order: whoever calls it a gift says no more than that.
OFFERS_THING = re.compile(
    r"\b(?:free|complimentary)\s+(?!(?:[\w-]+\s+){0,2}(?:shipping|delivery|postage|returns?|exchanges?|p&p)\b)(?!express|standard)[a-z\d]|\bgift\b"
    r"|赠|(?<![配运派])送(?!货|达|到|上门)",
    _I,
)
#: 送什么, 送一本书给爸爸: what the reader gives to somebody.
GIVEN_BY_READER = re.compile(r"什么|哪|给(?![您你])|爸|妈|长辈|朋友|老师|父(?!亲节)|母(?!亲节|婴)|孩子|自己")
HANDLES = re.compile(
    r"\b(?:post|pack|wrap|ship|send|check|dispatch|print|handle|process|roast|cut|sew|bake)(?:s|es|ed)?\s+$", _I
)
#: "We cut every order by 20%": what follows makes it a reduction after all.
REDUCES = re.compile(r"^[^,;:.!?\n]{0,30}(?:%|\boff\b|\bdiscount)", _I)
#: All of the shop, in words that no kind of goods narrows.
ALL_IN_CHINESE = re.compile(r"(?:所有|全部)的?(?:商品|产品|订单)|全场|全店|一切")
NO_MINIMUM = re.compile(
    r"\bno\s+minimum\b|\bwithout\s+(?:a\s+|any\s+)?minimum|\bany\s+(?:order|purchase|basket)(?:\s+(?:size|value))?\b(?!\s+(?:of|over|above|from|worth|at\s+least|that)\b)|\b(?:every\s+order|all\s+orders)\b(?!\s+(?:of|over|above|from|worth|that)\b)|\bno\s+matter\s+(?:how|what)\s+(?:much|little|you\s+(?:buy|spend))|\bwhatever\s+you\s+(?:spend|buy|order)\b|\bhowever\s+(?:much|little|small)\b"
    r"|\bno\s+(?:strings|conditions|catch)\b|无门槛|不限金额|任意金额|没有门槛|任意订单|全场无门槛",
    _I,
)
EVERYTHING = re.compile(
    r"\beverything\b(?!\s+else)(?=[^.!?\n]{0,30}(?:store|shop|site|range|off|reduced|sale))|\boff\s+(?:absolutely\s+)?everything\b|\bon\s+(?:absolutely\s+)?everything\b(?!\s+else)(?!\s+(?:over|above|from)\s+[£€$¥\d])"
    r"|\bsite[\s-]?wide\b|\bstore[\s-]?wide\b"
    r"|(?<!see )(?<!browse )(?<!discover )\b(?:the\s+)?(?<!see the )(?<!browse the )(?<!discover the )"
    r"(?:entire|whole)\s+(?:store|shop|range|site|collection|catalogue)\b"
    r"|\ball\s+(?:our\s+)?products\b|\bevery\s+(?:single\s+)?(?:product|item)\b|\bno\s+exclusions\b|全场|全店|所有商品|全部商品|全站",
    _I,
)
LIMITED = re.compile(
    r"\b(?:off|on)\s+(?:all\s+|our\s+|selected\s+)?(?!everything|your|any|all\b|the\b|orders?|purchases?|next|every|an?\b|baskets?|us\b|sitewide|over\b|when|with|for\b|request|time\b|and\b|or\b|if\b|from|at\b|until|code|[€£$¥\d])[a-z]{3,}|\b(?:selected|exclud|except|only)\w*|部分商品|指定|除外|仅限",
    _I,
)
COMBINED = re.compile(
    r"\b(?:combine[ds]?|stack(?:s|ed|able)?|on\s+top\s+of)\b[^.!?\n]{0,30}\b(?:offers?|discounts?|codes?|promotions?|promos?|deals?|sales?|coupons?|vouchers?|reductions?|sale\s+prices?)|\b(?:combinable|stackable)\b|\bas\s+(?:often|many\s+times)\s+as\s+you\s*(?:like|want|wish|please|can|care|$|[.,!])|\bunlimited\b|(?<!不)(?<!不可)(?<!不能)(?:与.{0,12})?叠加|同享|折上[折减]|上不封顶|不限次数",
    _I,
)
EVERY_ORDER = re.compile(
    rf"(?:{FREE_SHIPPING})\s+(?:on|for|with)\s+(?:every|all|any|each)\s+(?!orders?\b|purchases?\b|baskets?\b)(?:\w+|\ue000+)(?!\s+(?:\w+\s+)?(?:from|over|above|of|worth))"
    rf"|(?<!元的订单)(?<!块的订单)(?<!\d的订单)(?<!上的订单)(?<!件的订单)(?<!元订单)(?<!以上)(?:全部|所有|每[一1]?[件个只盒瓶份])[^,。\n]{{0,6}}(?:包邮|免邮|免运费)|(?:{FREE_SHIPPING})[^.!?\n]{{0,20}}\b(?:every|all|any)\s+(?:orders?|purchases?)\b(?!\s+(?:from|over|above|of|worth))|(?:全场|全店|所有订单|任[意何][一1]?[单件]?(?:订单)?|每[一1]?[单件]|[无不]论[^,。]{{0,6}}|一律)[^。\n满]{{0,6}}(?:包邮|免邮|免运费)|\b(?:every|all|any)\s+orders?\b(?!\s+(?:from|over|above|of|worth))[^.!?\n]{{0,25}}(?:{FREE_SHIPPING})",
    _I,
)
THRESHOLD = re.compile(r"\b(?:over|above|from|minimum|at\s+least)\s+\S{0,4}\d|满\s*\S?\d|以上", _I)
DISCOUNT = re.compile(
    r"\bdiscount(?:s|ed)?\b|\bmoney\s+off\b|\b(?:special|exclusive|our|this|your|welcome|great)\s+offers?\b|\boffer\s+(?:ends|is\s+valid|runs)|\bon\s+sale\b|\b(?:winter|summer|autumn|spring|big|our|the|flash|clearance)\s+sale\b|\breduced\b|\bprice\s+(?:cut|drop)s?\b|\bspecial\s+price|\bbargains?\b"
    r"|打折|折扣|优惠|特价|降价|促销|立减|满减|特惠",
    _I,
)
