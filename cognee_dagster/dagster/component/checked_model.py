"""The model that a component's ``defs.yaml`` is checked with, which says what would be right."""

from functools import cache
from typing import Any

import pydantic

from cognee_dagster.dagster.component.clear_schema import clear_schema


class _ClearSchema(pydantic.BaseModel):
    """A model whose JSON schema, which is all that ``dg check yaml`` knows of it, makes clearer messages."""

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return clear_schema(super().model_json_schema(*args, **kwargs))


@cache
def checked_model(model: type[pydantic.BaseModel]) -> type[pydantic.BaseModel]:
    """The model as a ``defs.yaml`` is checked with it."""
    return pydantic.create_model(model.__name__, __base__=(_ClearSchema, model), __module__=model.__module__)
