"""Uploads of any size come out of a multipart body as they went in."""

import io
from hashlib import sha256

import pytest

from cognee_dagster.testing.multipart import BLOCK, IncompleteBodyError, MalformedBodyError, parse, spool

TYPE = 'multipart/form-data; boundary="frontier"'


def body_of(content: bytes) -> bytes:
    return (
        b'--frontier\r\nContent-Disposition: form-data; name="datasetName"\r\n\r\nteam\r\n'
        b'--frontier\r\nContent-Disposition: form-data; name="data"; filename="a.tar.gz"\r\n'
        b"Content-Type: application/gzip\r\n\r\n" + content + b"\r\n--frontier--\r\n"
    )


HEAD = len(body_of(b"")) - len(b"\r\n--frontier--\r\n")


@pytest.mark.parametrize("size", [0, 1, *range(BLOCK - HEAD - 14, BLOCK - HEAD + 3), 2 * BLOCK - HEAD - 5, 3 * BLOCK])
def test_a_file_ends_where_its_boundary_begins_wherever_blocks_are_cut(size: int) -> None:
    content = (b"\r\n--frontie" + b"x" * size)[:size]
    body = body_of(content)

    form = parse(spool(io.BytesIO(body), length=len(body)), TYPE)

    (upload,) = form.uploads
    assert form.fields == {"datasetName": "team"}
    assert (upload.field, upload.filename, upload.size) == ("data", "a.tar.gz", size)
    assert upload.content.read() == content
    assert upload.sha256 == sha256(content).hexdigest()


def test_chunks_are_put_together() -> None:
    chunked = io.BytesIO(b"4\r\nabcd\r\n2;extension\r\nef\r\n0\r\n\r\n")

    assert spool(chunked, length=None).read() == b"abcdef"


@pytest.mark.parametrize(("sent", "length"), [(b"abc", 4), (b"4\r\nab", None), (b"4\r\nabcd\r\n", None), (b"", None)])
def test_a_body_that_ends_early_is_incomplete(sent: bytes, length: int | None) -> None:
    with pytest.raises(IncompleteBodyError):
        spool(io.BytesIO(sent), length=length)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(body_of(b"x"), "multipart/form-data"), (b"--frontier\r\nX: y\r\n\r\nz\r\n--frontier--\r\n", TYPE)],
)
def test_a_body_without_boundary_or_names_is_malformed(body: bytes, content_type: str) -> None:
    with pytest.raises(MalformedBodyError):
        parse(io.BytesIO(body), content_type)
