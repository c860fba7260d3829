"""``cognee-dagster probe``."""

import click

from cognee_dagster import remote
from cognee_dagster.cli.exit_codes import ExitCode
from cognee_dagster.cli.options import TEXT, json_option, remote_connection, remote_dataset_id, remote_options
from cognee_dagster.cli.terminal import log_to_stderr, print_json, say
from cognee_dagster.errors import DatasetDefinitionError
from cognee_dagster.pushing.probes.asking import judged
from cognee_dagster.pushing.probes.probe import MAX_TOP_K, Probe
from cognee_dagster.remote.search_types import SEARCH_TYPES


@click.command(short_help="Say whether the remote DATASET has an answer.")
@click.argument("dataset", type=TEXT)
@click.argument("question", type=TEXT)
@click.option("--contains", type=TEXT, required=True, metavar="TEXT", help="What must be found, in any case.")
@click.option("--search-type", type=click.Choice(SEARCH_TYPES), default=SEARCH_TYPES[0], show_default=True)
@click.option(
    "--top-k", type=click.IntRange(1, MAX_TOP_K), default=Probe.top_k, show_default=True, help="How much is found."
)
@remote_options
@json_option
def probe(
    *,
    dataset: str,
    question: str,
    contains: str,
    search_type: str,
    top_k: int,
    url: str | None,
    api_key: str | None,
    as_json: bool,
) -> None:
    """Say whether the remote DATASET, a name or a UUID, has an answer to QUESTION: whether what a search for it finds
    holds TEXT. No language model is asked.

    Exits with 0 where it does, and with 11 where it does not.

    With --json: answered, dataset_id, question, search_type, must_contain, found.
    """
    try:
        asked = Probe(question, contains=contains, search_type=search_type, top_k=top_k)  # type: ignore[arg-type]
    except DatasetDefinitionError as error:
        raise click.UsageError(str(error)) from None
    with log_to_stderr(reminders=not as_json), remote.CogneeClient(remote_connection(url, api_key)) as client:
        dataset_id = remote_dataset_id(client, dataset)
        text = client.search(dataset_id, asked.question, search_type=asked.search_type, top_k=asked.top_k)
        answer = judged(asked, text, secret=client.connection.api_key.get_secret_value())
    if as_json:
        print_json(
            {
                "answered": answer.is_found,
                "dataset_id": dataset_id,
                "question": question,
                "search_type": search_type,
                "must_contain": contains,
                "found": answer.found,
            }
        )
    elif answer.is_found:
        say(f"found: {answer.found}")
    else:
        say(answer.reason)
    if not answer.is_found:
        raise click.exceptions.Exit(ExitCode.NO_ANSWER)
