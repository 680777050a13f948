"""`manage measure`: files of all kinds, and what it says of those that are no experiment."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet
import pytest
from django.core.management import CommandError, call_command

SMALL = {"replicates": 20, "rounds": 1}


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    """Three arms: mail gains 6 points, call 0; with text, gaps, a constant and a name for each."""
    random = np.random.default_rng(11)
    n = 2400
    arm = random.choice(["none", "mail", "call"], n)
    before = random.gamma(2, 20, n)
    bought = random.random(n) < 0.2 + 0.004 * before + 0.06 * (arm == "mail")
    return pl.DataFrame({
        "arm": arm,
        "bought": bought.astype(int),
        "spent": np.where(bought, random.lognormal(3, 1, n) + before / 5, 0.0).round(2),
        "before": pl.Series(np.where(random.random(n) < 0.1, np.nan, before)).fill_nan(None),
        "channel": random.choice(["web", "shop", "app"], n),
        "same": ["x"] * n,
        "name": [f"customer {number}" for number in range(n)],
    })  # fmt: skip


def _measure(path: Path, **options: Any) -> dict[str, Any]:
    out = io.StringIO()
    wanted = {"arm": "arm", "control": "none", "outcome": "bought", "covariates": "before,channel,same,name"}
    call_command("measure", path, json=True, stdout=out, **(SMALL | wanted | options))
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


def test_a_csv_and_a_parquet_file_say_the_same(frame: pl.DataFrame, tmp_path: Path) -> None:
    frame.write_csv(tmp_path / "table.csv")
    frame.write_parquet(tmp_path / "table.parquet")
    text, typed = _measure(tmp_path / "table.csv"), _measure(tmp_path / "table.parquet")
    assert text == typed
    assert text["size"] == 2400 and set(text["arms"]) == {"none", "mail", "call"}
    assert text["covariates_left_out"] == {"same": "constant", "name": "name"}
    assert text["covariates"] == ["before", "before missing", "channel=app", "channel=shop", "channel=web"]
    for effect in text["effects"]:
        in_arm = frame.filter(pl.col("arm") == effect["arm"])["bought"]
        gap = in_arm.mean() - frame.filter(pl.col("arm") == "none")["bought"].mean()
        assert effect["ate"]["effect"] == pytest.approx(gap)
        assert effect["ate_cuped"]["error"] < effect["ate"]["error"]
        assert effect["p_holm"] >= effect["p_value"]
    assert set(text["uplift"]["mail"]) == {"response", "t_learner", "x_learner", "class_transformation"}
    assert text["policy"]["rule"]["kind"] in {"nobody", "everybody", "top_share", "best_arm"}


def test_texts_of_numbers_that_parquet_keeps_in_a_dictionary_are_numbers(frame: pl.DataFrame, tmp_path: Path) -> None:
    frame.write_csv(tmp_path / "table.csv")
    table = frame.with_columns(pl.col("bought", "before").cast(pl.String)).to_arrow()
    for name in ("bought", "before", "channel", "arm"):
        table = table.set_column(table.column_names.index(name), name, table[name].dictionary_encode())
    pyarrow.parquet.write_table(table, tmp_path / "table.parquet")
    assert _measure(tmp_path / "table.parquet", effects_only=True) == _measure(
        tmp_path / "table.csv", effects_only=True
    )


def test_money_is_winsorised_beside_what_it_is(frame: pl.DataFrame, tmp_path: Path) -> None:
    frame.write_parquet(tmp_path / "table.parquet")
    told = _measure(tmp_path / "table.parquet", outcome="spent", effects_only=True)
    assert told["winsorised"]["cap"] == pytest.approx(
        frame.filter(pl.col("spent") > 0)["spent"].quantile(0.99, "linear")
    )
    assert told["winsorised"]["effects"][0]["ate"]["error"] < told["effects"][0]["ate"]["error"]
    assert told["uplift"] is None and told["no_models"] == "not asked for"


def test_a_rule_is_tried_on_a_second_file(frame: pl.DataFrame, tmp_path: Path) -> None:
    frame[:1600].write_parquet(tmp_path / "first.parquet")
    frame[1600:].write_csv(tmp_path / "second.csv")
    told = _measure(tmp_path / "first.parquet", test=tmp_path / "second.csv", value=10, cost=0.1)
    assert told["test"]["size"] == 800
    assert sum(told["test"]["picked"].values()) == 800


def test_people_read_sentences(frame: pl.DataFrame, tmp_path: Path) -> None:
    frame.write_parquet(tmp_path / "table.parquet")
    out = io.StringIO()
    call_command(
        "measure", tmp_path / "table.parquet", arm="arm", control="none", outcome="spent", covariates="before",
        stdout=out, **SMALL,
    )  # fmt: skip
    said = out.getvalue()
    for words in ("2,400 people", "Sample ratio", "with CUPED", "Amounts cut at", "P(outcome | treated)", "Policy"):
        assert words in said


def test_rows_without_arm_or_outcome_are_left_out_and_counted(tmp_path: Path) -> None:
    lines = ["arm,bought"] + ["a,1", "b,0"] * 40 + [",1", "a,", "b,maybe"]
    (tmp_path / "table.csv").write_text("\n".join(lines))
    told = _measure(tmp_path / "table.csv", control="a", covariates="")
    assert told["size"] == 80
    assert told["left_out"] == {"no_arm": 1, "no_outcome": 2}
    assert told["no_models"] == "no covariate to learn from"


@pytest.mark.parametrize(
    ("lines", "options", "words"),
    [
        (["arm,bought", "a,1", "a,0"], {"control": "a"}, "one arm"),
        (["arm,bought", "a,1", "b,0"], {"control": "none"}, "No row has"),
        (["arm,bought", "a,yellow", "b,green"], {"control": "a"}, "no number"),
        (["arm,bought", "a,1", "b,0"], {"control": "a", "outcome": "revenue"}, "no column revenue"),
        (["arm,bought", "a,1", "b,0"], {"control": "a"}, "two people"),
        (["arm,bought", "a,1", "b,0", "a,1", "b,0", "c,1"], {"control": "a"}, "“c” has too few people"),
        (["arm,bought"], {"control": "a"}, "no rows"),
        (["arm;bought", *["a;12,5", "b;7"] * 20], {"control": "a"}, "no number: 12,5"),
        (["arm,bought", *(f"{number},1" for number in range(50))], {"control": "1"}, "50 different"),
        (["arm,bought", "a,1", "b,0"] * 20, {"control": "a", "covariates": "bought"}, "named twice"),
        (["arm,bought,bought", *["a,1,0", "b,0,1"] * 20], {"control": "a"}, "2 columns “bought”; rename one"),
    ],
)  # fmt: skip
def test_what_is_no_experiment_is_said_in_words(
    tmp_path: Path, lines: list[str], options: dict[str, str], words: str
) -> None:
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(CommandError, match=words):
        _measure(tmp_path / "table.csv", **({"covariates": ""} | options))


def test_a_tiny_file_is_too_few_people_to_say_anything(tmp_path: Path) -> None:
    lines = ["arm,bought,x"] + ["a,1,1", "b,0,2", "a,0,3", "b,1,4"] * 5
    (tmp_path / "table.csv").write_text("\n".join(lines))
    told = _measure(tmp_path / "table.csv", control="a", covariates="x")
    assert told["effects"][0]["verdict"] == "too_few"
    assert "fewer than 200" in told["no_models"]


@pytest.mark.parametrize("options", [{"winsorise": 2.0}, {"shares": "a,b"}, {"shares": "0.1"}, {"replicates": 1}])
def test_options_that_cannot_be_are_refused(frame: pl.DataFrame, tmp_path: Path, options: dict[str, Any]) -> None:
    frame.write_parquet(tmp_path / "table.parquet")
    with pytest.raises(CommandError):
        _measure(tmp_path / "table.parquet", effects_only=True, **options)


def test_an_amount_without_end_is_left_out_and_counted(frame: pl.DataFrame, tmp_path: Path) -> None:
    spent = frame["spent"].to_list()
    frame.with_columns(spent=pl.Series([float("inf"), -float("inf"), *spent[2:]])).write_parquet(tmp_path / "t.parquet")
    told = _measure(tmp_path / "t.parquet", outcome="spent", covariates="before", effects_only=True)
    assert told["left_out"] == {"no_outcome": 2}
    frame.tail(-2).write_parquet(tmp_path / "t.parquet")
    without = _measure(tmp_path / "t.parquet", outcome="spent", covariates="before", effects_only=True)
    assert told["effects"] == without["effects"]


def test_who_stands_in_a_file_twice_is_named_where_the_column_is(frame: pl.DataFrame, tmp_path: Path) -> None:
    pl.concat([frame, frame.head(2)]).write_csv(tmp_path / "t.csv")
    with pytest.raises(CommandError, match="2 customers have several rows, among them customer 0, customer 1"):
        _measure(tmp_path / "t.csv", customer="name", covariates="before", effects_only=True)
    frame.write_csv(tmp_path / "t.csv")
    assert _measure(tmp_path / "t.csv", customer="name", covariates="before", effects_only=True)["size"] == 2400


def test_columns_may_be_called_anything(frame: pl.DataFrame, tmp_path: Path) -> None:
    frame.rename({"channel": "count", "name": "len"}).write_csv(tmp_path / "t.csv")
    told = _measure(tmp_path / "t.csv", covariates="count", customer="len", effects_only=True)
    assert told["covariates"] == ["count=app", "count=shop", "count=web"]
    frame.rename({"name": "count"}).write_csv(tmp_path / "t.csv")
    assert _measure(tmp_path / "t.csv", covariates="", customer="count", effects_only=True)["size"] == 2400


def test_large_amounts_that_cannot_be_read_are_not_passed_over(tmp_path: Path) -> None:
    """Left out they would be missing from the very end that decides a mean."""
    lines = ["arm,spent"] + ["a,12.50", "b,7.00"] * 100 + ['b,"1,234.50"']
    (tmp_path / "t.csv").write_text("\n".join(lines))
    with pytest.raises(CommandError, match=r"such as “1,234\.50”"):
        _measure(tmp_path / "t.csv", control="a", outcome="spent", covariates="")


@pytest.mark.parametrize("absent", ["NA", "", "NULL", "n/a", " nan "])
def test_however_a_program_writes_that_there_is_nothing(frame: pl.DataFrame, tmp_path: Path, absent: str) -> None:
    """R writes NA; others write a blank text into Parquet."""
    holes = np.arange(frame.height) % 5 == 0
    frame = frame.with_columns(pl.col("bought", "before").cast(pl.String)).with_columns(
        pl.when(pl.Series(holes)).then(pl.lit(absent)).otherwise(pl.col("bought")).alias("bought"),
        pl.col("before").fill_null(absent),
    )
    frame.write_parquet(tmp_path / "t.parquet")
    told = _measure(tmp_path / "t.parquet", covariates="before", effects_only=True)
    assert told["left_out"] == {"no_outcome": int(holes.sum())}
    assert told["covariates"] == ["before", "before missing"]


def test_numbers_past_all_measure_are_no_numbers(frame: pl.DataFrame, tmp_path: Path) -> None:
    odd = frame.with_columns(
        spent=pl.Series([1e200, *frame["spent"].to_list()[1:]]),
        before=pl.Series([None, 1e39, *frame["before"].to_list()[2:]]),
    )
    odd.write_parquet(tmp_path / "t.parquet")
    told = _measure(tmp_path / "t.parquet", outcome="spent", covariates="before")
    assert told["left_out"] == {"no_outcome": 1} and told["size"] == 2399
    assert told["uplift"] is not None


def test_a_second_file_needs_all_arms_and_the_same_columns(frame: pl.DataFrame, tmp_path: Path) -> None:
    frame.write_parquet(tmp_path / "first.parquet")
    second = tmp_path / "second.parquet"
    frame.filter(pl.col("arm") != "none").write_parquet(second)
    with pytest.raises(CommandError, match="“none” has too few people"):
        _measure(tmp_path / "first.parquet", test=second, covariates="before")
    frame.with_columns(before=pl.lit("much")).write_parquet(second)
    with pytest.raises(CommandError, match="“before” is a number in the first file, and “much” in this one"):
        _measure(tmp_path / "first.parquet", test=second, covariates="before")


def test_a_covariate_that_says_the_outcome_finds_no_effect(frame: pl.DataFrame, tmp_path: Path) -> None:
    """What is left of the outcome is rounding, and rounding beside no error looked like an effect beyond doubt."""
    amounts = pl.Series(np.arange(frame.height) / 4)
    frame.with_columns(spent=amounts, before=amounts / 25).write_parquet(tmp_path / "t.parquet")
    told = _measure(tmp_path / "t.parquet", outcome="spent", covariates="before", effects_only=True)
    for effect in told["effects"]:
        assert not effect["is_adjusted"] and effect["ate_cuped"] == effect["ate"]
        assert effect["verdict"] == "no_effect"
