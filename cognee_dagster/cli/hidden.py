"""What a command is given and shows nowhere: what is secret in the addresses of stores."""

import json
from urllib.parse import unquote

import click

from cognee_dagster.system.urls import hidden_parts


def hide_parts_of(address: str) -> None:
    """From now on nothing that the command says has what is secret in this address, whoever repeats it."""
    if (context := click.get_current_context(silent=True)) is None:
        return
    hidden = context.meta.setdefault(__name__, {})
    for part, shown in hidden_parts(address).items():
        for spelled in (part, unquote(part), json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]):
            hidden[spelled] = shown


def without_hidden(text: str) -> str:
    """The text as it may be shown."""
    context = click.get_current_context(silent=True)
    for part, shown in ({} if context is None else context.meta.get(__name__, {})).items():
        text = text.replace(part, shown)
    return text
