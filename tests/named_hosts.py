"""Names that lead to a server on loopback: what ``https://cognee.example.com`` is in an example that a test runs."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit

import trustme


@contextmanager
def named_hosts(domain: str, *, url: str, directory: Path) -> Iterator[dict[str, str]]:
    """The variables under which HTTPS requests to all of ``domain`` reach one server: a proxy, and whom to trust."""
    authority = trustme.CA()
    bundle = directory / "authorities.pem"
    authority.cert_pem.write_to_path(str(bundle))
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(f"*.{domain}").configure_cert(trust)
    target = urlsplit(url)
    server = _Proxy(domain, trust=trust, target=(str(target.hostname), int(target.port or 80)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield {"HTTPS_PROXY": f"http://127.0.0.1:{server.server_address[1]}", "SSL_CERT_FILE": str(bundle)}
    finally:
        server.shutdown()
        server.server_close()


class _Proxy(ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, domain: str, *, trust: ssl.SSLContext, target: tuple[str, int]) -> None:
        self.domain, self.trust, self.target = domain, trust, target
        super().__init__(("127.0.0.1", 0), _Tunnel)


class _Tunnel(StreamRequestHandler):
    """One connection: the proxy's ``CONNECT``, then TLS, then bytes both ways."""

    server: _Proxy
    rbufsize = 0  # what follows the request's head belongs to TLS

    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.rfile.read(1) or b"\r\n\r\n"
        known = f".{self.server.domain}:".encode() in head.partition(b"\r\n")[0]
        self.wfile.write(b"HTTP/1.1 %s\r\n\r\n" % (b"200 OK" if known else b"502 Unknown host"))
        if not known:
            return
        with (
            suppress(OSError),
            self.server.trust.wrap_socket(self.connection, server_side=True) as client,
            socket.create_connection(self.server.target) as target,
        ):
            back = threading.Thread(target=_pass_on, args=(target, client), daemon=True)
            back.start()
            _pass_on(client, target)
            back.join()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(1 << 16):
            sink.sendall(block)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
