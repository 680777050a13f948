"""A form gives what the Liquid engine gives, to the byte, or leaves the work to the engine."""

from __future__ import annotations

import pytest
from django.utils.safestring import mark_safe
from hypothesis import given, settings
from hypothesis import strategies as st
from liquid import Environment, StrictUndefined
from liquid.exceptions import LiquidError

from campaigns.content.composing import PHRASES
from campaigns.content.liquid_engine import RenderError, fill
from campaigns.content.liquid_forms import LONGEST_COPY, make_form

#: The engine as it is, without our short cut; a limit as ours has it, because it changes how line ends are written.
_PLAIN = {is_html: type("Plain", (Environment,), {"output_stream_limit": 200_000})(
    autoescape=is_html, undefined=StrictUndefined) for is_html in (False, True)}  # fmt: skip

_words = st.text(alphabet="abc <&'\"{é雨\n\r\t .-", max_size=8)
_names = st.sampled_from(["first_name", "link_1", "missing"])
_quoted = st.text(alphabet="ab <&é雨-", max_size=4)
_outputs = st.one_of(
    _names.map("{{{{ {} }}}}".format),
    st.builds('{{{{ {} | default: "{}" }}}}'.format, _names, _quoted),
    _names.map("{{{{ {} | upcase }}}}".format),
    _names.map("{{{{- {} -}}}}".format),
    _quoted.map("{{{{ '{}' }}}}".format),
)
_leaves = st.one_of(_words.filter(lambda text: "{" not in text), _outputs)
_conditions = st.builds(
    "{} {} '{}'".format, _names, st.sampled_from(["!=", "==", "contains"]), st.sampled_from(["", "Kim", "<"])
)


def _choices(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(inner, max_size=4).map("".join),
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, _conditions, inner, inner),
        st.builds("{{% if {} %}}{}{{% elsif {} %}}{}{{% endif %}}".format, _conditions, inner, _conditions, inner),
        st.builds("{{% unless {} %}}{}{{% endunless %}}".format, _conditions, inner),
    )


_templates = st.recursive(_leaves, _choices, max_leaves=8)
_slots = st.fixed_dictionaries({"first_name": st.one_of(st.just(""), st.just("Kim"), _words), "link_1": _words})


def _fill_by_engine(template: str, slots: dict[str, str], *, is_html: bool) -> str | None:
    try:
        return str(_PLAIN[is_html].from_string(template).render(**slots))
    except LiquidError:
        return None


def _fill_by_ours(template: str, slots: dict[str, str], *, is_html: bool) -> str | None:
    try:
        return fill(template, slots, is_html=is_html)
    except RenderError:
        return None


@settings(max_examples=400, deadline=None)
@given(_templates, _slots, st.booleans())
def test_any_template_is_filled_as_the_engine_fills_it(template: str, slots: dict[str, str], is_html: bool) -> None:
    assert _fill_by_ours(template, slots, is_html=is_html) == _fill_by_engine(template, slots, is_html=is_html)


@pytest.mark.parametrize("language", PHRASES)
def test_what_we_write_ourselves_has_a_form(language: str) -> None:
    """Or a send would be several times slower, and nobody would know why."""
    template = PHRASES[language].greeting + "{{ favourite_category | default: \"our range\" }}{{ '{' }}{{ link_1 }}"
    assert make_form(_PLAIN[True].from_string(template).nodes) is not None


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ first_name | upcase }}", "Kim"),
        ("{{ first_name[0] }}", "Kim"),
        ("{{ first_name }}", "a\r\nb"),
        ("{{ first_name }}", mark_safe("<b>")),
        ("{{ first_name }}", "x" * (LONGEST_COPY + 1)),
        ("{% if first_name == 'Kim' %} {% endif %}", "Kim"),
        ("{{ nobody }}", "Kim"),
    ],
)
def test_what_is_unusual_is_left_to_the_engine(template: str, value: str) -> None:
    form = make_form(_PLAIN[True].from_string(template).nodes)
    assert form is None or form.fill({"first_name": value}, str) is None
