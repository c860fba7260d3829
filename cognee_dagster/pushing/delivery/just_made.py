"""A dataset that another request is just making: a server refuses its own owner (403) until he has his rights to it.

Cognee 1.6.5 stores a new dataset first, and gives its owner the rights to it after, one by one
(``modules/data/methods/create_authorized_dataset.py``): of two uploads that make it at the same moment it refuses one.
"""

import logging
import time
from datetime import datetime, timedelta, timezone

from cognee_dagster.errors import RemoteError, RemotePermissionError
from cognee_dagster.pushing.delivery.request import DeliveryRequest

_JUST_NOW = timedelta(minutes=1)
_RIGHTS_WITHIN_SECONDS = 5.0

logger = logging.getLogger(__name__)


class JustMade:
    """Whether a delivery that is refused may be tried once more.

    Args:
        request: The delivery, before anything is asked or sent.
    """

    def __init__(self, request: DeliveryRequest) -> None:
        self._request = request
        made_at = request.dataset.created_at
        now = datetime.now(timezone.utc) + request.client.clock_offset
        self._is = made_at is not None and now - made_at < _JUST_NOW

    def gets_rights(self, refused: RemotePermissionError) -> bool:
        """Whether the dataset was just made, and is the key's user's by now; waits for that a few seconds at most.

        Raises:
            PushInterruptedError: The caller wants no more.
        """
        if refused.status != 403 or not self._is:
            return False
        limit = time.monotonic() + _RIGHTS_WITHIN_SECONDS
        while not self._is_listed():
            if time.monotonic() > limit:
                return False
            self._request.pause()
        logger.info("%s was just being made by somebody else: once more", self._request.where)
        self._request.pause()  # the right to read, by which it is listed, comes before the right to write
        return True

    def _is_listed(self) -> bool:
        dataset = self._request.dataset
        try:
            return any(found.id == dataset.id for found in self._request.client.datasets())
        except RemoteError:
            return False
