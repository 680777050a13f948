"""What can go wrong between us and a model. Each says in words for staff what happened and what to do."""

from collections.abc import Mapping

from django.utils.translation import gettext as _


class ModelError(Exception):
    """A model call gave no usable answer.

    `str(error)` and `staff_message` are the sentence for staff. `is_retryable` says whether the same call may work
    later without anybody doing anything; `retry_after_s` is the server's own wish, where it said one. `outcome` is
    what the ledger keeps (LlmCall.Outcome).
    """

    outcome = "error"

    def __init__(self, message: str, *, is_retryable: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.is_retryable = is_retryable
        self.retry_after_s = retry_after_s

    @property
    def staff_message(self) -> str:
        """One or two sentences: what happened, what to do."""
        return str(self)


class NotConfigured(ModelError):
    """No model server is set up: the caller uses its template text and says so."""

    def __init__(self) -> None:
        super().__init__(_("No language model is connected. Set LLM_BASE_URL and LLM_MODEL, or use the template text."))


class ModelTimedOut(ModelError):
    """The total deadline passed before the whole answer had arrived."""

    outcome = "timed_out"


class ModelUnreachable(ModelError):
    """No connection, a connection that broke, or a server that answered with a failure of its own (5xx)."""

    outcome = "unreachable"


class ModelRateLimited(ModelError):
    """The server refused for now (429), or for lack of credit (then not retryable)."""

    outcome = "rate_limited"


class ModelRequestRejected(ModelError):
    """The server understood and said no: wrong key, unknown model, redirect, too long an input."""

    outcome = "error"


class ModelRefused(ModelError):
    """The model, or its provider's filter, declined to write this."""

    outcome = "refused"


class ModelAnswerInvalid(ModelError):
    """Answers came, but none that fits the schema, not even after one repair."""

    outcome = "bad_output"


class ModelAnswerCutOff(ModelAnswerInvalid):
    """The answer did not end within the prompt's max_tokens."""

    outcome = "cut_off"


class BudgetExceeded(ModelError):
    """The call would go over a cap; nothing was sent."""

    outcome = "over_budget"


ERRORS_BY_OUTCOME: Mapping[str, type[ModelError]] = {
    kind.outcome: kind
    for kind in (ModelTimedOut, ModelUnreachable, ModelRateLimited, ModelRefused, ModelAnswerInvalid, BudgetExceeded)
}
