"""The lines of typed records, with their fields in the order in which they are written.

A field that is UNSET is not written; the others are what pydantic writes for every record of the kind. Cognee's export
sets no other field but the timestamps; archives of others may.
"""

import msgspec
from msgspec import UNSET, Raw, UnsetType


class EntityLine(msgspec.Struct, gc=False, tag_field="kind", tag="entity"):
    """A line of ``entities.jsonl``, but for its timestamps."""

    external_id: str
    name: str
    description: str | UnsetType = UNSET
    entity_type: str | UnsetType = UNSET
    external_system: str = "cognee"
    scope: Raw = Raw(b"{}")
    metadata: Raw = Raw(b"{}")
    aliases: Raw = Raw(b"[]")
    attributes: Raw = Raw(b"{}")


class DocumentLine(msgspec.Struct, gc=False, tag_field="kind", tag="document"):
    """A line of ``documents.jsonl``."""

    external_id: str
    content: Raw
    title: str | UnsetType = UNSET
    mime_type: str | UnsetType = UNSET
    created_at: Raw | UnsetType = UNSET
    external_system: str = "cognee"
    scope: Raw = Raw(b"{}")
    metadata: Raw = Raw(b"{}")


class FactLine(msgspec.Struct, gc=False, tag_field="kind", tag="fact"):
    """A line of ``facts.jsonl``."""

    external_id: str
    subject_ref: str
    predicate: str
    object_ref: str
    fact_text: str | UnsetType = UNSET
    valid_at: Raw | UnsetType = UNSET
    invalid_at: Raw | UnsetType = UNSET
    confidence: Raw | UnsetType = UNSET
    external_system: str = "cognee"
    scope: Raw = Raw(b"{}")
    metadata: Raw = Raw(b"{}")
    provenance: Raw = Raw(b"[]")


encode_line = msgspec.json.Encoder().encode
