"""Asking a remote dataset its probes, and what is said of the answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cognee_dagster.errors import RemoteAuthError, RemoteError, RemoteUnreachableError
from cognee_dagster.pushing.probes.probe import Probe
from cognee_dagster.remote.wording import MAX_WORDS, quoted, safe
from cognee_dagster.tracing import host_of, span

if TYPE_CHECKING:  # a code location loads this module, and should not wait for HTTP
    from cognee_dagster.remote.client import CogneeClient

_SHORT = 120  # characters of what was found instead, in a sentence


@dataclass(frozen=True, kw_only=True)
class ProbeAnswer:
    """What a remote dataset has for a probe. What it says of that is printable, and without the key.

    Attributes:
        probe: The probe.
        is_found: Whether what must be found was; None: the remote could not be asked.
        found: The place where it was found, or else the beginning of what was found instead; empty for nothing.
        reason: What is wrong, as a sentence; empty where nothing is.
    """

    probe: Probe
    is_found: bool | None
    found: str = ""
    reason: str = ""


def ask_probes(client: "CogneeClient", probes: Sequence[Probe], *, target_dataset: str) -> list[ProbeAnswer]:
    """What a remote dataset has for each probe.

    Args:
        client: The remote.
        probes: What to ask.
        target_dataset: The remote dataset's name.
    """
    if not probes:
        return []
    with span("probe", target_dataset=target_dataset, remote_host=host_of(client.connection.url)):
        try:
            dataset = client.find_dataset(target_dataset)
        except RemoteError as error:
            return [ProbeAnswer(probe=probe, is_found=None, reason=str(error)) for probe in probes]
        if dataset is None:
            reason = f"{client.connection.url} has no dataset {target_dataset!r}. Push it."
            return [ProbeAnswer(probe=probe, is_found=False, reason=reason) for probe in probes]
        return ask_dataset(client, probes, dataset_id=dataset.id)


def ask_dataset(client: "CogneeClient", probes: Sequence[Probe], *, dataset_id: str) -> list[ProbeAnswer]:
    """The same of a dataset that is there; a remote that gives no answer to one probe is not asked the others."""
    answers: list[ProbeAnswer] = []
    silent: RemoteError | None = None
    for probe in probes:
        if silent is None:
            try:
                found = client.search(dataset_id, probe.question, search_type=probe.search_type, top_k=probe.top_k)
            except RemoteError as error:
                silent = error if isinstance(error, RemoteUnreachableError | RemoteAuthError) else None
                answers.append(ProbeAnswer(probe=probe, is_found=None, reason=str(error)))
            else:
                answers.append(judged(probe, found, secret=client.connection.api_key.get_secret_value()))
        else:
            answers.append(ProbeAnswer(probe=probe, is_found=None, reason=str(silent)))
    return answers


def judged(probe: Probe, found: str, *, secret: str = "") -> ProbeAnswer:
    """What was found, held against what must be.

    Args:
        probe: The probe.
        found: What the remote has found.
        secret: The API key, to blank it out where a server echoes it.
    """
    excerpt = probe.excerpt(found)
    shown = safe(found[: 2 * MAX_WORDS] if excerpt is None else excerpt, secret=secret)
    if excerpt is not None:
        return ProbeAnswer(probe=probe, is_found=True, found=shown)
    instead = f"but {quoted(shown[:_SHORT])}" if shown else "nor anything else"
    reason = f"{quoted(probe.question)} does not find {quoted(probe.contains)}, {instead} ({probe.search_type})."
    return ProbeAnswer(probe=probe, is_found=False, found=shown, reason=reason)
