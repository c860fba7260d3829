"""Hanging up from another thread: a handle on the socket that a request goes over."""

import socket
import sys
import threading
from contextlib import suppress

import httpcore

# A proxy or firewall forgets a connection on which nothing moves while the import runs, and a dead peer does not say
# that it is dead: probe.
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPALIVE", 30), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 8))


class SocketHandle:
    """A second handle on a connection's socket, whatever TLS and proxies make of the first one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def hold(self, connected: socket.socket) -> None:
        """Take hold of the socket as soon as it is connected."""
        _keep_alive(connected)
        with self._lock:
            if self._is_cut:
                connected.close()
                raise httpcore.ConnectError("hung up while connecting")
            self._socket = connected.dup()

    def cut(self) -> None:
        """Shut the connection down: a send or receive that another thread waits in returns at once."""
        with self._lock:
            self._is_cut = True
            if self._socket is not None:
                with suppress(OSError):  # the other side was faster
                    self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the handle back."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None


def _keep_alive(connected: socket.socket) -> None:
    with suppress(OSError):
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name) and not (name == "TCP_KEEPALIVE" and sys.platform == "linux"):
            with suppress(OSError):
                connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
