"""Fields of a resource that are kept out of Dagster's config, and are no resources, either."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg


class UnlistedFields:
    """A mixin for resources whose fields of the kind ``ResourceDependency`` hold values, such as a key.

    Dagster takes such a field for another resource, and would list it on the resource's page as one that it needs.
    """

    @property
    def nested_resources(self) -> Mapping[str, Any]:
        """None, for whoever looks at the definition; a run finds the values in the fields themselves."""
        return {}

    @contextmanager
    def process_config_and_initialize_cm(self) -> Iterator[Any]:
        """The resource as a run gets it; Dagster's own way there takes the values from ``nested_resources``."""
        with dg.build_resources({"resource": self}) as resources:
            yield resources.resource
