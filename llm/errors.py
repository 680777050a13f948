"""What can go wrong between us and a model. Each says in words for staff what happened and what to do."""

from collections.abc import Callable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from llm.answers import Failure, FailureKind
from llm.configuration import ModelInfo, hide_secrets

Words = Mapping[str, object]


class ModelError(Exception):
    """A model call gave no usable answer.

    `str(error)` and `staff_message` are the sentence for whoever waits for the answer, in their language; `kept` is the same in
    English, for a row that others read. `is_retryable` says whether the same call may work
    later without anybody doing anything; `retry_after_s` how long it should wait at least, where that is known.
    `outcome` is what the ledger keeps (LlmCall.Outcome).
    """

    outcome = "error"
    #: False where nothing was sent for a reason that has nothing to do with this request: it does not count as a try.
    counts_as_try = True

    def __init__(
        self,
        message: str,
        words: Words | None = None,
        *,
        is_retryable: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        """`message` is in English (`gettext_noop`); `words` are put into it."""
        super().__init__(_(message) % words if words is not None else _(message))
        self.kept = message % words if words is not None else message
        self.is_retryable = is_retryable
        self.retry_after_s = retry_after_s

    @property
    def staff_message(self) -> str:
        """One or two sentences: what happened, what to do."""
        return str(self)


class NotConfigured(ModelError):
    """No model server is set up: the caller uses its template text and says so."""

    def __init__(self) -> None:
        super().__init__(
            gettext_noop("No language model is connected. Set LLM_BASE_URL and LLM_MODEL, or use the template text.")
        )


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


class ServerPaused(ModelError):
    """The circuit breaker is open: the server failed so often that it is left alone; nothing was sent."""

    outcome = "unreachable"
    counts_as_try = False

    def __init__(self, info: ModelInfo, retry_after_s: float) -> None:
        text = gettext_noop(
            "The model server at %(host)s failed several times in a row, so it is left alone for a while; nothing was "
            "sent. Try again in a few minutes. Settings, Language model, says why."
        )
        super().__init__(text, {"host": info.host}, is_retryable=True, retry_after_s=retry_after_s)


class ServerBusy(ModelError):
    """All places at the server were taken until the deadline; nothing was sent."""

    outcome = "rate_limited"
    counts_as_try = False

    def __init__(self, info: ModelInfo, places: int) -> None:
        text = gettext_noop(
            "All %(places)d places at the model server at %(host)s were taken; nothing was sent. Try again in a minute, "
            "or raise LLM_MAX_CONCURRENCY."
        )
        super().__init__(text, {"host": info.host, "places": places}, is_retryable=True)


class AnswerPending(ModelError):
    """A batch is still to bring the answer: the caller's row waits and asks again."""

    outcome = "waiting"
    counts_as_try = False

    def __init__(self, retry_after_s: float) -> None:
        text = gettext_noop("This waits for the provider's next batch, which may take up to a day.")
        super().__init__(text, is_retryable=True, retry_after_s=retry_after_s)


def describe_failure(failure: Failure, info: ModelInfo) -> ModelError:
    """The error that staff see for a failure, not yet raised."""
    build = _DESCRIPTIONS[failure.kind]
    detail = hide_secrets(failure.detail)
    return build(failure, {"label": info.label, "host": info.host, "detail": detail, "status": failure.status})


def _timed_out(failure: Failure, words: Words) -> ModelError:
    text = gettext_noop("%(label)s did not answer in time. Try again, or raise LLM_TIMEOUT_S for a slow model.")
    return ModelTimedOut(text, words, is_retryable=True, retry_after_s=failure.retry_after_s)


def _unreachable(failure: Failure, words: Words) -> ModelError:
    text = gettext_noop(
        "The model server at %(host)s cannot be reached (%(detail)s). Check that it runs, and LLM_BASE_URL."
    )
    return ModelUnreachable(text, words, is_retryable=True)


def _server_error(failure: Failure, words: Words) -> ModelError:
    text = gettext_noop("The model server at %(host)s failed with an error of its own: %(detail)s. Try again later.")
    return ModelUnreachable(text, words, is_retryable=True, retry_after_s=failure.retry_after_s)


def _broken_reply(failure: Failure, words: Words) -> ModelError:
    text = gettext_noop("The reply of the model server at %(host)s was damaged: %(detail)s. Try again.")
    return ModelAnswerInvalid(text, words, is_retryable=True)


def _rate_limited(failure: Failure, words: Words) -> ModelError:
    text = gettext_noop("The model server at %(host)s has too much to do at the moment. Try again in a minute.")
    return ModelRateLimited(text, words, is_retryable=True, retry_after_s=failure.retry_after_s)


def _no_credit(failure: Failure, words: Words) -> ModelError:
    text = gettext_noop("The account at %(host)s has no credit left: %(detail)s. Add credit there, then try again.")
    return ModelRateLimited(text, words)


def _rejected(failure: Failure, words: Words) -> ModelError:
    if failure.status == 200:
        text = gettext_noop(
            "%(host)s answers with a web page, not as a model server. LLM_BASE_URL usually ends in /v1."
        )
    elif failure.status in (401, 403):
        text = gettext_noop("The model server at %(host)s did not accept the key (%(status)s). Check LLM_API_KEY.")
    elif failure.status == 404:
        text = gettext_noop(
            "The model server at %(host)s knows no such model or address (404). Check LLM_MODEL and LLM_BASE_URL."
        )
    else:
        text = gettext_noop(
            "The model server at %(host)s rejected the request: %(detail)s. Check LLM_BASE_URL and LLM_MODEL."
        )
    return ModelRequestRejected(text, words)


def _refused(failure: Failure, words: Words) -> ModelError:
    text = gettext_noop("%(label)s declined to write this text. Change the brief, or write the text yourself.")
    return ModelRefused(text, words)


def _cut_off(failure: Failure, words: Words) -> ModelError:
    text = gettext_noop(
        "The answer of %(label)s was cut off at its length limit, so it is not used. Try again or shorten the brief."
    )
    return ModelAnswerCutOff(text, words)


def _bad_output(failure: Failure, words: Words) -> ModelError:
    text = gettext_noop(
        "%(label)s did not answer in the form that was asked for (%(detail)s). "
        "Try again, or connect a more capable model."
    )
    return ModelAnswerInvalid(text, words)


_DESCRIPTIONS: Mapping[FailureKind, Callable[[Failure, Words], ModelError]] = {
    FailureKind.TIMED_OUT: _timed_out,
    FailureKind.UNREACHABLE: _unreachable,
    FailureKind.SERVER_ERROR: _server_error,
    FailureKind.BROKEN_REPLY: _broken_reply,
    FailureKind.RATE_LIMITED: _rate_limited,
    FailureKind.NO_CREDIT: _no_credit,
    FailureKind.REJECTED: _rejected,
    FailureKind.REFUSED: _refused,
    FailureKind.CUT_OFF: _cut_off,
    FailureKind.BAD_OUTPUT: _bad_output,
}
