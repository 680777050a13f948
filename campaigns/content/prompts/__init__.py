"""The prompts of campaign texts. No Django here: a prompt is data, and what goes into it is a pure function of data.

    task = DraftTask(channel="email", language="en", is_capable=True, facts=…, card=…, brief=…, voice=…, angle="likes")
    prompt, variables = build_draft(task)
    words = read_draft(answer)          # the columns of a Variant

The model writes the slots of one channel. Greeting, offer, code, prices, dates, links and footer are put in by code, so
the grammar forbids digits, percent signs, braces, brackets and quotes: a promise cannot even be written down.

A changed text needs a new version (`VERSION` of its module); `tests/campaigns/content/prompt_digests.json` holds it.
"""

from .drafts import ANGLES, DraftTask, build_draft, find_prompt, read_draft
from .translations import TranslationTask, build_translation, find_translation_prompt

__all__ = [
    "ANGLES", "DraftTask", "TranslationTask", "build_draft", "build_translation", "find_prompt",
    "find_translation_prompt", "read_draft",
]  # fmt: skip
