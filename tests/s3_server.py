"""A stand-in for S3 on loopback: a real S3 API, in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import fsspec
import pytest


@contextmanager
def s3_with(bucket: str) -> Iterator[Any]:
    """The file system with an empty bucket; its variables are this process's and its children's meanwhile."""
    moto = pytest.importorskip("moto.server", reason="needs the extra integration")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    address, port = server.get_host_and_port()
    access = {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "ENDPOINT_URL": f"http://{address}:{port}"}
    try:
        with pytest.MonkeyPatch.context() as patched:
            for name, value in {**access, "DEFAULT_REGION": "us-east-1"}.items():
                patched.setenv(f"AWS_{name}", value)
            fsspec.filesystem("s3").clear_instance_cache()
            files = fsspec.filesystem("s3")
            files.makedirs(bucket, exist_ok=True)
            yield files
    finally:
        server.stop()
