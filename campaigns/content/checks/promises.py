"""Promises in words: free things, guarantees, comparisons. True where the facts say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from campaigns.content.findings import Finding

from . import promise_words as words
from .reading import Draft, Reading, read_support
from .sheet import FactSheet
from .text import blank, content_stems, is_instruction, is_negated, sentence_around, sentence_span


def check_promises(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """What is promised and stands in no fact; the longer promise is read first."""
    facts = read_support(sheet).passage.text
    if sheet.offer.replace("_", " ").lower() == "free shipping":
        facts = f"{facts}\nfree shipping"
    for reading in draft.readings:
        text = reading.masked
        for promise in words.PROMISES:
            # "Free next-day delivery" promises two things.
            for match in list(promise.said.finditer(reading.masked if promise.code in words.BESIDE_OTHERS else text)):
                if is_negated(reading.masked, match.start()):
                    continue
                sentence = sentence_around(reading.masked, match.start())
                if promise.code == "delivery" and _reaches_known_place(reading, match, facts):
                    continue
                if promise.code == "price" and "原价" in match.group() and sheet.valid_until and _is_reduced(sheet):
                    continue
                if promise.code == "comparison" and is_instruction(sentence):
                    continue  # "plant it three times as deep as it is tall"
                if (
                    words.LIFE.search(match.group())
                    and words.WARRANTS.search(sentence)
                    and not _is_for_this(reading, match, facts)
                ):
                    message = _("The facts promise this for something else, or not for everything.")
                    yield reading.finding(promise.code, promise.verdict, message, match.span())
                elif promise.code == "gift" and words.OFFERS_THING.search(sheet.offer):
                    pass  # what the present is, check_presents and the figures look at
                elif not promise.known.search(facts):
                    is_idiom = match.group().lower() == "for life" and not words.WARRANTS.search(sentence)
                    is_story = match.group().lower().endswith(" christmas") and not words.DELIVERS.search(sentence)
                    if is_idiom or is_story:
                        message = _("The facts do not promise this.")
                        yield reading.finding(promise.code, "warn", message, match.span())
                        continue
                    message = _("The facts do not promise this.")
                    yield reading.finding(promise.code, promise.verdict, message, match.span())
                text = blank(text, [match.span()])
        for match in words.FREE.finditer(text):
            noun = match.groupdict().get("noun") or ""
            if re.match(r"at\s+no", match.group(), re.I) and re.search(r"\bfree\b|免|包邮", facts, re.I):
                continue
            if is_negated(reading.masked, match.start()):
                continue
            sentence = sentence_around(reading.passage.text, match.start())
            if reading.passage.field in words.HEADLINES and _is_headline_free(draft, facts):
                continue
            if not _topic_of(sentence):
                before, _end = sentence_span(reading.passage.text, match.start())
                sentence = sentence_around(reading.passage.text, max(0, before - 2)) + " " + sentence
            if _is_known_free(sentence, facts) and _gives_the_same(reading.passage.text, match, facts):
                continue
            if not (noun and re.search(rf"(?:free|complimentary)\s+(?:\w+\s+)?{re.escape(noun)}", facts, re.I)):
                yield reading.finding("free", "block", _("The facts give nothing like this for free."), match.span())


def _is_reduced(sheet: FactSheet) -> bool:
    """Something costs less than usual, and so costs the usual again once the offer is over."""
    return bool(sheet.percent or sheet.amount) or any(p.old_price for p in sheet.products)


def _reaches_known_place(reading: Reading, match: re.Match[str], facts: str) -> bool:
    """ "Delivery to anywhere in the UK", where the facts deliver to the UK."""
    place = re.match(
        r"\s+(?:(?:in|on|within)\s+)?(?:the\s+)?([A-Z][\w-]+)", reading.passage.text[match.end() : match.end() + 40]
    )
    is_wide = re.search(r"anywhere|everywhere|throughout", match.group(), re.I)
    return place is not None and is_wide is not None and place[1] in facts


def _is_for_this(reading: Reading, match: re.Match[str], facts: str) -> bool:
    """What the facts promise for life is what the sentence speaks of: batteries for life are no guarantee for life."""
    lines = [words.LIFE.sub(" ", line) for line in words.SENTENCE.split(facts) if words.LIFE.search(line)]
    here = content_stems(words.LIFE.sub(" ", sentence_around(reading.passage.text, match.start())))
    return any(here & content_stems(words.IS_FREE.sub(" ", line)) for line in lines)


def _is_headline_free(draft: Draft, facts: str) -> bool:
    """ "Your initials, free": too short to say what of, the body says it, and all of that is true."""
    said = [
        sentence_around(reading.passage.text, match.start())
        for reading in draft.readings
        if reading.passage.field not in words.HEADLINES
        for match in words.IS_FREE.finditer(reading.masked)
    ]
    return bool(said) and all(_is_known_free(sentence, facts) for sentence in said)


def _is_known_free(sentence: str, facts: str) -> bool:
    """ "Return anything, free of charge", "we ship your order for free": the sentence says what, the facts that it is."""
    if any(
        said.search(sentence) and known.search(facts)
        for said, known in ((words.RETURNS, words.PROMISES[1].known), (words.SHIPS, words.PROMISES[0].known))
    ):
        return True
    topic = _topic_of(sentence)
    if any(
        zh.search(sentence)
        and any(words.IS_FREE.search(line) and en.search(line) for line in words.SENTENCE.split(facts))
        for zh, en in words.SERVICES
    ):
        return True
    return any(words.IS_FREE.search(line) and topic & _topic_of(line) for line in words.SENTENCE.split(facts))


def _topic_of(sentence: str) -> frozenset[str]:
    """What is free: the stems, and in Chinese also the sign behind 免费, because 免费修 is 免费维修."""
    signs = {sign for found in re.findall(r"免费([\u4e00-\u9fff]{1,2})", sentence) for sign in found}
    return content_stems(words.IS_FREE.sub(" ", sentence)) | signs


def _gives_the_same(text: str, match: re.Match[str], facts: str) -> bool:
    """ "Free needles with every order" is not borne out by "patterns are free with any yarn order"."""
    if not (found := words.FREE_THING.match(text, match.start())):
        return True
    thing = content_stems(
        re.split(
            r"\b(?:with|for|on|in|when|if|until|and|within|at|to|from|as|by|of|once|above|over|beyond|past|after|before|only|again|too|or|but|so|you|your|every|any|each|the|an?)\b",
            found["thing"],
        )[0]
    )
    given = content_stems("\n".join(line for line in words.SENTENCE.split(facts) if words.IS_FREE.search(line)))
    return not thing or not thing.isdisjoint(given)


def check_reach_of_promises(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """A promise of the facts that holds for some goods ("lifetime warranty on frames") made for others, or for all."""
    lines = [(promise, line) for line in read_support(sheet).passage.text.split("\n") for promise in words.PROMISES]
    limited = [(promise, limit) for promise, line in lines if promise.known.search(line) and (limit := _limit_of(line))]
    for reading in draft.readings:
        for promise, limit in limited:
            for match in promise.said.finditer(reading.masked):
                sentence = sentence_around(reading.passage.text, match.start())
                is_wide = words.WIDE.search(sentence) or any(
                    p.category and p.category.lower() in sentence.lower() for p in sheet.products
                )
                if is_wide and limit.rstrip("s")[:5] not in sentence.lower():
                    message = _("The facts promise this for something else, or not for everything.")
                    # Whether a guitar is one of the "instruments" no fact says.
                    is_chinese = re.search(r"[\u4e00-\u9fff]", sentence) and not words.ALL_IN_CHINESE.search(sentence)
                    is_other_language = limit.isascii() and is_chinese
                    is_open = is_other_language or not (words.WHOLE_SHOP.search(sentence) or _is_category(sheet, limit))
                    yield reading.finding("scope", "warn" if is_open else "block", message, match.span())


def _is_category(sheet: FactSheet, limit: str) -> bool:
    stem = limit.rstrip("s")[:5]
    return any(stem in f"{p.category} {p.name}".lower() for p in sheet.products)


def _limit_of(line: str) -> str:
    """The goods for which alone a policy holds: "on frames"; "" where it names none, or orders and the like."""
    found = words.FOR_GOODS.search(line)
    return found.group("goods").lower() if found else ""


def check_scope(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """A wider offer than the one that there is: on everything, without a minimum, for everybody, twice."""
    facts = read_support(sheet).passage.text
    for reading in draft.readings:
        for match in words.NO_MINIMUM.finditer(reading.masked):
            of_delivery = re.search(
                r"deliver|\bship|包邮|免邮|运费|配送", sentence_around(reading.masked, match.start()), re.I
            )
            before = reading.masked[max(0, match.start() - 16) : match.start()]
            if (
                words.HANDLES.search(before)
                and not words.REDUCES.search(reading.masked[match.end() : match.end() + 40])
                and not words.IS_FREE.search(sentence_around(reading.masked, match.start()))
            ):
                continue  # "we post every order within a day" reduces nothing
            if _needs_basket(facts) if of_delivery else sheet.min_basket or words.THRESHOLD.search(sheet.offer):
                yield reading.finding("scope", "block", _("The offer has a minimum basket."), match.span())
        for match in words.EVERYTHING.finditer(reading.masked):
            if words.LIMITED.search(facts) and not words.EVERYTHING.search(facts):
                yield reading.finding("scope", "block", _("The offer is not for everything."), match.span())
        for match in words.COMBINED.finditer(reading.masked):
            if not words.COMBINED.search(facts) and not is_negated(reading.masked, match.start()):
                yield reading.finding("scope", "block", _("The facts do not say that offers add up."), match.span())
        for match in words.EVERY_ORDER.finditer(reading.masked):
            if re.search(r"deliver|shipping|包邮|免邮|运费|配送", match.group(), re.I) and _needs_basket(facts):
                yield reading.finding("scope", "block", _("Delivery is free from a minimum only."), match.span())


def _needs_basket(facts: str) -> bool:
    """Delivery is free from a minimum, and no line of the facts says so without one."""
    lines = [
        line
        for line in words.SENTENCE.split(facts)
        if re.search(r"deliver|\bship|postage|包邮|免邮|运费|配送", line, re.I)
    ]
    free = [line for line in lines if words.IS_FREE.search(line) or "包邮" in line]
    return any(words.THRESHOLD.search(line) for line in lines) and all(words.THRESHOLD.search(line) for line in free)


def check_presents(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """ "A helmet for free with every bicycle", where the facts give another present: 送头盔 against 送首次保养."""
    facts = read_support(sheet).passage.text
    given = content_stems(" ".join(line for line in words.SENTENCE.split(facts) if re.search(r"送|赠|免费", line)))
    for reading in draft.readings:
        for match in words.PRESENT.finditer(reading.masked):
            if not given or is_negated(reading.masked, match.start()) or words.GIVEN_BY_READER.search(match["what"]):
                continue
            what = content_stems(match["what"])
            if what and what.isdisjoint(given):
                yield reading.finding("gift", "block", _("The facts do not promise this."), match.span())


def check_offer_exists(sheet: FactSheet, draft: Draft) -> Iterator[Finding]:
    """Talk of a discount where nothing is offered."""
    if sheet.has_offer or words.DISCOUNT.search(read_support(sheet).passage.text):
        return
    for reading in draft.readings:
        for match in words.DISCOUNT.finditer(reading.masked):
            if is_negated(reading.masked, match.start()):
                continue
            yield reading.finding("offer", "block", _("There is no offer."), match.span())
