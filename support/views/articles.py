"""The articles: what answers are made from, every version of it, and what people asked that no article says."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.views.access import current_user
from support.answers.article_drafts import draft_article, name_article
from support.answers.gaps import Gap, find_gaps
from support.answers.knowledge import FIELDS, publish_article, save_article
from support.answers.products import answer_from_base
from support.models import Article

from .access import read_number
from .wording import name_refusal

MOST_GAPS: Final = 40
#: Questions of a gap that its page names.
SHOWN_EACH: Final = 5
LONGEST_QUESTION: Final = 500


@require_safe
@permission_required("support.view_article", raise_exception=True)
def list_articles(request: HttpRequest) -> HttpResponse:
    """All articles; ?try= asks them a question as a customer would."""
    question = request.GET.get("try", "").replace("\x00", "").strip()[:LONGEST_QUESTION]
    articles = Article.objects.select_related("current__saved_by").order_by("number")
    context: dict[str, Any] = {"articles": articles, "question": question}
    if question:
        answered = answer_from_base(question)
        first = answered.articles[0] if answered.articles else ""
        context |= {
            "answered": answered,
            "source": next((one for one in articles if str(one.number) == first), None),
            "refusal": name_refusal(answered.refused),
        }
    return render(request, "support/articles.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("support.view_article", raise_exception=True)
def edit_article(request: HttpRequest, number: int = 0) -> HttpResponse:
    """Read or write an article; 0 is a new one."""
    article = get_object_or_404(Article.objects.select_related("current"), number=number) if number else None
    current = article.current if article else None
    texts = {name: getattr(current, name, "") for name in FIELDS}
    gap = _find_gap(request.GET.get("gap", "")) if not number and request.user.has_perm("support.view_ticket") else None
    if gap is not None:
        texts |= _name_both(gap)
    errors: list[str] = []
    if request.method == "POST":
        if not request.user.has_perm("support.change_article" if article else "support.add_article"):
            raise PermissionDenied(_("Your role does not allow this."))
        texts = {name: request.POST.get(name, "") for name in FIELDS}
        base, note = read_number(request.POST.get("base", "")), request.POST.get("note", "")
        try:
            saved = save_article(
                current_user(request), texts, now=timezone.now(), article=article, base=base, note=note
            )
        except ValidationError as error:
            errors = list(error.messages)
        else:
            return redirect("support:article", saved.article.number)
    context = {
        "article": article,
        "texts": texts,
        "base": current.number if current else 0,
        "errors": errors,
        "versions": article.versions.select_related("saved_by")[:50] if article else [],
        "may_edit": request.user.has_perm("support.change_article"),
        "gap": gap,
    }
    return render(request, "support/article.html", context, status=422 if errors else 200)


@require_POST
@permission_required("support.change_article", raise_exception=True)
def publish(request: HttpRequest, number: int) -> HttpResponse:
    """Whether answers may quote it."""
    article = get_object_or_404(Article, number=number)
    is_published = request.POST.get("published") == "1"
    publish_article(current_user(request), article, is_published=is_published, now=timezone.now())
    return redirect("support:article", number)


@require_safe
@permission_required("support.view_answer", raise_exception=True)
def show_gaps(request: HttpRequest) -> HttpResponse:
    """What people asked that nothing answers, each group by its most typical question; without the right to read tickets by
    the word that the articles lack."""
    gaps, may_see = find_gaps(), request.user.has_perm("support.view_ticket")
    groups = [_describe_gap(gap, may_see=may_see) for gap in gaps[:MOST_GAPS]]
    context = {"groups": groups, "may_see": may_see, "has_articles": Article.objects.exists()}
    return render(request, "support/gaps.html", context)


@require_POST
@permission_required(["support.add_article", "support.view_ticket"], raise_exception=True)
def draft_for_gap(request: HttpRequest) -> HttpResponse:
    """The form of a new article with what colleagues answered to the questions of a gap; nothing is saved."""
    gap = _find_gap(request.POST.get("word", ""))
    if gap is None:
        messages.info(request, _("Nobody waits for an article about this any more."))
        return redirect("support:gaps")
    draft = draft_article(gap, now=timezone.now())
    texts = dict.fromkeys(FIELDS, "") | draft.texts
    context = {"texts": texts, "base": 0, "may_edit": True, "draft": draft, "gap": gap}
    return render(request, "support/article.html", context)


def _find_gap(word: str) -> Gap | None:
    return next((gap for gap in find_gaps() if gap.word == word), None) if word else None


def _name_both(gap: Gap) -> dict[str, str]:
    return {f"title_{code}": name_article(gap, in_chinese=code == "zh")[:160] for code in ("en", "zh")}


def _describe_gap(gap: Gap, *, may_see: bool) -> dict[str, Any]:
    question = gap.question if may_see and gap.word else ""
    return {"word": gap.word, "question": question, "answers": gap.asked[:SHOWN_EACH], "count": len(gap.asked)}
