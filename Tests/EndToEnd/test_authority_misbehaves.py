"""Whatever the authority does: `snikket-certs issue` ends in time, says why, keeps what was there, and leaves nothing behind.

Most of the time of a case is waiting, so the cases run beside each other; each test looks at its own.
"""

import email.utils
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

import pytest

from world import bad_certificates, faults
from world.faults import changed, document, problem, raw, says
from world.issuing import Bench, Run, bench, unfit
from world.misbehaviour import STEPS, Exchange, Fault
from world.parallel import beside_each_other

KINDS = {75: {"unreachable", "caDown", "rateLimited", "busy"}, 78: {"configuration", "externalAccount"},
         1: {"validation", "refused", "webroot", "listen", "badCertificate", "local"}}
LATER, ACT, WRONG = 75, 1, 78
# ESC, BEL, CSI as one character, a line's end, and two characters that turn the direction of writing around.
NASTY = "\x1b[31mred\x1b]0;title\x07 \x9b2J\r\nsnikket-certs: error: forged \u202egnitset\u2066\u200f\u2028\u0000"


@dataclass
class Case:
    name: str
    faults: dict[str, Fault]
    exit: int
    kind: str | None = None
    check: Callable[[Run], None] | None = None
    options: dict = field(default_factory=dict)

    def run(self, bench: Bench) -> Run:
        return bench.issue(self.faults, **self.options)


CASES: list[Case] = []


def case(name: str, faults: dict[str, Fault], exit: int, kind: str | None = None, check: Callable[[Run], None] | None = None, **options) -> None:
    CASES.append(Case(name, faults, exit, kind, check, options))


def asked_once(step: str, retry_after: range) -> Callable[[Run], None]:
    """The time that the authority named is reported, and nobody asked again before it. Three requests may be under way together."""
    def check(run: Run) -> None:
        assert run.failure["retryAfter"] in retry_after
        paths = [asked.path for asked in run.proxy.of(step)]
        assert len(paths) == len(set(paths)) or step == "newNonce" and len(paths) <= 3, paths
    return check


def tried_three_times(step: str) -> Callable[[Run], None]:
    def check(run: Run) -> None:
        paths = [asked.path for asked in run.proxy.of(step)]
        most = max(paths.count(path) for path in paths)
        assert most == 3 or step == "newNonce" and most <= 9, paths
    return check


def http_date(seconds: int) -> str:
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


# Every step, every general fault.
for step in STEPS:
    case(f"429 and come back in an hour, at {step}", {step: problem(429, "rateLimited", "too many", ("Retry-After", "3600"))}, LATER, "rateLimited",
         asked_once(step, range(3600, 3601)), answer_timeout=6)
    case(f"429 and come back at a date, at {step}", {step: problem(429, "rateLimited", "too many", ("Retry-After", http_date(7200)))}, LATER,
         "rateLimited", asked_once(step, range(3700, 7201)), answer_timeout=6)
    case(f"500 each time, at {step}", {step: problem(500, "serverInternal", "oh no")}, LATER, "caDown", tried_three_times(step))
    case(f"503 of a gateway each time, at {step}", {step: problem(503)}, LATER, "caDown", tried_three_times(step))
    case(f"503 and come back in an hour, at {step}", {step: problem(503, None, "", ("Retry-After", "3600"))}, LATER, "caDown",
         asked_once(step, range(3600, 3601)), answer_timeout=6)
    case(f"no answer at all, at {step}", {step: faults.hang}, LATER)
    case(f"reset connections, at {step}", {step: faults.reset}, LATER, "unreachable")
    case(f"answers that are cut off, at {step}", {step: faults.cut_off}, LATER, "unreachable")
    case(f"enormous headers, at {step}", {step: faults.enormous_headers}, LATER, "unreachable")
    case(f"interim answers without end, at {step}", {step: faults.endless_interim}, LATER, "unreachable")
    case(f"a redirect, at {step}", {step: faults.redirect}, LATER, "unreachable")
    case(f"control characters in the problem, at {step}", {step: problem(
        403, "unauthorized", NASTY, title=NASTY, instance="https://x/" + NASTY,
        subproblems=[{"type": NASTY, "detail": NASTY, "identifier": {"type": "dns", "value": NASTY}}] * 20)}, ACT, "refused")
    if step == "newNonce":
        continue  # an answer to HEAD has no body
    case(f"200 MB, at {step}", {step: faults.enormous}, LATER, "unreachable")
    case(f"200 MB in chunks, at {step}", {step: faults.enormous_chunked}, LATER, "unreachable")
    case(f"one byte a second, at {step}", {step: faults.drip}, LATER)
    if step == "newAccount":
        continue  # there only the Location counts
    if step in ("challenge", "finalize"):
        continue  # it is asked how far it is instead: see below, and test_authority_recovers.py
    case(f"truncated documents, at {step}", {step: faults.truncated}, LATER, "unreachable", tried_three_times(step))
    case(f"a web page instead, at {step}", {step: faults.page}, LATER, "unreachable", tried_three_times(step))
    case(f"the wrong content type, at {step}", {step: faults.wrong_type}, LATER, "unreachable", tried_three_times(step))
    if step != "certificate":
        case(f"JSON thirty thousand levels deep, at {step}", {step: faults.deep}, LATER, "unreachable")
        case(f"JSON of thirty thousand numbers, at {step}", {step: faults.many_numbers}, LATER, "unreachable")
        case(f"JSON of five thousand keys, at {step}", {step: faults.many_keys}, LATER, "unreachable")

