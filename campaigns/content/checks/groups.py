"""Discrimination and stereotypes by group: what a sentence says of all women, all old people, all of a people.

A group as readers of a text is none ("for men, women and kids"); a judgement about a group is. What belittles or shuts
out blocks, a cliché warns, and a sentence that turns a cliché down ("who says girls can't skate?") is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from .reading import Draft
from .sheet import FactSheet
from .text import sentence_around


def check_groups(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """Judgements about a group of people."""
    for reading in draft.readings:
        for match in _HARSH.finditer(reading.masked):
            if not _DENIED.search(sentence_around(reading.masked, match.start())):
                message = _("This judges people by the group they belong to. Leave the group out.")
                yield reading.finding("discrimination", "block", message, match.span())
        for match in _CLICHE.finditer(reading.masked):
            sentence = sentence_around(reading.masked, match.start())
            if not _DENIED.search(sentence) and not _BOTH.search(sentence):
                message = _("This is a cliché about a group of people. Say it of the thing instead.")
                yield reading.finding("stereotype", "warn", message, match.span())


_I = re.IGNORECASE
_GENDER: Final = (
    r"(?:women|men|girls|boys|ladies|gentlemen|guys|females|males|wives|husbands|housewives|mothers|moms|mums|dads)"
)
_OTHERS: Final = (
    r"(?:(?:old|older|elderly|young|poor|fat|disabled|black|white|asian|gay|foreign|blind|deaf|overweight"
    r"|rich)\s+(?:people|folks?|persons?|women|men|girls|boys|customers|ladies)"
    r"|seniors|pensioners|teenagers|millennials|boomers|blondes|grandmothers|grandmas|grandfathers|the\s+(?:elderly"
    r"|disabled|poor|old|blind|deaf)|asians|africans|arabs|blacks|whites|jews|muslims|christians|catholics|hindus|gays"
    r"|lesbians|immigrants|foreigners|refugees"
    r"|gypsies|latinos|latinas|mexicans|indians|chinese\s+people|germans|italians|the\s+(?:french|germans|chinese"
    r"|japanese|british|irish|jews)|americans)"
)
_GROUP: Final = rf"(?:{_GENDER}|{_OTHERS})"
_ONE: Final = (
    r"(?:woman|girl|man|boy|lady|wife|housewife|husband|grandmother|grandma|granny|grandpa|grandfather|mother-in-law"
    r"|blonde|pensioner|senior|child|old\s+(?:lady|man|woman|person)|foreigner)"
)
_BAD: Final = (
    r"(?:bad\s+(?:at|with|drivers|cooks)|worse|hopeless|useless|terrible|weak(?:er)?|too\s+weak|stupid|dumb|lazy"
    r"|emotional|hysterical|irrational|naturally|by\s+nature|born|inferior|superior|not\s+(?:made|meant|built|strong"
    r"|smart|clever|good|able)|incapable|unable|dirty|cheap|greedy|stingy|aggressive|dangerous|bossy|meant\s+to"
    r"|supposed\s+to|better\s+(?:at|off|cooks|drivers|suited)|good\s+at|always\s+\w+|never\s+\w+|only\s+good\s+for"
    r"|all\s+the\s+same)"
)
_HARSH: Final = re.compile(
    rf"(?<!\bfor )(?<!\bof )\b{_GROUP}\s+(?:are|were|is)\s+(?:just\s+|simply\s+|all\s+|so\s+|really\s+|usually\s+"
    rf"|often\s+)?{_BAD}\b"
    rf"|(?<!\bfor )\b{_GROUP}\s+(?:just\s+|simply\s+|really\s+)?(?:(?:won't|will\s+(?:not|never)"
    rf"|wouldn't)\s+(?:understand|get|know|manage|learn|like\s+this|appreciate)|can't|cannot|can\s+not|don't\s+(?:know"
    rf"|understand|belong|like\s+to\s+think)|shouldn't|should\s+not|aren't\s+(?:able|good|made|strong|meant|smart)"
    rf"|(?:always|never)\s+\w+|belong\s+(?:in|at)|ought\s+to\s+(?:stay|be\s+at)|should\s+(?:stay|be)\s+(?:at\s+home"
    rf"|in\s+the|quiet|thin|slim))"
    rf"|\beven\s+(?:your\s+)?(?:an?\s+)?{_GENDER}\s+(?:can|could|will|manage|understand)|\beven\s+(?:an?\s+)?(?:woman"
    rf"|girl|lady|housewife|blonde|foreigner)\s+(?:can|could|will|manages?|understands?)"
    rf"|\b(?:too\s+(?:complicated|heavy|hard|technical|difficult|fast|big|strong|clever)|not|unsuitable|(?:simple|easy"
    rf"|light)\s+enough)\s+for\s+(?:an?\s+|the\s+|your\s+)?(?:{_GROUP}|{_ONE})\b(?!\s+and)|\bno\s+{_GROUP}\s+(?:allowed"
    rf"|please|wanted)\b|\b(?:whites|men|christians|germans|locals)\s+only\b|\b(?:not|or)\s+for\s+(?:foreigners|fat|old"
    rf"|poor|the\s+(?:poor|old|disabled|weak|simple))\b(?!\s+(?:hand|time|ways?|days?|roses?|trees?))|\bleave\s+(?:the"
    rf"|that|this|it|all)\b[^.!?\n]{{0,24}}\bto\s+(?:the|your|us)\s+(?:men|boys|husbands?|women|wives|wife|ladies"
    rf"|girls)\b|\b(?:wives|women|girls|ladies|mums|moms)\s+\w+,?\s+(?:and\s+|while\s+|but\s+)?(?:husbands|men|boys"
    rf"|dads|gentlemen)\s+(?!and\b|or\b|can\b)\w+(?=\s*[.,:;!])"
    rf"|\b(?:woman|women|wife|girl|ladies|lady)(?:'s|s')?\s+place\s+is\b|\byour\s+place\s+is\s+(?:in\s+the\s+kitchen"
    rf"|at\s+home)|\bbelongs?\s+in\s+the\s+kitchen|\b(?:weaker|fairer|gentler|stronger)\s+sex\b|\bback\s+(?:in"
    rf"|to)\s+the\s+kitchen,?\s+(?:ladies|girls|women)"
    rf"|\breal\s+(?:men|women|ladies|girls|boys)\s+(?:don't|do|never|always|only|cook|drink|wear|know|eat|use|drive"
    rf"|shave|love|like|prefer|have|are|carry|grill|choose|need|want|work|hike|climb|ride)\b|\b(?:man\s+up"
    rf"|boys\s+will\s+be\s+boys|(?:like|as)\s+an?\s+(?:little\s+)?(?:girl|sissy|old\s+woman)(?=\s*[.!?])|(?:throw|run"
    rf"|drive|cry|scream|fight|hit)\s+like\s+a\s+girl|women?\s+drivers?)\b"
    r"|\b(?:retard(?:ed)?|cripples?|trann(?:y|ies)|midgets?|gypp?ed|spaz|spastic|fatsos?|fatties|hags?|old\s+(?:hags?"
    r"|crones?|spinsters?)|spinsters?|savages|primitive\s+people|third[\s-]world\s+people|white\s+trash|sissies|sissy"
    r"|bimbos?|redskins?|half-breeds?|illegals)\b"
    r"|(?:女人家|妇道人家)|[\u4e00-\u9fff]{1,3}人(?:都|就|总)?爱(?:贪便宜|占便宜|骗|偷|吹牛|计较)"
    r"|(?<!男人)(?<!男)(?<!和)(?<!与)(?<!、)女人(?:就)?(?:该"
    r"|应该|要|必须|天生|不能|不会|不懂|不行|不适合|都|就是)|女(?:人|生|孩子?|性)[^,。!?\n]{0,8}(?:不值钱|掉价|没人要"
    r"|嫁不出去|力气小|太笨|笨|脑子|方向感差|不如男|不适合|学不会"
    r"|不会(?:修|开|用|装)|头发长|天生(?:爱|不|就|柔弱|感性|胆小))|男(?:人|生|孩子?)[^,。!?\n]{0,6}(?:天生|不能哭"
    r"|不该哭|就该|必须|才(?:能|玩|会|适合|用|配)"
    r"|都是(?:大猪蹄子|渣))|(?:是|属于)男(?:人|生|孩子?)(?:才)?(?:玩|用|干|做)的|真(?:正的)?男人(?:就|都|才|从不|不)?"
    r"|像个(?:男人|娘们|女人)|大龄剩?女|剩女|剩男"
    r"|老(?:女人|处女|姑婆)|黄脸婆|娘炮|娘娘腔|男人婆|女司机|母老虎|泼妇|相夫教子|男主外|女主内|传宗接代|重男轻女"
    r"|连(?:女人|女生|女孩子?|老人|老太太|老年人|家庭主妇|文盲|农民|乡下人|外国人)(?:家)?(?:都|也)(?:能|会|可以|学得会"
    r"|看得懂)|(?:乡巴佬|土包子|乡下人|农村人|外地人|本地人|外国人|穷人"
    r"|胖子|老年人|老人|黑人|白人|残疾人|[东南西北]方人|河南人|上海人|东北人|广东人|少数民族)(?:都|就|天生|总是|不会"
    r"|不懂|不配|不能|不适合|没(?:素质|文化)|只会|只配|买不起|太|小气|爱骗)"
    r"|乡巴佬|土包子|弱智|智障|残废|黑鬼|洋鬼子|小日本|死胖子|矮穷[矬丑]|白痴|瘸子|傻子",
    _I,
)
_CLICHE: Final = re.compile(
    rf"\b{_GROUP}\s+(?:just\s+|all\s+|always\s+|simply\s+)?(?:love|adore|prefer|hate|like|want|need"
    rf"|enjoy)\b(?!\s+to\s+(?:hear|see)\s+from)"
    rf"|\b(?:even|so\s+(?:simple|easy)\s+(?:that\s+)?)\s*(?:your\s+|an?\s+)?{_ONE}\s+(?:can|could|will|would|gets?)"
    rf"|\bevery\s+(?:woman|man|girl|boy|lady|wife|husband)(?:'s)?\s+(?:loves?|needs?|wants?|dreams?|dream|knows?"
    rf"|deserves?)"
    r"|\b(?:your\s+wife|your\s+husband|the\s+wife|the\s+missus|hubby)\s+(?:will|would|won't"
    r"|is\s+going\s+to)\s+(?:thank|love|hate|complain|notice|nag)|\b(?:keep|make)\s+(?:your|the)\s+(?:wife|husband"
    r"|woman|man)\s+happy|\bman(?:'s|ly)\s+(?:knife|tool|job|drink|toy|work)\b|\ba\s+man's\s+\w+|\bgirly\b"
    r"|\bladylike\b|\bfor\s+(?:the\s+)?(?:little\s+)?(?:princess(?:es)?|housewives)\b|\bman\s+of\s+the\s+house\b"
    r"|\b(?:pink|dolls?|make-?up)\s+for\s+girls\b|\b(?:blue|cars?|trucks?)\s+for\s+boys\b|\bboys'?\s+toys\b"
    r"|每个(?:女人|男人|女生|男生|女孩|男孩)(?:都|心中|的梦)|(?:女人|男人|女生|男生|女孩子?|男孩子?)(?:都|最|就)(?:爱"
    r"|喜欢|想要|需要|懂)|直男|贤妻良母|贤惠|女汉子|小公举|爷们"
    r"|大老爷们|男人味|女人味|(?:老婆|老公)(?:一定|会|保准)(?:夸|爱|高兴|唠叨)|大妈(?:都|也|最)|讨老婆欢心",
    _I,
)
#: Who names both leaves nobody out.
_BOTH: Final = re.compile(
    r"\b(?:women|girls|ladies|mums|moms|wives|wife|woman|girl)\s*(?:,|and|or|&)\s*(?:men|boys|gentlemen|dads|husbands?|man|boy)\b"
    r"|\b(?:men|boys|gentlemen|dads|husbands?|man|boy)\s*(?:,|and|or|&)\s*(?:women|girls|ladies|mums|moms|wives|wife|woman|girl)\b"
    r"|男[人生孩]?子?[和与、及跟或]?女[人生孩]|女[人生孩]?子?[和与、及跟或]?男[人生孩]|老[公婆][和与、及跟或]老[公婆]",
    _I,
)
_DENIED: Final = re.compile(
    r"\bwho\s+says\b|\bno\s+longer\b|\bmyth\b|\bclich[eé]|\bstereotyp|\bprejudice|\bwrong\b|\bnonsense\b"
    r"|\bused\s+to\s+(?:say|think|be\s+told)|\bnot\s+true\b|\bproved?\b|\bregardless\b|谁说|偏见|刻板|不再|打破|并不是"
    r"|并非|不是只有|不分"
    r"|无论|不论|胡说|误解|谬论|过时的",
    _I,
)
