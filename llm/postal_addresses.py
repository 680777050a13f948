"""Finds postal addresses in plain text, by the way in which they are written in English, Chinese and some other languages.

A town alone says nothing of a person and stays; a street with a number, a British postcode, a post box go. No Django here.
"""

import re
from collections.abc import Iterator

_POSTCODE_GB = (
    r"(?:A[BL]|B[ABDHLNRST]?|C[ABFHMORTVW]|D[ADEGHLNTY]|E[CHNX]?|F[KY]|G[LUY]?|H[ADGPRSUX]|I[GMPV]|JE|K[ATWY]|L[ADELNSU]?"
    r"|M[EKL]?|N[EGNPRW]?|O[LX]|P[AEHLOR]|R[GHM]|S[AEGKLMNOPRSTWY]?|T[ADFNQRSW]|UB|W[ACDFNRSV]?|YO|ZE)"
    r"\d[0-9A-HJKPSTUW]?[ ]\d(?!XL)[ABD-HJLNP-UW-Z]{2}"
)
_TAIL = (
    r"(?:,?\s+(?:flat|apt\.?|apartment|unit|suite|ste\.?|floor|room|#)\s?\w{1,5}\b)?"
    r"(?:,\s*[A-Z](?:[^\W\d_]|['’-])+\b(?:[ ][A-Z](?:[^\W\d_]|['’-])+\b){0,2}){0,3}"
    rf"(?:,?\s+(?:{_POSTCODE_GB}|(?:[A-Z]{{2}}\s+)?\d{{5}}(?:-\d{{4}})?)(?!\w))?"
)
_NUMBER = (
    r"(?:(?i:flat|apt\.?|apartment|unit|suite|no\.?|#)\s?\d{1,5}[A-Za-z]?,?\s+)?"
    r"(?<![\w.,%€£$¥])\d{1,5}[A-Za-z]?(?:[-/]\d{1,5}[A-Za-z]?)?"
)
_NO_NAME = (
    r"(?!(?:of|in|to|a|an|my|your|our|his|her|their|this|that|off|per|for|and|with|from|down|up|on|at|is|are|was|x|cm|mm|m|km"
    r"|ml|g|kg|pcs|pack|packs|pieces?|items?|percent|minutes?|hours?|days?|weeks?|months?|years?|miles?|steps?|people|times"
    r"|more|new|different|other|euros?|pounds?|dollars?|metres?|meters?|shops?|stores?)\b)"
)
_PLAIN_WORD = rf"(?:{_NO_NAME}[A-Za-z][\w'’.-]*)"
_TITLE_WORD = rf"(?:{_NO_NAME}[A-Z][a-z][\w'’.-]*|Mc[A-Z][a-z]+|(?:St|Mt)\.)"

#: 12 baker street; 4 Harbour St, Leith EH6 6QU.
STREET = re.compile(
    rf"{_NUMBER},?\s+(?i:(?:{_PLAIN_WORD}\s+){{1,3}}"
    r"(?:street|road|avenue|lane|boulevard|crescent|terrace|mews|blvd\.?|(?:st|rd|ave|ln)\b\.?(?=\s*(?:,|;|\n|$|\d|in\b|[ns][ew]?\b|[ew]\b)|\.\s)))\b\.?"
    r"(?:\s(?:NW|NE|SW|SE|N|S|E|W)\b)?"
    rf"(?!\s+(?:[A-Z]{{3,}}\b|sign\b|art\b|map\b|style\b|food\b|wear\b)){_TAIL}"
)
#: Words that are also ordinary ones: 10 Downing Close, but not 3 DRAWER GARDEN.
STREET_IN_CAPITALS = re.compile(
    rf"{_NUMBER},?\s+(?:{_TITLE_WORD}\s+){{1,3}}"
    r"(?:Drive|Dr|Court|Ct|Close|Place|Pl|Square|Sq|Way|Gardens|Grove|Hill|Row|Walk|Quay|Wharf|Circle|Parkway|Highway|Rise)\b\.?"
    rf"(?!\s+[A-Z]){_TAIL}"
)
STREETS_ABROAD = (
    # Hauptstraße 12, 10115 Berlin; Kerkstraat 5.
    re.compile(
        r"\b[A-ZÄÖÜ][\wäöüß'-]*(?:straße|strasse|str\.|weg|platz|allee|gasse|damm|ufer|straat|laan|gracht|plein)"
        r"\s+\d{1,4}\s?[a-z]?\b(?:,?\s+(?:D-|NL-)?\d{4,5}(?:\s?[A-Z]{2}\b)?(?:\s+[A-ZÄÖÜ][\wäöüß-]+)?)?"
    ),
    # 12 rue de la Paix, 75002 Paris.
    re.compile(
        r"\b\d{1,4}(?:\s?(?:bis|ter))?,?\s+(?i:rue|avenue|boulevard|place|allée|chemin|impasse|quai)\s+"
        r"(?:(?:de|du|des|la|le|les|d['’]|l['’])\s*){0,3}[A-ZÀ-Ý][\w'’-]+(?:\s[A-ZÀ-Ý][\w'’-]+){0,3}"
        r"(?:,?\s+\d{5}(?:\s+[A-ZÀ-Ý][\w-]+)?)?"
    ),
    # Calle Mayor 5; Via Roma, 10, 00184 Roma.
    re.compile(
        r"\b(?:Calle|C/|Avenida|Avda\.?|Paseo|Plaza|Via|Viale|Piazza|Corso|Rua)\s+(?:de(?:l|lla)?\s+)?"
        r"[A-ZÀ-Ý][\w'’-]+(?:\s[A-ZÀ-Ý][\w'’-]+)?,?\s+(?:n[º°.]?\s*)?\d{1,4}\b(?:,?\s+\d{5}(?:\s+[A-ZÀ-Ý][\w-]+)?)?"
    ),
)
POSTCODE = re.compile(rf"(?<![\w-]){_POSTCODE_GB}(?!\w)")
POST_BOX = re.compile(
    r"\bP\.?\s?O\.?\s?Box\s+\d{1,6}\b|\bPostfach\s+\d[\d ]{2,8}\d|邮政?信箱\s?\d{1,6}号?", re.IGNORECASE
)
#: What is announced as an address goes to the end of its line, where it holds a number.
ANNOUNCED = re.compile(
    r"(?:(?<![A-Za-z])(?:my|our|new|home|delivery|shipping|postal|billing|street)\s+address(?:\s+is|\s+has\s+changed\s+to)?"
    r"|(?<![A-Za-z])address\s*:|\bI\s+live\s+at|\bdeliver(?:ed)?\s+(?:it\s+)?to\s*:|(?:收货|家庭|送货|我的|新|邮寄)地址(?:是|为|改为|改成)?|地址(?=\s*[:：])"
    r"|我(?:现在)?住在|(?:寄|送)到(?=\s*[:：]))[\s:：]{0,3}(?P<address>[^\n;；。!！?？]{6,90})",
    re.IGNORECASE,
)

