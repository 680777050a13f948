"""Words of ours about customers: nobody is told in which drawer they lie, nor that a machine thinks they leave."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .reading import Draft
from .sheet import FactSheet


def check_scoring_words(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """The vocabulary of scoring, and the names of the segments themselves."""
    for reading in draft.readings:
        for match in _SCORING.finditer(reading.masked):
            message = _("This is a word of ours about customers, not for them.")
            yield reading.finding("scoring", "block", message, match.span())
        text = " ".join(reading.passage.raw.lower().split())
        for label in sheet.labels:
            if len(label.split()) > 1 and " ".join(label.lower().split()) in text:
                message = _("The name of the segment stands in the text.")
                yield Finding("scoring", "block", reading.passage.field, message, label[:80])


_PERSON: Final = r"(?:customers?|clients?|users?|members?|shoppers?|buyers?|subscribers?|accounts?|people|contacts?)"
_MACHINE: Final = (
    r"(?:models?|algorithms?|data|records?|systems?|computers?|software|analysis|analytics|figures|statistics|numbers"
    r"|dashboards?"
    r"|forecasts?|predictions?|AI)"
)
#: What a machine says of somebody.
_SAYS: Final = (
    r"(?:says?|shows?|predicts?|suggests?|thinks?|tells?|indicates?|believes?|expects?|reckons?|gives?|puts?|flag(?:s"
    r"|ged)|rank(?:s|ed)|chose|picked|selected|put|gave|concluded|decided"
    r"|rated?|scored?|marked|sees?|estimates?|points?\s+to)"
)
_GOING: Final = (
    r"(?:leav(?:e|ing)|churn(?:ing)?|stop(?:ping)?(?:\s+(?:buying|shopping|ordering))?|lapse|lapsing"
    r"|go(?:ing)?\s+elsewhere|drift(?:ing)?\s+away"
    r"|not\s+(?:com(?:e|ing)\s+back|return(?:ing)?|buy(?:ing)?\s+again)|switch(?:ing)?\s+(?:shops|to\s+(?:a|another"
    r"|our)))"
)
_ENGLISH: Final = (
    r"\b(?:about|going)\s+to\s+lose\s+you\b|\brisk\s+(?:of\s+)?losing\s+you\b",
    r"\bas\s+an\s+ai\b|\b(?:ai|language)\s+model\b",
    rf"\bchurn(?:er|ers|ing|ed)?\s+(?:risk|rate|score|probability|model|{_PERSON})|\b(?:risk\s+of|likely\s+to"
    rf"|about\s+to|will|might|may|customer|your)\s+churn\b|\bchurn(?:s|ing|ers?)?\b(?!\s*(?:out|up|the|butter|cream"
    rf"|milk|of|through))(?!ed)",
    rf"\b(?:you(?:'re|\s+are|\s+seem|\s+may\s+be|\s+might\s+be)|your\s+account\s+is)\s+(?:now\s+"
    rf"|currently\s+)?(?:at[\s-]risk|high[\s-]risk|a\s+lost\s+customer)\b|\bat[\s-]risk\s+{_PERSON}"
    rf"|\b{_PERSON}\s+(?:who\s+are\s+)?at\s+risk\b|\bat\s+risk\s+of\s+{_GOING}|\bhigh[\s-]risk\s+{_PERSON}",
    rf"\b{_PERSON}\s+segment(?:s|ed|ation)?\b|\bsegmentation\b|\bsegments?\s+of\s+(?:our\s+)?{_PERSON}|\b(?:your|our"
    rf"|this|that|which|what|the\s+(?:same|right))\s+segment\b|\bsegmented\b",
    rf"\b(?:you(?:'re|\s+are|r)?|{_PERSON}|who(?:'re|\s+are)?)\b[^.!?\n]{{0,24}}\b(?:likely|about"
    rf"|going)\s+to\s+{_GOING}\b|\b(?:you(?:'re|\s+are)|{_PERSON})\b[^.!?\n]{{0,24}}\bunlikely\s+to\s+(?:come\s+back"
    rf"|return|buy|order|shop|stay)|\b(?:might|may|could)\s+(?:not\s+(?:return|come\s+back|buy\s+again)"
    rf"|stop\s+(?:buying|shopping|ordering))\b|\byou(?:'re|\s+are)\s+(?:leaving\s+us|slipping\s+away|drifting\s+away)",
    rf"\b(?:chance|likelihood|probability|odds|risk|percent|%)\s+(?:of\s+(?:you\s+|your\s+)?|that\s+you(?:'ll|\s+will"
    rf"|\s+might|\s+may)?\s+){_GOING}|\byour\s+(?:likelihood|probability|propensity|risk)\s+of\b",
    rf"\blapsed\s+{_PERSON}|\b(?:you(?:'ve|\s+have)?|your\s+(?:account|status)\s+(?:is|has))\s+(?:become\s+|gone\s+"
    rf"|been\s+)?(?:lapsed|dormant|inactive)\b",
    rf"\b(?:inactive|dormant|lapsing|disengaged|unengaged|lost|low[\s-]value|high[\s-]value|(?:most|least"
    rf"|more)[\s-]valuable|top[\s-](?:tier|decile|value))\s+{_PERSON}",
    r"\bwin[\s-]?back\b(?!\s+(?:your|the|some|an?)\b)|\breactivation\b|\breactivat(?:e|ing|ed)\s+(?:you\b(?!r)|(?:our"
    r"|old|inactive|lapsed)\b|customers)",
    r"\b(?:top|bottom)\s+\d+\s?(?:%|percent)\s+of\s+(?:our\s+)?(?:customers|clients|members|buyers)"
    r"|\bpredicted\s+(?:spend|value|revenue)|\b(?:customer|account|member)\s+status\s*(?:is|:)\s*\w+|\bpropensity\b"
    r"|\blifetime\s+value\b|\bRFM\b|\buplift\s+(?:score|model)|\b(?:customer|client|user|member|email)\s+retention\b"
    r"|\bretention\s+(?:campaign|team|rate|model|offer|strategy|score|program(?:me)?|effort)",
    r"\bhold-?out\s+(?:group|sample|set|share)\b|\bin\s+(?:the|our)\s+(?:hold-?out|control\s+group)\b|\b(?:your|our"
    r"|customer|this)\s+archetype\b|\barchetypes\b",
    rf"\b(?:our|the|an?|my)\s+(?:\w+\s+)?{_MACHINE}(?:'s)?\s+(?:(?:also|now|clearly|already"
    rf"|just)\s+)?{_SAYS}\b(?=[^.!?\n]{{0,60}}\b(?:you|your)\b)|\bpredict(?:s|ed|ion)?\s+(?:that\s+)?you\b",
    r"\b(?:our|the|my)\s+(?:model|algorithm|data|records)\s+(?:says?|shows?|predicts?|suggests?)",
    r"\byou(?:'ve|\s+have|\s+were|\s+are|'re)?\s+(?:been\s+)?(?:flagged|classified|categori[sz]ed|labell?ed|tagged"
    r"|ranked|scored|segmented|profiled|sorted\s+into|assigned\s+to|identified\s+as|marked\s+as|put\s+in(?:to)?\s+(?:a"
    r"|the|our)\s+(?:group|list|bucket))\b",
    r"\b(?:risk|churn|customer|engagement|loyalty\s+risk|rfm|propensity|activity|value)\s+scores?\b"
    r"|\byour\s+score\s+(?:is|of|has|with\s+us|fell|dropped)\b",
    r"\b(?:selected|chosen|picked|flagged|found)\s+by\s+(?:an?|our|the)\s+(?:\w+\s+)?(?:algorithm|model|computer"
    r"|system|software|AI)\b|\btarget(?:ed)?\s+(?:group|audience)\b|\b(?:group"
    r"|list)\s+of\s+(?:our\s+)?(?:\w+\s+){0,3}(?:customers|clients|members|shoppers)\s+(?:who|that)\s+(?:might|may"
    r"|will|could|are|have)\b",
)
_GROUP: Final = "(?:用户|客户|会员|顾客|买家|人群|客群|名单)"
_CHINESE: Final = (
    r"作为(?:一个|一名)?(?:AI|人工智能|语言模型)",
    rf"(?:{_GROUP}|老客|[您你])(?:的)?(?:即将|可能|快要)?流失|(?:预|已|将)流失|流失(?:{_GROUP}|概率|风险|率|预警|模型"
    rf"|预测|倾向|可能)|流失的{_GROUP}",
    rf"(?:沉睡|沉默|休眠|僵尸|低活跃|不活跃|低价值|高价值|即将离开的?|濒临流失的?){_GROUP}|高风险{_GROUP}"
    rf"|[您你][^,。!?\n]{{0,6}}(?:高风险|被?召回|被?唤醒)",
    rf"[A-DS]类{_GROUP}|(?:召回|挽回|唤醒|激活)(?:老|沉睡|流失)?{_GROUP}|目标人群|客户分[群层]|细分(?:人群|客群)"
    rf"|客户画像|用户画像|人群包|留存率|复购率|对照组|客户生命周期"
    rf"|终身价值",
    r"(?:系统|模型|算法|大?数据|AI|人工智能|后台)(?:的)?(?:分析|结果)?(?:显示|判断|预测|提示|认为|检测|评估|推测|表明"
    r"|识别|发现|把|将)[^。!?\n]{0,12}[您你]"
    r"|根据(?:我们的)?(?:系统|模型|算法|预测|评分)",
    r"预测[您你]|[您你](?:的)?(?:流失|活跃|价值|风险|客户|忠诚|用户)?(?:度)?(?:评分|得分|分值|概率)|[您你](?:很|极"
    r"|非常)?可能(?:会|要|将|即将|已)?(?:经)?(?:离开|流失"
    r"|不(?:会)?再(?:购买|下单|光顾|回来|来))",
    r"[您你](?:已经?)?被(?:系统|我们)?(?:标记|归为|归入|列为|列入|划分|划入|识别|判定|评为(?:低|高))|把[您你](?:归为"
    r"|归入|列为|标记|划分|划入)",
)
_SCORING: Final = re.compile("|".join((*_ENGLISH, *_CHINESE)), re.IGNORECASE)
