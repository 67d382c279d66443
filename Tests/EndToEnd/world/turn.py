"""A small TURN client (RFC 8489, RFC 8656): asks for a relay address with long-term credentials."""

import base64
import hashlib
import hmac
import os
import socket
import struct
import time

MAGIC = 0x2112A442
BINDING, ALLOCATE, REFRESH = 0x0001, 0x0003, 0x0004
USERNAME, INTEGRITY, ERROR, LIFETIME, REALM, NONCE = 0x0006, 0x0008, 0x0009, 0x000D, 0x0014, 0x0015
XOR_RELAYED, REQUESTED_TRANSPORT, XOR_MAPPED = 0x0016, 0x0019, 0x0020
UDP = 17


class TURNError(Exception):
    """The server's error response: its code (RFC 8489 §14.8)."""

    def __init__(self, code: int):
        super().__init__(f"STUN error {code}")
        self.code = code


def binding(port: int, host: str = "127.0.0.1") -> tuple[str, int]:
    """Our own address as the server sees it."""
    with _connect(host, port) as connection:
        return _address(_ask(connection, BINDING, [])[XOR_MAPPED])


def allocate(port: int, username: str, password: str, host: str = "127.0.0.1", over: socket.socket | None = None) -> tuple[str, int]:
    """Allocates a UDP relay address, gives it back at once, and returns it; `over` a connection that is there, if one is."""
    with over or _connect(host, port) as connection:
        wanted = [(REQUESTED_TRANSPORT, bytes([UDP, 0, 0, 0]))]
        try:
            _ask(connection, ALLOCATE, wanted)
            raise AssertionError("the TURN server gave a relay address to nobody in particular")
        except _Challenge as challenge:
            realm, nonce = challenge.realm, challenge.nonce
        key = hashlib.md5(f"{username}:{realm.decode()}:{password}".encode()).digest()
        who = [(USERNAME, username.encode()), (REALM, realm), (NONCE, nonce)]
        relayed = _address(_ask(connection, ALLOCATE, wanted + who, key)[XOR_RELAYED])
        _ask(connection, REFRESH, [(LIFETIME, struct.pack("!I", 0))] + who, key)
        return relayed


def temporary_credentials(secret: str) -> tuple[str, str]:
    """A user name and a password for an hour, made with the secret that the servers share (draft-uberti-behave-turn-rest-00)."""
    username = f"{int(time.time()) + 3600}:somebody"
    return username, base64.b64encode(hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()).decode()


class _Challenge(TURNError):
    def __init__(self, realm: bytes, nonce: bytes):
        super().__init__(401)
        self.realm = realm
        self.nonce = nonce


def _connect(host: str, port: int) -> socket.socket:
    connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    connection.settimeout(5)
    connection.connect((host, port))
    return connection


def _ask(connection: socket.socket, method: int, attributes: list[tuple[int, bytes]], key: bytes | None = None) -> dict[int, bytes]:
    transaction = os.urandom(12)
    body = b"".join(_attribute(*pair) for pair in attributes)
    if key:
        head = struct.pack("!HHI", method, len(body) + 24, MAGIC) + transaction
        body += _attribute(INTEGRITY, hmac.new(key, head + body, hashlib.sha1).digest())
    connection.send(struct.pack("!HHI", method, len(body), MAGIC) + transaction + body)
    answer = connection.recv(2048)
    kind, length, magic = struct.unpack("!HHI", answer[:8])
    assert magic == MAGIC and answer[8:20] == transaction, "not the answer to what was asked"
    found: dict[int, bytes] = {}
    at = 20
    while at < 20 + length:
        name, size = struct.unpack("!HH", answer[at:at + 4])
        found[name] = answer[at + 4:at + 4 + size]
        at += 4 + (size + 3) // 4 * 4
    if kind & 0x0110 == 0x0110:
        code = found[ERROR][2] * 100 + found[ERROR][3]
        if code == 401 and key is None:
            raise _Challenge(found[REALM], found[NONCE])
        raise TURNError(code)
    return found


def _attribute(name: int, value: bytes) -> bytes:
    return struct.pack("!HH", name, len(value)) + value + bytes(-len(value) % 4)


def _address(value: bytes) -> tuple[str, int]:
    """An XOR-…-ADDRESS of IPv4 (RFC 8489 §14.2)."""
    port = struct.unpack("!H", value[2:4])[0] ^ (MAGIC >> 16)
    number = struct.unpack("!I", value[4:8])[0] ^ MAGIC
    return socket.inet_ntoa(struct.pack("!I", number)), port
