"""Reads Parquet in batches of bounded size, with every column in one of the few types that the checks know.

A Parquet file of a megabyte can unfold to any number of gigabytes: a long text that stands once in the file may be the value of
every row. So texts are read as numbers into a list of texts, and only so many rows are unfolded at once as are small together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from django.utils.translation import gettext as _

from .damage import mark_text
from .schema import FileProblem

ROWS: Final = 40_000
#: What a batch may unfold to, in bytes; a row that is larger alone is no row of a table.
MOST_BYTES: Final = 32 << 20
#: One column of one row group, unpacked. Usual files have some ten MB there.
MOST_COLUMN_BYTES: Final = 512 << 20
#: Values of one nested column in one row group: those of one row may be all of them.
MOST_NESTED_VALUES: Final = 20_000_000
#: From the year 1 to the end of 9999, in seconds since 1970: what Python and PostgreSQL both can say.
_FIRST_S, _LAST_S = -62_135_596_800, 253_402_300_799
_PER_SECOND: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY_S: Final = 86_400
#: Stands for a nested value that cannot be read, and is no letter itself.
_NO_LETTERS: Final = b"\xff"


def read_header(path: Path) -> tuple[str, ...]:
    """The names of the columns. Raises FileProblem for a file that has no rows, or unpacks to far more than a table would."""
    with pyarrow.parquet.ParquetFile(path) as file:
        metadata = file.metadata
        if not metadata.num_rows:
            raise FileProblem(_("The file has columns, but no rows."))
        is_nested = [file.schema.column(place).max_repetition_level > 0 for place in range(metadata.num_columns)]
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            for chunk, may_repeat in zip(map(group.column, range(group.num_columns)), is_nested, strict=True):
                _check_chunk(chunk, may_repeat=may_repeat)
        return tuple(str(name) for name in file.schema_arrow.names)


def _check_chunk(chunk: Any, *, may_repeat: bool) -> None:
    if chunk.total_uncompressed_size > MOST_COLUMN_BYTES or (may_repeat and chunk.num_values > MOST_NESTED_VALUES):
        raise FileProblem(
            _(
                "The column “%(name)s” unpacks to far more than a table holds. Leave it out, or write smaller row groups."
            )
            % {"name": chunk.path_in_schema[:60]}
        )


def count_rows(path: Path) -> int:
    with pyarrow.parquet.ParquetFile(path) as file:
        return int(file.metadata.num_rows)


def read_frames(path: Path, only: Sequence[int] | None) -> Iterator[tuple[pl.DataFrame, float, bool]]:
    """Rows with the columns c0, c1, … in the order of the header, the share of the file that is read by then, 0 to 1, and
    whether some of their bytes are no letters, for which `damage.MARK` stands."""
    with pyarrow.parquet.ParquetFile(path, memory_map=True) as plain:
        names, rows = plain.schema_arrow.names, plain.metadata.num_rows
        leaves = [plain.schema.column(place) for place in range(len(plain.schema))]
    texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
    places = list(range(len(names))) if only is None else sorted(only)
    wanted = [names[place] for place in places] if only is not None and len({*names}) == len(names) else None
    with pyarrow.parquet.ParquetFile(path, memory_map=True, read_dictionary=texts) as file:
        done = 0
        for batch in file.iter_batches(ROWS, columns=wanted):
            for part in _split(batch):
                done += part.num_rows
                # By name where some are read: a column `a.b` comes along with the field `b` of a column `a`.
                arrays = {f"c{p}": _plain(part.column(names[p] if wanted else p)) for p in places}
                broken = [name for name, array in arrays.items() if not _is_whole(array)]
                arrays |= {name: _mark(arrays[name]) for name in broken}
                frame = pl.DataFrame({name: pl.from_arrow(array) for name, array in arrays.items()})
                yield frame, min(1.0, done / rows), bool(broken)


def _is_whole(column: pa.Array) -> bool:
    """Whether a text is UTF-8 in all of its rows, which nobody who wrote the file needs to have looked at."""
    if not pa.types.is_string(column.type):
        return True
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _mark(column: pa.Array) -> pa.Array:
    values = column.view(pa.binary()).to_pylist()
    return pa.array([None if value is None else mark_text(value) for value in values], pa.string())


def _split(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The batch, in as many parts as make each small enough."""
    size = sum(_unfolded_bytes(column) for column in batch.columns)
    if size <= MOST_BYTES:
        yield batch
        return
    if batch.num_rows == 1:
        raise FileProblem(_("One row of the file is longer than %(size)d MB.") % {"size": MOST_BYTES >> 20})
    half = batch.num_rows // 2
    yield from _split(batch.slice(0, half))
    yield from _split(batch.slice(half))


