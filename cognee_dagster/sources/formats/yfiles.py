"""What yEd draws of nodes and edges, inside GraphML's ``<data>``: their labels, and where they lie."""

from typing import Any

from cognee_dagster.sources.formats.xml import XmlEvent

_LABELS = {"NodeLabel", "EdgeLabel"}


class Graphics:
    """Collects what the graphics of one element say."""

    def __init__(self) -> None:
        self._labels: list[str] = []
        self._attributes: dict[str, Any] = {}
        self._label: list[str] | None = None

    def read(self, event: XmlEvent) -> None:
        if self._label is not None:
            self._label.append(event.text)
            if not event.starts and event.name in _LABELS:
                if text := "".join(self._label).strip():
                    self._labels.append(text)
                self._label = None
        elif event.starts and event.name in _LABELS:
            self._label = []
        elif event.starts and event.name == "Geometry":
            self._attributes |= {name: event.attributes[name] for name in ("x", "y") if name in event.attributes}
        elif event.starts and event.name == "Shape":
            self._attributes["shape_type"] = event.attributes.get("type", "")

    def attributes(self) -> dict[str, Any]:
        """The first label as ``label``, further ones as ``label_2`` and so on, and the drawing's ``x`` and ``y``."""
        names = ["label", *(f"label_{number}" for number in range(2, len(self._labels) + 1))]
        return {**dict(zip(names, self._labels, strict=False)), **self._attributes}
