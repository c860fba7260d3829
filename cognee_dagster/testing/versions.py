"""What Cognee releases before 1.6.5 did differently, read in the published wheels of those releases."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Release:
    """The differences between releases that a client can see."""

    version: str
    number: tuple[int, ...]

    @classmethod
    def of(cls, version: str) -> "Release":
        return cls(version=version, number=tuple(int(part) for part in version.split(".")))

    @property
    def has_content_type(self) -> bool:
        """Before 1.1.0 ``remember`` ignored the field and took any upload for a plain file."""
        return self.number >= (1, 1, 0)

    @property
    def has_cogx(self) -> bool:
        return self.number >= (1, 2, 0)

    @property
    def keeps_source_ids(self) -> bool:
        """1.2.0 derived entity ids from names and had neither edge deduplication nor a social layer."""
        return self.number >= (1, 3, 0)

    @property
    def passes_errors_through(self) -> bool:
        """Before 1.4.2 a 403 or 415 inside an import came out as the generic 409."""
        return self.number >= (1, 4, 2)

    @property
    def has_filtered_run_feed(self) -> bool:
        """Before 1.5.4 the feed was the 50 newest rows, with ``dataset_id`` as its only filter and nine keys a row."""
        return self.number >= (1, 5, 4)

    @property
    def has_data_count(self) -> bool:
        return self.number >= (1, 6, 1)