def _unfolded_bytes(column: pa.Array) -> int:
    kind = column.type
    if pa.types.is_dictionary(kind):
        if pa.types.is_integer(kind.value_type) or pa.types.is_floating(kind.value_type):
            return int(column.nbytes)
        lengths = pc.binary_length(column.dictionary.cast(pa.large_binary())).take(column.indices)
        return int(pc.sum(lengths).as_py() or 0)
    if pa.types.is_map(kind):
        return _unfolded_bytes(column.keys) + _unfolded_bytes(column.items)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _unfolded_bytes(column.flatten())
    if pa.types.is_struct(kind):
        return sum(_unfolded_bytes(field) for field in column.flatten())
    return int(column.nbytes)


def _plain(column: pa.Array) -> pa.Array:
    """Text, whole numbers, floats, decimals of 38 digits, days and moments stay what they are; all others become text, null
    where there can be none. The bytes of a text may be no letters."""
    kind = column.type
    if isinstance(column, pa.ExtensionArray):
        return _plain(column.storage)
    if pa.types.is_dictionary(kind):
        return _plain(column.dictionary_decode())
    if pa.types.is_nested(kind):
        return pa.array([_to_json(value) for value in column], pa.binary()).view(pa.string())
    if pa.types.is_date(kind):
        return _within_calendar(column, 1 / _DAY_S if pa.types.is_date32(kind) else 1_000).cast(pa.date32())
    if pa.types.is_timestamp(kind):
        zone = "UTC" if kind.tz else None  # a moment is the same in every zone, and not every name of one is known here
        known = _within_calendar(column, _PER_SECOND[kind.unit]).cast(pa.timestamp(kind.unit, zone))
        return known.cast(pa.timestamp("us", zone), safe=False)
    if pa.types.is_fixed_size_binary(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array([_to_text(value, kind) for value in column.to_pylist()], pa.binary()).view(pa.string())
    if pa.types.is_decimal(kind):
        return column.cast(pa.string()) if pa.types.is_decimal256(kind) else column.cast(pa.decimal128(38, kind.scale))
    if pa.types.is_float16(kind):
        return column.cast(pa.float32())
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return column
    if pa.types.is_duration(kind) or pa.types.is_interval(kind) or pa.types.is_null(kind):
        return pa.nulls(len(column), pa.string())
    return column.cast(pa.string())


def _within_calendar(column: pa.Array, per_second: float) -> pa.Array:
    """Moments outside the years 1 to 9999 become null."""
    numbers = column.cast(pa.int32() if pa.types.is_date32(column.type) else pa.int64()).cast(pa.int64())
    first, last = int(_FIRST_S * per_second), int(_LAST_S * per_second)
    least, most = -(2**63), 2**63 - 1
    fits = pc.and_(pc.greater_equal(numbers, max(first, least)), pc.less_equal(numbers, min(last, most)))
    return pc.if_else(fits, column, pa.scalar(None, column.type))


def _to_json(value: Any) -> bytes | None:
    try:
        told = value.as_py(maps_as_pydicts="lossy")
    except UnicodeDecodeError:
        return _NO_LETTERS
    return None if told is None else json.dumps(told, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass")


def _to_text(value: bytes | None, kind: pa.DataType) -> bytes | None:
    """Bytes as the text that they are taken for; sixteen of them always are a UUID."""
    if value is not None and pa.types.is_fixed_size_binary(kind) and kind.byte_width == 16:
        return value.hex().encode()
    return value
