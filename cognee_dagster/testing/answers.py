"""Answers in the words of a running Cognee 1.6.5 server."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AUTHENTICATION_REQUIRED = (
    "Authentication required (auth posture: explicit REQUIRE_AUTHENTICATION). For single-user local use, set "
    "ENABLE_BACKEND_ACCESS_CONTROL=false and restart. To keep authentication and log in instead, set "
    "DEFAULT_USER_PASSWORD to make the default account loginable — see docs/minimal-docker-compose.md."
)


@dataclass(frozen=True)
class Answer:
    """A status and a JSON body."""

    status: int
    body: Any


class AnswerError(Exception):
    """Ends a request with this answer."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(status, body)
        self.answer = Answer(status, dict(body))


class CogneeError(AnswerError):
    """An error with a class of Cognee's own; before 1.4.2 an import turned it into the generic 409."""

    @property
    def class_name(self) -> str:
        """That class, as rows of the feed name it."""
        return str(self.answer.body["detail"]).rpartition("[")[2].rstrip("]")


def unauthenticated() -> AnswerError:
    return AnswerError(401, {"detail": AUTHENTICATION_REQUIRED})


def denied(permission: str) -> CogneeError:
    return CogneeError(
        403,
        {
            "detail": f"Request owner does not have necessary permission: [{permission}] for all datasets requested. "
            "[PermissionDeniedError]"
        },
    )


def inaccessible(dataset_id: str) -> CogneeError:
    """What a deletion of data is answered that is not permitted."""
    return CogneeError(401, {"detail": f"Dataset {dataset_id} not accessible. [UnauthorizedDataAccessError]"})


def social_layer_refused() -> CogneeError:
    return CogneeError(
        403,
        {
            "detail": "Importing an archive that carries a social layer (permissions.json) requires a superuser: "
            "it restores user accounts and credentials. [PermissionDeniedError]"
        },
    )


def document_elsewhere(document_id: str, dataset_id: str) -> CogneeError:
    return CogneeError(
        415, {"detail": f"Data id {document_id} is not available in dataset {dataset_id}. [IngestionError]"}
    )


def cognify_failed(dataset_id: str) -> CogneeError:
    return CogneeError(
        422,
        {
            "detail": f"Cognify failed for dataset '[UUID('{dataset_id}')]': InternalServerError: "
            "litellm.InternalServerError: InternalServerError: OpenAIException - Connection error. "
            "| Pass raise_on_error=False to get the original exception instead. [CognifyFailedError]"
        },
    )


def invalid_archive() -> AnswerError:
    return AnswerError(400, {"error": "Invalid COGX archive."})


def import_failed() -> AnswerError:
    return AnswerError(409, {"error": "An error occurred during COGX archive import."})


def bad_request(detail: object, **more: object) -> AnswerError:
    return AnswerError(400, {"detail": detail, **more})


def not_a_uuid(location: list[str], value: str) -> AnswerError:
    reason = f"invalid character: found `{value[:1]}` at 0"
    return bad_request(
        [
            {
                "type": "uuid_parsing",
                "loc": location,
                "msg": f"Input should be a valid UUID, {reason}",
                "input": value,
                "ctx": {"error": reason},
            }
        ],
        body=None,
    )


def number_out_of_range(name: str, value: str, bound: tuple[str, int]) -> AnswerError:
    kind, limit = bound
    words = {"ge": ("greater_than_equal", "greater"), "le": ("less_than_equal", "less")}[kind]
    return bad_request(
        [
            {
                "type": words[0],
                "loc": ["query", name],
                "msg": f"Input should be {words[1]} than or equal to {limit}",
                "input": value,
                "ctx": {kind: limit},
            }
        ],
        body=None,
    )
