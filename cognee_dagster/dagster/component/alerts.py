"""The alerts of a ``CogneeComponent``: whom a failure is told, as a ``defs.yaml`` says it."""

import html
import pydoc
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import dagster as dg
import pydantic

from cognee_dagster.dagster.dataset import CogneeDataset
from cognee_dagster.dagster.event_log.push_failure import PushFailure
from cognee_dagster.dagster.sensors.alert_sensor import build_alert_sensor
from cognee_dagster.errors import DatasetDefinitionError

_SECONDS = 10


def _function(_: dg.ResolutionContext, given: Any) -> Any:
    """The function that a name means; what a template gave is one already."""
    if not isinstance(given, str):
        return given
    try:
        found = pydoc.locate(given)
    except pydoc.ErrorDuringImport as error:
        raise DatasetDefinitionError(f"alerts: on_failure={given!r} cannot be imported: {error.value}.") from None
    if not callable(found):
        raise DatasetDefinitionError(
            f"alerts: on_failure={given!r} is no function that can be imported. Write its whole name, such as "
            "my_project.alerts.send_mail."
        )
    return found


class Alerts(dg.Model, dg.Resolvable):
    """Who is told when a graph did not arrive."""

    model_config = pydantic.ConfigDict(hide_input_in_errors=True)  # one of them is a secret

    on_failure: Annotated[
        Callable[[PushFailure], Any] | None,
        dg.Resolver(
            _function,
            model_field_type=str,
            description="A function of yours, called with each PushFailure, such as my_project.alerts.send_mail.",
        ),
    ] = None
    slack_webhook_url: Annotated[
        str | None, dg.Resolver.default(description="Or an incoming webhook of Slack, which gets its text.")
    ] = pydantic.Field(default=None, repr=False, json_schema_extra={"ui:widget": "secret"})
    webserver_base_url: Annotated[str, dg.Resolver.default(description="The address of Dagster's UI, for links.")] = ""
    minimum_interval_seconds: Annotated[int, dg.Resolver.default(description="Time between two looks.")] = 30
    look_back_seconds: Annotated[
        float, dg.Resolver.default(description="How old a failure may be that the first look tells.")
    ] = 3_600.0

    @pydantic.model_validator(mode="after")
    def _somebody_is_told(self) -> "Alerts":
        if (self.on_failure is None) == (not self.slack_webhook_url):
            raise ValueError("alerts need either on_failure or slack_webhook_url")
        return self

    def sensor(self, datasets: Iterable[CogneeDataset], *, name: str) -> dg.SensorDefinition:
        """The sensor that tells of these datasets' failures."""
        return build_alert_sensor(
            datasets,
            on_failure=self.on_failure or self._post_to_slack,
            name=name,
            minimum_interval_seconds=self.minimum_interval_seconds,
            look_back_seconds=self.look_back_seconds,
            webserver_base_url=self.webserver_base_url,
        )

    def _post_to_slack(self, failure: PushFailure) -> None:
        import httpx  # takes longer to import than all of this, and only a failure needs it

        text = html.escape(failure.text, quote=False)  # what Slack would read as its own markup
        httpx.post(str(self.slack_webhook_url), json={"text": text}, timeout=_SECONDS).raise_for_status()
