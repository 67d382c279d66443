"""The ports of one appliance: a block of consecutive ones, as Sources/Settings/Ports.swift lays them out."""

import random
import socket
from collections import deque
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


# Whoever is given a block listens on it only seconds later: until then nobody else may be given it, or try whether it is free. The most recent ones are
# kept; what is older listens by now, or is gone.
_reserved: deque[socket.socket] = deque(maxlen=250)


def _reserve(first: int) -> bool:
    """Whether the block is now this process's: an abstract name is one process's at a time, and as ports are, one for each network namespace."""
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0snikket-tests-ports-{first}")
    except OSError:
        claim.close()
        return False
    if len(_reserved) == _reserved.maxlen:
        _reserved.popleft().close()
    _reserved.append(claim)
    return True


def free_block(size: int = BLOCK) -> int:
    """The first of `size` consecutive free ports, below the range that the kernel gives to clients. Nobody else is given one of them for a good while."""
    assert size <= BLOCK
    while True:
        first = random.randrange(12_000, 31_000, BLOCK)
        if _reserve(first) and all(free(port) for port in range(first, first + size)):
            return first
