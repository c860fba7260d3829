"""What messages and metadata call the places that a remote's URL and key come from."""

from typing import NamedTuple

FROM_ARGUMENTS = "arguments"
FROM_SERVE = "cognee.serve()"
FROM_ENVIRONMENT = "environment"
FROM_SAVED_CREDENTIALS = "saved credentials"
KEY_FROM_ARGUMENTS = "the argument api_key or --api-key"


class Called(NamedTuple):
    """What messages call an explicit URL and an explicit key."""

    url: str = FROM_ARGUMENTS
    api_key: str = KEY_FROM_ARGUMENTS


AS_ARGUMENTS = Called()
