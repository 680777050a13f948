"""Whether PyTorch is there. It is 200 MB and more, so it is an extra, and nothing here imports it before it is used."""

from __future__ import annotations

from importlib.util import find_spec


class TorchMissing(ValueError):
    """A sequence model was asked to work on a machine without PyTorch. A ValueError, as for any other artifact that
    cannot be read here."""

    def __init__(self) -> None:
        super().__init__("this model needs PyTorch, which is not installed here: pip install torch")


def is_torch_installed() -> bool:
    """True where PyTorch could be imported; it is not imported to find out."""
    return find_spec("torch") is not None


def require_torch() -> None:
    """Raises TorchMissing."""
    if not is_torch_installed():
        raise TorchMissing
