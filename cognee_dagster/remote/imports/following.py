"""Which cognify run followed an import, where only the server's rows are known, not how the push was made.

The rows do not name the mode, and nothing in them ties a hybrid push's runs together. They follow one another at once:
the import ends, the documents are added, and they are cognified.
"""

from collections.abc import Iterable
from datetime import timedelta

from cognee_dagster.remote.imports.run_times import RunTimes
from cognee_dagster.remote.imports.vocabulary import COGNIFY_PIPELINE, IMPORT_PIPELINE

# Between two runs of one push on a busy server. Whoever cognifies a dataset by hand comes later.
LONGEST_GAP = timedelta(minutes=1)


def cognify_has_followed(own: RunTimes, runs: Iterable[RunTimes]) -> bool:
    """Whether a cognify run of the dataset began right after an import, before anything else was imported.

    Args:
        own: The import.
        runs: The dataset's imports, adds and cognify runs, those of others among them.
    """
    if own.ended is None:
        return False
    moment = own.ended
    later = [(run.began, run) for run in runs if run.began is not None and run.began >= own.ended]
    for began, run in sorted(later, key=lambda item: item[0]):
        if run.pipeline == IMPORT_PIPELINE or began - moment > LONGEST_GAP:
            return False
        if run.pipeline == COGNIFY_PIPELINE:
            return True
        moment = max(moment, run.ended or began)
    return False