for step in ["newAccount", "challenge", "finalize"]:
    case(f"a web page instead, at {step}", {step: faults.page}, LATER, "unreachable", tried_three_times(step))
for name, fault in {"JSON thirty thousand levels deep": faults.deep, "JSON of thirty thousand numbers": faults.many_numbers,
                    "JSON of five thousand keys": faults.many_keys}.items():
    for step in ["challenge", "finalize"]:
        case(f"{name}, at {step}", {step: fault}, LATER, "unreachable")
for name, fault in {"truncated documents": faults.truncated, "the wrong content type": faults.wrong_type}.items():
    case(f"{name}, at challenge", {"challenge": fault}, LATER, "unreachable")

case("two states in one object", {"order": changed(lambda answer: answer.changed(body=answer.body.replace(
    b'"status":', b'"status": "pending", "status":', 1)))}, LATER, "caDown", timeout=6)

# Times to come back.
for value, seconds in [("99999999999999999999", range(86400, 366 * 86400 + 1)), ("31536000", range(31536000, 31536001)),
                       ("Sun, 06 Nov 9999 08:49:37 GMT", range(86400, 366 * 86400 + 1))]:
    case(f"503 and Retry-After: {value}", {"newOrder": problem(503, None, "", ("Retry-After", value))}, LATER, "caDown",
         asked_once("newOrder", seconds), answer_timeout=6)
for value in ["-5", "soon", "", "1e9", "Sun, 99 Nov 1994 99:99:99 GMT", "99999999999999999999 GMT"]:
    case(f"503 and Retry-After: {value or 'nothing'}, which is no time", {"newOrder": problem(503, None, "", ("Retry-After", value))}, LATER, "caDown",
         tried_three_times("newOrder"))
case("an order that is to be looked at in an hour", {"order": changed(lambda answer: answer.with_json(
    lambda order: order.update(status="pending")).changed(retry_after="3600"))}, LATER, "caDown", asked_once("order", range(3600, 3601)), answer_timeout=6)
case("a certificate that is to be asked for in an hour", {"finalize": changed(lambda answer: answer.with_json(
    lambda order: order.update(status="processing")).changed(retry_after="3600"))}, LATER, "caDown")


# Orders.
def stuck(status: str) -> Fault:
    return document(lambda order: order.update(status=status, certificate=None))


def once_finalized(status: str) -> Fault:
    """As it is until it is finalized, and from then on this. An order that is ready too early is finalized before its names have been looked at."""
    def fault(exchange: Exchange) -> None:
        (stuck(status) if exchange.proxy.csr else changed(lambda answer: answer))(exchange)
    return fault


case("an order that never becomes ready", {"order": stuck("pending")}, LATER, "caDown", timeout=6)
case("an order that never becomes valid", {"order": once_finalized("processing"), "finalize": stuck("processing")}, LATER, "caDown", timeout=6)
case("an order that stays ready after it was finalized", {"order": once_finalized("ready"), "finalize": stuck("ready")}, LATER, "caDown", timeout=6)
case("an order that is invalid without a reason", {"newOrder": stuck("invalid")}, ACT, "refused")
case("an order that is valid and has no certificate", {"newOrder": stuck("valid")}, ACT, "refused")
case("an order in a state that nobody knows", {"newOrder": stuck("\x1b[2J")}, LATER, "unreachable")
case("an order for one name less", {"newOrder": document(lambda order: order.update(
    identifiers=order["identifiers"][:2], authorizations=order["authorizations"][:2]))}, LATER, "unreachable")
case("an order with ten thousand authorizations", {"newOrder": document(lambda order: order.update(
    authorizations=[f"https://a.b/{number}" for number in range(10_000)]))}, LATER, "unreachable")
case("an order with two thousand authorizations", {"newOrder": document(lambda order: order.update(
    authorizations=[f"https://a.b/{number}" for number in range(2_000)]))}, LATER, "unreachable")
case("an invalid order that lists two thousand authorizations", {"order": document(lambda order: order.update(
    status="invalid", authorizations=[f"https://a.b/{number}" for number in range(2_000)]))}, ACT)
