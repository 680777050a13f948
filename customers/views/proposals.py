"""A rule in a person's own words: a language model proposes it, the page shows it, and only the person saves it."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from customers.ingest.clock import read_shop_clock
from customers.segments.in_words.proposing import CannotPropose, propose_rule


@require_POST
@permission_required("customers.add_segment", raise_exception=True)
def propose_segment(request: HttpRequest) -> HttpResponse:
    """The proposal for `words` as a fragment for htmx: its sentence, its size, what it leaves out, and who wrote it.

    The fragment's link begins a new segment with the rule, which is not saved by that.
    """
    now = timezone.now()
    try:
        proposal = propose_rule(request.POST.get("words", ""), now=now, as_of=read_shop_clock(now))
    except CannotPropose as error:
        return render(request, "customers/_segment_proposal.html", {"refusal": str(error)})
    rule = json.dumps(proposal.tree, ensure_ascii=False)
    asked = urlencode({"rule": rule, "name": proposal.name, "proposal": proposal.token})
    start = f"{reverse('customers:segment-new')}?{asked}"
    context = {"proposal": proposal, "told": proposal.told, "start_url": start}
    return render(request, "customers/_segment_proposal.html", context)
