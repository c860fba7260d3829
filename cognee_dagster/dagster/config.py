"""What can be said about a push when a run is launched."""

from functools import cache
from typing import Any, get_args

import dagster as dg
from pydantic import Field

from cognee_dagster.pushing.options import IMPORT_MODES, ImportMode, OnRemoved


class PushConfig(dg.Config):
    """The run config of ``remote_push``."""

    target_dataset: str | None = Field(
        default=None, description="Dataset name on the remote; empty: the local dataset's name."
    )
    mode: ImportMode = Field(
        default=IMPORT_MODES[0],
        description=(
            "preserve imports the graph as it is; hybrid also cognifies its texts; re-derive builds a graph of those."
        ),
    )
    run_in_background: bool = Field(
        default=False, description="Do not wait for the import; the import sensor reports remote_graph when it is done."
    )
    archive: str | None = Field(
        default=None,
        description=(
            "Send a stored archive exactly as it is: latest, or the beginning of its content digest; empty: send the "
            "archive that this run or the latest one has made."
        ),
    )
    promote_from: str | None = Field(
        default=None,
        description=(
            "Send the stored archive that another target of the dataset has confirmed last, exactly as it is; a mirror "
            "is brought to its state. An archive that is named goes before it."
        ),
    )
    full: bool = Field(
        default=False, description="Send everything and remove nothing, where the dataset would keep a mirror, too."
    )
    resend: bool = Field(
        default=False, description="To a mirror: send everything again under new names, whatever is known of it."
    )
    adopt: bool = Field(
        default=False,
        description=(
            "To a mirror: remove what full pushes and other mirrors have brought there and the graph does not have."
        ),
    )
    on_removed: str | None = Field(
        default=None,
        description=f"To a mirror, this once: {', '.join(get_args(OnRemoved))}; empty: what the dataset says.",
    )
    max_removed: float | None = Field(
        default=None,
        description=(
            "To a mirror, this once: the share of its nodes, edges or documents that may be removed, from 0 to 1; "
            "empty: what the dataset says."
        ),
    )
    dry_run: bool = Field(
        default=False,
        description="Send and materialize nothing: observe remote_push with what a push would send and remove.",
    )


@cache
def config_fields(target: str | None, its_mode: str, in_background: bool, promoted_from: str | None) -> dict[str, Any]:
    """``PushConfig`` with what the dataset says as defaults, so that the Launchpad shows them.

    Made once for all datasets that say the same: to make a model, and to derive its schema for a parameter ``config``,
    takes longer than everything else about the asset.
    """

    def described(name: str, default: Any) -> Any:
        return Field(default=default, description=PushConfig.model_fields[name].description)

    class RemotePushConfig(PushConfig):
        target_dataset: str | None = described("target_dataset", target)
        mode: ImportMode = described("mode", its_mode)
        run_in_background: bool = described("run_in_background", in_background)
        promote_from: str | None = described("promote_from", promoted_from)

    return RemotePushConfig.to_fields_dict()