case("a nonce that is refused each time", {step: problem(400, "badNonce", "no", ("Replay-Nonce", "bm9uY2U"))
                                          for step in ["newAccount"]}, LATER, "caDown")
case("no nonce at all", {"every": changed(lambda answer: answer.changed(replay_nonce=None))}, LATER, "unreachable")
case("a nonce that is none", {"every": changed(lambda answer: answer.changed(replay_nonce="a b\x1b"))}, LATER, "unreachable")
case("an account that is not known, each time", {"newOrder": problem(400, "accountDoesNotExist", "who?")}, ACT)
case("an account that is needed beforehand", {"newAccount": problem(403, "externalAccountRequired", NASTY)}, WRONG, "externalAccount")
case("a name that it gives no certificates for", {"newOrder": problem(400, "rejectedIdentifier", "no")}, WRONG, "configuration")
case("an address that it does not accept", {"newAccount": problem(400, "invalidContact", "no")}, WRONG, "configuration")
case("terms that have to be agreed to", {"newOrder": problem(403, "userActionRequired", "read", instance="https://a.b/terms" + NASTY)}, ACT, "refused")
case("no directory there", {"directory": says(404, b"not here")}, WRONG, "configuration")

# Certificates.
sends = bad_certificates.sends
for name, fault in {
    "for another key": sends(key="another"), "for other names": sends(names="others"), "without one of the names": sends(names="one is missing"),
    "that has expired": sends(days=-1), "whose chain does not verify": sends(chain="same name, another key"),
    "with somebody else's chain": sends(chain="another authority"), "without a chain": sends(chain="none"),
}.items():
    case(f"a certificate {name}", {"certificate": fault}, ACT, "badCertificate")
case("an expired certificate of an issuer whose name has control characters", {"certificate": lambda exchange: sends(
    chain="none", issuer=bad_certificates.authority(4, "\u202eevil\u2066 \x1b[31m"))(exchange)}, ACT, "badCertificate")
PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
for name, body, exit in [
    ("an empty chain", b"", LATER), ("garbage in PEM form", PEM.format("AAAA" * 50).encode(), ACT),
    ("no base64 in PEM form", PEM.format(NASTY).encode(), ACT),
    ("a key instead of a certificate", PEM.replace("CERTIFICATE", "PRIVATE KEY").format("AAAA").encode(), LATER),
    ("binary noise", bytes(range(256)) * 20, LATER), ("a certificate without an end", PEM.format("AAAA" * 50).encode()[:100], LATER),
    ("a thousand empty certificates", PEM.format("").encode() * 1000, ACT)]:
    case(f"{name} as the certificate", {"certificate": changed(lambda answer, body=body: answer.changed(body=body))}, exit)

# Links and names that lead elsewhere.
for name, link in [
    ("without TLS", "http://127.0.0.1:9/x"), ("to a file", "file:///etc/passwd"), ("to another host", "https://127.0.0.2:9/x"),
    ("to a script", "javascript:alert(1)"),
    ("that is relative", "/order"), ("that is empty", ""), ("with a name and password", "https://user:secret@127.0.0.1:9/x"),
    ("with control characters", "https://127.0.0.1:9/" + NASTY), ("with a line's end", "https://127.0.0.1:9/\r\nHost: x"),
    ("of ten thousand characters", "https://127.0.0.1:9/" + "x" * 10_000), ("to a host without an address", "https://no.such.host.invalid/x")]:
    case(f"a link {name} in the directory", {"directory": document(lambda it, link=link: it.update(newOrder=link))}, LATER, "unreachable")
    case(f"a link {name} to an authorization", {"newOrder": document(lambda it, link=link: it.update(authorizations=[link]))}, LATER, "unreachable")
    case(f"a link {name} to a challenge", {"authorization": document(
        lambda it, link=link: [one.update(url=link) for one in it["challenges"]])}, LATER, "unreachable")
    case(f"a link {name} to finalize", {"order": document(lambda it, link=link: it.update(finalize=link))}, LATER, "unreachable")
    case(f"a link {name} to the certificate", {"finalize": stuck("processing"), "order": document(
        lambda it, link=link: it.update(**{"certificate": link} if "certificate" in it else {}))}, LATER, "unreachable")
for name, location in [("to a file", "file:///etc/passwd"), ("with control characters", "https://127.0.0.1:9/\x1b[31m\x9b\u202e"), ("that is empty", "")]:
    case(f"a Location {name} for the account", {"newAccount": changed(lambda answer, to=location: answer.changed(location=to))}, LATER, "unreachable")
    case(f"a Location {name} for the order", {"newOrder": changed(lambda answer, to=location: answer.changed(location=to))}, LATER, "unreachable")
