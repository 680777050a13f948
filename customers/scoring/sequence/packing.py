"""Arrays of numbers as JSON and back. Nothing in it can be run, unlike what torch.save writes, which is a pickle."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

_KINDS = {"float32": "<f4", "float64": "<f8"}


def pack_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, Any]:
    """Each as its kind, shape and base64 of the numbers; the same numbers give the same text."""
    return {
        name: {
            "kind": str(array.dtype),
            "shape": list(array.shape),
            "data": base64.b64encode(array.astype(_KINDS[str(array.dtype)]).tobytes()).decode("ascii"),
        }
        for name, array in arrays.items()
    }


def unpack_arrays(stored: Mapping[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """The arrays again; raises ValueError where text and shape do not fit or the kind is not one of ours."""
    found = {}
    for name, each in stored.items():
        if each["kind"] not in _KINDS:
            raise ValueError(f"{name} holds {each['kind']!r}, which no model of ours does")
        flat = np.frombuffer(base64.b64decode(each["data"]), dtype=_KINDS[each["kind"]])
        found[name] = flat.reshape(each["shape"]).astype(each["kind"])
    return found
