"""Products as a source of answers: what one that the customer names costs, and whether it is there, in sentences by code.

A product is a source like an article, with its version; its facts never pass through a model before a person sees them with
that version beside them. Nothing that rests on one is sent without a person.
"""

from __future__ import annotations

from typing import Final

from django.utils import translation
from django.utils.translation import gettext as _

from customers.models import Product

from .answering import LONGEST_QUESTION, Answered, answer_question
from .articles import SourceArticle, make_article
from .knowledge import load_base
from .ranking import Base

#: Before the article number, in the key of a source.
PREFIX: Final = "product:"
MOST_PRODUCTS: Final = 3
#: A shorter name stands in too many sentences by chance.
LEAST_LETTERS: Final = 4
_NAMED: Final = """
SELECT p.* FROM customers_product p,
    LATERAL (SELECT p.name UNION SELECT value FROM jsonb_each_text(
        CASE WHEN jsonb_typeof(p.names) = 'object' THEN p.names ELSE '{}' END)) n (name)
WHERE NOT p.is_charge AND (length(n.name) >= %(least)s OR n.name ~ '[一-鿿]{2}')
    AND position(lower(n.name) IN lower(%(text)s)) > 0
GROUP BY p.id ORDER BY max(length(n.name)) DESC, p.id LIMIT %(most)s"""


def answer_from_base(text: str) -> Answered:
    """By the articles, and by the products that the text names where those answer it better."""
    by_articles = answer_question(text, load_base(text))
    if by_articles.refused not in ("", "unanswered") or not (named := find_products(text[:LONGEST_QUESTION])):
        return by_articles
    by_products = answer_question(text, Base([describe_product(product) for product in named]))
    is_better = not by_articles.refused and by_products.sureness <= by_articles.sureness
    return by_articles if by_products.refused or is_better else by_products


def find_products(text: str) -> list[Product]:
    """The products whose name, in any language, stands in a text; the longest names first."""
    return list(Product.objects.raw(_NAMED, {"text": text, "least": LEAST_LETTERS, "most": MOST_PRODUCTS}))


def describe_product(product: Product) -> SourceArticle:
    """What the catalogue says of it, in both languages; what is not known is not said."""
    told = []
    for language, kept_as in (("en", "en"), ("zh-hans", "zh")):
        name = product.name_in(kept_as)
        with translation.override(language):
            told.append(" ".join(_say(product, name)))
    return make_article(f"{PREFIX}{product.sku}", product.name_in("en"), told, version=product.version)


def _say(product: Product, name: str) -> list[str]:
    said = []
    if product.price is not None and product.currency:
        price = f"{product.price:.2f} {product.currency}"
        said.append(_("%(name)s costs %(price)s.") % {"name": name, "price": price})
    if product.stock is not None:
        is_there = product.stock > 0
        said.append(
            (_("%(name)s is in stock.") if is_there else _("%(name)s is sold out and not in stock.")) % {"name": name}
        )
    return said
