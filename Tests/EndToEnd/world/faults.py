"""What an authority can do wrong: each is given an exchange of a `MisbehavingAuthority`."""

import json
import select
from collections.abc import Callable

from .misbehaviour import Answer, Exchange, Fault

JSON = ("Content-Type", "application/json")
MEGABYTES_200 = 200 * 1024 * 1024


def problem(status: int, name: str | None = None, detail: str = "", *headers: tuple[str, str], **more: object) -> Fault:
    """A refusal; with a problem document when it has a name."""
    body = json.dumps({"type": f"urn:ietf:params:acme:error:{name}", "detail": detail, "status": status, **more}) if name else "<h1>sorry</h1>"
    kind = "application/problem+json" if name else "text/html"
    return says(status, body.encode(), ("Content-Type", kind), *headers)


def says(status: int, body: bytes, *headers: tuple[str, str]) -> Fault:
    return lambda exchange: exchange.reply(Answer(status, list(headers), body))


def raw(data: bytes) -> Fault:
    """These bytes, then the end of the connection."""
    def fault(exchange: Exchange) -> None:
        exchange.send(data)
        exchange.is_over = True
    return fault


def hang(exchange: Exchange) -> None:
    exchange.hang()


def reset(exchange: Exchange) -> None:
    exchange.reset()


def lost_answer(exchange: Exchange) -> None:
    """The authority has done it, and its answer is lost."""
    exchange.forward()
    exchange.reset()


def changed(change: Callable[[Answer], Answer]) -> Fault:
    """The real answer, changed."""
    return lambda exchange: exchange.reply(change(exchange.forward()))


def document(change: Callable[[dict], None]) -> Fault:
    """The real answer with its JSON changed; a problem passes as it is."""
    return changed(lambda answer: answer.with_json(change) if answer.status < 300 else answer)


def truncated(exchange: Exchange) -> None:
    """The first half of the real answer, properly framed; of an empty one, a broken connection."""
    answer = exchange.forward()
    if exchange.method == "HEAD" or len(answer.body) < 2:
        exchange.reset()
    else:
        exchange.reply(answer.changed(body=answer.body[: len(answer.body) // 2]))


def cut_off(exchange: Exchange) -> None:
    """Less than the length that was announced."""
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"a\":")
    exchange.is_over = True


def enormous(exchange: Exchange) -> None:
    """200 MB, announced."""
    exchange.send(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {MEGABYTES_200}\r\n\r\n[".encode())
    _pour(exchange, b"1234567," * 8192, MEGABYTES_200 // 65536)


def enormous_chunked(exchange: Exchange) -> None:
    """200 MB in chunks, not announced."""
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    _pour(exchange, b"10000\r\n" + b'"abcde",' * 8192 + b"\r\n", MEGABYTES_200 // 65536)


def enormous_headers(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
    _pour(exchange, b"".join(b"X-%06d: %s\r\n" % (number, b"y" * 40) for number in range(1200)), 3000)


def endless_interim(exchange: Exchange) -> None:
    _pour(exchange, b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n" * 1000, 4000)


def drip(exchange: Exchange) -> None:
    """One byte a second."""
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n")
    exchange.is_over = True
    while not exchange.proxy.ended.is_set():
        exchange.send(b"{")
        # Nothing comes; when the other side has gone, this says so.
        if select.select([exchange.connection], [], [], 1)[0] and not exchange.connection.recv(1):
            return


def page(exchange: Exchange) -> None:
    """A web page instead, as captive portals send."""
    exchange.reply(Answer(200, [("Content-Type", "text/html; charset=utf-8"), ("Replay-Nonce", "bm9uY2U")], b"<html><title>Log in</title></html>"))


def wrong_type(exchange: Exchange) -> None:
    """The right answer as text/html."""
    exchange.reply(exchange.forward().changed(content_type="text/html"))


def redirect(exchange: Exchange) -> None:
    exchange.reply(Answer(302, [("Location", "https://127.0.0.1:9/elsewhere")], b""))


def deep(exchange: Exchange) -> None:
    exchange.reply(Answer(200, [JSON], b"[" * 30_000 + b"]" * 30_000))


def many_numbers(exchange: Exchange) -> None:
    exchange.reply(Answer(200, [JSON], b"[" + b"1," * 30_000 + b"1]"))


def many_keys(exchange: Exchange) -> None:
    exchange.reply(Answer(200, [JSON], ("{" + ",".join(f'"k{number}":""' for number in range(5_000)) + "}").encode()))


def first(times: int, fault: Fault) -> Fault:
    """The fault so many times; from then on everything is right."""
    def limited(exchange: Exchange) -> None:
        if exchange.number < times:
            fault(exchange)
        else:
            exchange.reply(exchange.forward())
    return limited


def each_first(times: int, fault: Fault) -> Fault:
    """The fault so many times for each URL."""
    counts: dict[str, int] = {}

    def limited(exchange: Exchange) -> None:
        counts[exchange.path] = counts.get(exchange.path, 0) + 1
        if counts[exchange.path] <= times:
            fault(exchange)
        else:
            exchange.reply(exchange.forward())
    return limited


def _pour(exchange: Exchange, piece: bytes, times: int) -> None:
    exchange.is_over = True
    for _ in range(times):
        exchange.send(piece)