for name, token in [("that leads out of the folder", "../../../../tmp/x"), ("that is a path", "/etc/passwd"), ("that is a dot", "."), ("that is empty", ""),
                    ("of ten thousand characters", "x" * 10_000), ("with control characters", NASTY), ("that hides", "a\u0000b")]:
    case(f"a token {name}", {"authorization": document(lambda it, token=token: [one.update(token=token) for one in it["challenges"]])}, LATER, "unreachable")
case("an authorization for a name that nobody asked for", {"authorization": document(lambda it: it.update(
    identifier={"type": "dns", "value": "--evil; rm -rf /" + NASTY}))}, LATER, "unreachable")
case("no challenge that is possible", {"authorization": document(
    lambda it: [one.update(type="carrier-pigeon-01" + NASTY) for one in it["challenges"]])}, ACT, "refused")

# Texts.
case("a directory that is no object", {"directory": says(200, b'"hello"', faults.JSON)}, LATER, "unreachable")
case("a directory of other types", {"directory": document(lambda it: it.update(newNonce=5, newOrder=None, meta=[]))}, LATER, "unreachable")
case("numbers that no machine can hold", {"newOrder": says(
    201, b'{"status":1e99999,"identifiers":-99999999999999999999999}', faults.JSON, ("Location", "https://a.b/c"))}, LATER)
case("bytes that are no text", {"directory": says(200, b'{"newNonce":"\xff\xfe\xc0\x80"}', faults.JSON)}, LATER, "unreachable")
case("halves of characters", {"newOrder": says(
    400, b'{"type":"urn:ietf:params:acme:error:malformed","detail":"\\ud83d \\udc00 \\u0000 \\u001b[31m"}', faults.JSON)}, ACT)
case("a status that does not exist", {"newOrder": raw(b"HTTP/1.1 999 \x1b[31mred\r\nContent-Length: 0\r\n\r\n")}, LATER)
case("an answer that is no HTTP", {"newOrder": raw(b"\x1b[31mSSH-2.0-OpenSSH\r\n" * 5)}, LATER, "unreachable")
case("two lengths", {"newOrder": raw(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\nContent-Length: 99999999999999999999\r\n\r\n{}")}, LATER)
case("a compressed answer that nobody asked for", {"directory": says(200, b"\x1f\x8b\x08\x00" + b"\x00" * 200, faults.JSON, ("Content-Encoding", "gzip"))}, LATER)
case("an endless problem", {"newOrder": problem(
    400, "malformed", "x" * 20_000, subproblems=[{"type": "y" * 100, "detail": "z" * 1000}] * 30)}, ACT,
     check=lambda run: None if len(run.said) < 5000 else pytest.fail(f"{len(run.said)} characters for a person to read"))


@pytest.fixture(scope="module")
def place() -> Iterator[Bench]:
    with bench(PEBBLE_WFE_NONCEREJECT="0") as made:
        yield made


@pytest.fixture(scope="module")
def undisturbed(place: Bench) -> int:
    """The memory of an issuance that nothing disturbs, in kB: the same way, through the proxy."""
    runs = [place.issue({}, fresh=True) for _ in range(3)]
    assert all(run.code == 0 for run in runs), [run.said for run in runs]
    return min(run.kilobytes for run in runs)


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, place: Bench, undisturbed: int) -> Iterator[dict[str, "Future[Run]"]]:
    with beside_each_other(request, "case", lambda case: case.run(place)) as under_way:
        yield under_way
        done = [future.result().kilobytes for future in under_way.values() if future.done() and not future.exception()]
        print(f"memory: {undisturbed} kB undisturbed, {max(done, default=0)} kB at most in {len(done)} cases")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_ends_in_time_says_why_and_keeps_what_was_there(case: Case, runs: dict[str, "Future[Run]"], undisturbed: int) -> None:
    run = runs[case.name].result()
    told = (run.code, run.lines[-1:], run.said)
    assert run.code == case.exit, told
    assert run.seconds < case.options.get("timeout", 25) + 6, "it went past its deadline"
    assert run.pair_before and run.pair_after == run.pair_before, "the good certificate was touched"
    assert run.left_in_webroot == [], "an answer was left behind"
    failure = run.failure
    assert failure["kind"] in KINDS[run.code] and failure["kind"] == (case.kind or failure["kind"]), told
    assert failure["error"] and failure["cause"] and failure["try"], told
    assert run.said == (f"snikket-certs: error: {failure['error']}\nsnikket-certs: cause: {failure['cause']}\n"
                        f"snikket-certs: try:   {failure['try']}\n")
    assert not unfit(run.said.replace("\n", "")) and not any(unfit(line) for line in run.lines), told
    assert not any(unfit(text) for event in run.events for text in event.values() if isinstance(text, str)), told
    assert run.kilobytes <= undisturbed + 10_240, f"{run.kilobytes} kB, {undisturbed} kB when nothing disturbs"
    if case.check:
        case.check(run)
