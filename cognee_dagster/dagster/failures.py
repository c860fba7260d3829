"""What an error looks like in Dagster: the failure of a step, and whether another attempt may get past it."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from cognee_dagster.dagster.keys import ERROR, REASON
from cognee_dagster.errors import CogneeDagsterError, RemoteError, StoreBusyError

# Together with the waits of ``PUSH_RETRY_POLICY``, three attempts that each give up by then are over within 90 s.
DOWN_FOR_GOOD = 15.0  # seconds

_STAYS = (ImportError, TypeError, ValueError, LookupError, AttributeError, NotImplementedError)


def failure_of(error: Exception, *, allow_retries: bool, known: Mapping[str, Any] | None = None) -> dg.Failure:
    """The failure that says what an error says.

    Args:
        error: What was raised.
        allow_retries: Whether the step's retry policy may have it tried again.
        known: More metadata: what the step has come to know until then.
    """
    reason = str(error) if isinstance(error, CogneeDagsterError) else f"{type(error).__name__}: {error}"
    return dg.Failure(
        description=reason,
        metadata={**(known or {}), REASON: reason, ERROR: type(error).__name__},
        allow_retries=allow_retries,
    )


def is_retryable(error: Exception) -> bool:
    """Whether the same step may succeed later.

    It may where the remote refused for some seconds, as one that restarts, or was busy, or the graph was being written;
    a remote that was down for longer has been tried for long enough. Of errors that others raise, a package that is
    missing and a value that makes no sense stay; anything else may be a disk's or a network's.
    """
    if isinstance(error, CogneeDagsterError):
        return isinstance(error, StoreBusyError) or (
            isinstance(error, RemoteError) and error.retryable and error.down_for <= DOWN_FOR_GOOD
        )
    return not isinstance(error, _STAYS)


class StepTerminatedError(dg.DagsterError, dg.DagsterExecutionInterruptedError):
    """The run was terminated: its step is not tried again.

    Dagster 1.13 applies a step's retry policy to an interrupt, too. An executor that runs steps in the run's process
    would so begin the step anew, and the run would go on. Only an error of Dagster's own passes by the policy.
    """
