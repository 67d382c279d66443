"""The ports of one appliance: a block of consecutive ones, as Sources/Settings/Ports.swift lays them out."""

import random
import socket
from dataclasses import dataclass

BLOCK = 44  # twelve listeners, and for `snikket try` a few relay ports


@dataclass(frozen=True)
class Ports:
    first: int

    @property
    def http(self) -> int:
        return self.first

    @property
    def https(self) -> int:
        return self.first + 1

    @property
    def client(self) -> int:
        """XMPP clients, STARTTLS."""
        return self.first + 2

    @property
    def client_tls(self) -> int:
        """XMPP clients, direct TLS."""
        return self.first + 3

    @property
    def server(self) -> int:
        """XMPP servers, STARTTLS."""
        return self.first + 4

    @property
    def server_tls(self) -> int:
        return self.first + 5

    @property
    def proxy65(self) -> int:
        return self.first + 6

    @property
    def turn(self) -> int:
        return self.first + 7

    @property
    def turn_tls(self) -> int:
        return self.first + 8

    @property
    def internal(self) -> int:
        """The chat server's HTTP, which only nginx and the portal may reach."""
        return self.first + 9


def free(port: int) -> bool:
    """Whether nobody listens on `port`, TCP and UDP."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1 if kind == socket.SOCK_STREAM else 0)
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                return False
    return True


def free_block(size: int = BLOCK) -> int:
    """The first of `size` consecutive free ports, below the range that the kernel gives to clients."""
    while True:
        first = random.randrange(12_000, 31_000, 64)
        if all(free(port) for port in range(first, first + size)):
            return first