HAN = re.compile(r"[\u3400-\u9fff]")
_HAN = r"[\u4e00-\u9fff]"
_COUNT = r"[0-9一二三四五六七八九十百零〇甲乙]{1,6}(?:[-之][0-9A-Za-z]{1,4})?\s?"
_UNIT = r"(?:号院|号楼|號樓|号|號|弄|栋|棟|幢|座|单元|單元|层|層|楼|樓|室|户)"
_REGION = rf"(?:{_HAN}{{1,7}}(?:省|自治区|自治州|特别行政区|市|区|區|县|縣|旗|镇|鎮|乡|鄉|街道|开发区|新区)[ ,，]?)"
ADDRESSES_ZH = (
    # 上海市浦东新区张江路88号3栋502室
    re.compile(
        rf"{_REGION}{{0,5}}{_HAN}{{1,8}}(?:路|街|大道|巷|弄|胡同)\s?(?:{_HAN}{{0,4}}段\s?)?{_COUNT}{_UNIT}(?![线線色店码碼])"
        rf"(?:[ ,，]?{_HAN}{{0,8}}[A-Za-z0-9一二三四五六七八九十]{{1,5}}\s?{_UNIT})*"
    ),
    # 望京花园3栋2单元501室
    re.compile(
        rf"{_REGION}{{0,5}}{_HAN}{{2,8}}(?:小区|社区|花园|公寓|大厦|大廈|新村|家园|苑|广场|宿舍)\s?"
        rf"(?:{_HAN}{{0,4}}[A-Za-z0-9一二三四五六七八九十]{{1,5}}\s?{_UNIT}[ ,，]?)+(?:\d{{3,4}}(?!\d))?"
    ),
    # 青山村5组12号
    re.compile(
        rf"{_REGION}{{0,5}}{_HAN}{{1,6}}[村寨屯]\s?(?:[0-9一二三四五六七八九十]{{1,3}}[组組队隊社]\s?)?{_COUNT}(?:号|號)"
    ),
    # 浙江省杭州市西湖区文新街道
    re.compile(rf"{_HAN}{{2,4}}(?:省|自治区|市){_HAN}{{2,6}}(?:市|区|县|州){_HAN}{{2,6}}(?:区|县|镇|乡|街道|村)"),
    re.compile(rf"{_REGION}{{2,5}}{_HAN}{{1,10}}道\s?{_COUNT}(?:号|號)(?:[ ,，]?[A-Za-z0-9]{{1,5}}\s?{_UNIT})*"),
    re.compile(r"邮政?信箱\s?\d{1,6}号?"),
    re.compile(r"(?<=邮编)[:：是为 ]{0,3}\d{6}(?!\d)"),
)


def find_addresses(text: str) -> list[tuple[int, int]]:
    """Where postal addresses stand; they may overlap."""
    # Han is a letter to `\b` and `\w`, but it borders on a Latin word as a full stop does.
    latin = text if text.isascii() else HAN.sub("。", text)
    return [*_find_written(text, latin), *_find_announced(text)]


def _find_written(text: str, latin: str) -> Iterator[tuple[int, int]]:
    has_digit = any(c.isdigit() for c in text)
    for pattern in (STREET, STREET_IN_CAPITALS, *STREETS_ABROAD, POSTCODE, POST_BOX) if has_digit else ():
        for match in pattern.finditer(latin):
            yield match.span()
    if latin is not text:
        for pattern in ADDRESSES_ZH:
            for match in pattern.finditer(text):
                yield match.span()


def _find_announced(text: str) -> Iterator[tuple[int, int]]:
    for match in ANNOUNCED.finditer(text):
        written = match["address"].rstrip(" .,，")
        if any(c.isdigit() for c in written):
            yield match.start("address"), match.start("address") + len(written)
