"""What follows a failed upload, and what its error tells the user."""

import pytest

from cognee_dagster.errors import RemoteError, RemoteRejectedError, RemoteUnreachableError, UnexpectedAnswerError
from cognee_dagster.pushing.refusals import NextStep, after_failure, explain


@pytest.mark.parametrize("status", [400, 401, 403, 413, 415, 422])
@pytest.mark.parametrize("body_sent", [False, True])
def test_a_final_refusal_is_never_tried_again(status: int, body_sent: bool) -> None:
    error = RemoteRejectedError("no", status=status)
    assert after_failure(error, body_sent=body_sent, conflicts=0) is NextStep.GIVE_UP


@pytest.mark.parametrize("status", [None, 408, 425, 502, 504, 524, 525, 526, 530])
def test_an_answer_lost_after_the_body_is_looked_for_before_anything_is_uploaded_again(status: int | None) -> None:
    error = RemoteUnreachableError("gone", status=status, retryable=True)
    assert after_failure(error, body_sent=True, conflicts=0) is NextStep.LOOK_FOR_RUN
    assert after_failure(error, body_sent=False, conflicts=0) is NextStep.RETRY


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_says_it_took_nothing_is_looked_at_once(status: int) -> None:
    error = RemoteUnreachableError("not now", status=status, retryable=True)
    assert after_failure(error, body_sent=True, conflicts=0) is NextStep.LOOK_ONCE
    assert after_failure(error, body_sent=False, conflicts=0) is NextStep.RETRY


def test_a_conflict_is_tried_once_more_because_a_truncated_upload_looks_like_one() -> None:
    error = RemoteRejectedError("conflict", status=409)
    assert after_failure(error, body_sent=True, conflicts=0) is NextStep.RETRY
    assert after_failure(error, body_sent=True, conflicts=1) is NextStep.GIVE_UP


def test_a_garbled_success_is_looked_for_and_a_redirect_is_not() -> None:
    assert after_failure(UnexpectedAnswerError("?", status=200), body_sent=True, conflicts=0) is NextStep.LOOK_FOR_RUN
    assert after_failure(UnexpectedAnswerError("?", status=307), body_sent=True, conflicts=0) is NextStep.GIVE_UP


@pytest.mark.parametrize(
    ("mode", "status", "words"),
    [
        ("preserve", 415, "was not imported into 'docs'"),
        ("hybrid", 415, "has been imported into 'docs'"),
        ("hybrid", 422, "needs a working LLM on the remote"),
        ("re-derive", 415, "only the first dataset"),
        ("re-derive", 422, "needs a working LLM"),
    ],
)
def test_a_refusal_says_what_it_means_in_that_mode_and_what_is_there_already(
    mode: str, status: int, words: str
) -> None:
    error = RemoteRejectedError("The server said no.", status=status)
    told = explain(error, mode=mode, target="docs")
    assert isinstance(told, RemoteRejectedError)
    assert str(told).startswith("The server said no. ")
    assert words in str(told)
    assert told.status == status


def test_the_servers_own_words_come_last() -> None:
    error = RemoteRejectedError("https://a answers 415 when importing. The answer is: `its words`.", status=415)
    told = str(explain(error, mode="preserve", target="docs"))
    assert told.startswith("https://a answers 415 when importing. A document of this archive")
    assert told.endswith("push again. The answer is: `its words`.")


def test_an_error_that_speaks_for_itself_is_left_alone() -> None:
    error = RemoteError("The key is wrong.", status=401)
    assert explain(error, mode="hybrid", target="docs") is error
