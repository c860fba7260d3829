"""The ids that Cognee makes of names (1.6.5, ``infrastructure/engine/models/DataPoint.py``, ``id_for``)."""

from uuid import NAMESPACE_OID, UUID, uuid5


def id_for(class_name: str, name: str) -> str:
    """The id of the node of that class (``Entity``, ``EntityType``) that is called ``name``."""
    return str(uuid5(NAMESPACE_OID, f"{class_name}:{name.lower().replace(' ', '_').replace(chr(39), '')}"))


def canonical_uuid(text: str) -> str | None:
    """A UUID in its one canonical spelling; None for what is none."""
    try:
        return str(UUID(text))
    except ValueError:
        return None
