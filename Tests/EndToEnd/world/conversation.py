"""A conversation under fire: somebody writes on and on while a server is being hurt, and remembers what the server has acknowledged.

What XEP-0198 acknowledges the server has answered for: it has to be in both archives (XEP-0313) afterwards, in order, and none of it twice. What was
never acknowledged may be there or not; the sender writes something else then, so nothing is said twice either.
"""

import asyncio
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .people import Account, logged_in
from .stream import Refused, Stream
from .waiting import until

BIND = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
ACKNOWLEDGEMENTS = "urn:xmpp:sm:3"
# A handful between two acknowledgements: a fault finds some of them on their way.
HANDFUL = 5
PAUSE = 0.1
# Longer than a server may take to be noticed as hung, and replaced.
PATIENCE = 40


@dataclass(frozen=True)
class Acknowledged:
    """A message that the server answered for, and when (monotonic clock)."""

    number: int
    at: float


class Conversation:
    """What one person writes to another, until ``end()``."""

    def __init__(self, writer: Account, reader: Account, *, handful: int = HANDFUL, pause: float = PAUSE, retry: tuple[float, float] = (0.1, 0.1)):
        self.writer = writer
        self.reader = reader
        self.handful = handful
        self.pause = pause
        self.retry = retry  # how long to wait before the next attempt to log in: between so many seconds and so many
        self.label = os.urandom(4).hex()
        self.sessions = 0
        self._acknowledged: list[Acknowledged] = []
        self._written = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write_on, daemon=True)

    @property
    def acknowledged(self) -> list[Acknowledged]:
        return list(self._acknowledged)

    def goes_on(self, seconds: float = PATIENCE, messages: int = 3 * HANDFUL) -> None:
        """Waits until so many more messages have been acknowledged."""
        before = len(self._acknowledged)
        until(lambda: len(self._acknowledged) >= before + messages, seconds, f"{messages} more messages are acknowledged")

    def goes_on_for(self, seconds: float) -> None:
        """For so long, messages are acknowledged again and again."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.goes_on()

    def silence(self, since: float = 0) -> float:
        """The longest time, in seconds, in which nothing was acknowledged, of those that ended after `since` (monotonic clock)."""
        moments = [message.at for message in self._acknowledged]
        return max((later - earlier for earlier, later in zip(moments, moments[1:]) if later >= since), default=0.0)

    def end(self) -> None:
        self._over.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the writer does not come to an end"

    def assert_nothing_is_lost(self) -> None:
        """Reads both archives: everything acknowledged is in them, in the order of writing, nothing twice."""
        assert self._over.is_set(), "the conversation is still going on"
        answered_for = [message.number for message in self._acknowledged]
        assert answered_for, "nothing was ever acknowledged"
        for owner, other in ((self.writer, self.reader), (self.reader, self.writer)):
            kept = asyncio.run(self._archived(owner, other))
            assert kept == sorted(kept), f"{owner.username}'s archive is not in order"
            assert len(kept) == len(set(kept)), f"{owner.username}'s archive has something twice"
            lost = sorted(set(answered_for) - set(kept))
            assert not lost, f"acknowledged, and not in {owner.username}'s archive: {lost} of {len(answered_for)}"

    async def _archived(self, owner: Account, other: Account) -> list[int]:
        numbers = []
        async with logged_in(owner) as person, asyncio.timeout(PATIENCE):
            async for result in person.plugin["xep_0313"].iterate(with_jid=other.address, rsm={"max": 250}):
                label, _, number = result["mam_result"]["forwarded"]["stanza"]["body"].partition(" ")
                if label == self.label:
                    numbers.append(int(number))
        return numbers

    def start(self) -> None:
        self._thread.start()

    # The writer's thread.

    def _write_on(self) -> None:
        while not self._over.is_set():
            try:
                self._session()
            except (OSError, EOFError, Refused, SyntaxError, KeyError):
                # The server is away, or in the middle of going away: what an app does is to try again.
                self._over.wait(random.uniform(*self.retry))

    def _session(self) -> None:
        account = self.writer
        with Stream(account.domain, account.port, account.trust, seconds=20) as stream:
            stream.open()
            stream.start_tls()
            stream.login(account.username, account.password)
            stream.open()
            stream.iq("set", BIND)
            stream.send(f"<enable xmlns='{ACKNOWLEDGEMENTS}'/>")
            while not stream.receive().tag.endswith("}enabled"):
                pass
            self.sessions += 1
            self._talk(stream)

    def _talk(self, stream: Stream) -> None:
        counted = 0
        first = self._written + 1
        while not self._over.is_set():
            numbers = range(self._written + 1, self._written + self.handful + 1)
            # Written counts before it is sent: a number that may have got through is never used again.
            self._written = numbers[-1]
            stream.send("".join(
                f"<message type='chat' to='{self.reader.address}' id='{self.label}-{number}'><body>{self.label} {number}</body></message>"
                for number in numbers) + f"<r xmlns='{ACKNOWLEDGEMENTS}'/>")
            while counted < self._written - first + 1:
                answer = stream.receive()
                if answer.tag != f"{{{ACKNOWLEDGEMENTS}}}a":
                    continue
                handled = int(answer.attrib["h"])
                now = time.monotonic()
                self._acknowledged += [Acknowledged(first + index, now) for index in range(counted, handled)]
                counted = handled
            self._over.wait(self.pause)
        stream.send("</stream:stream>")


@contextmanager
def under_fire(writer: Account, reader: Account) -> Iterator[Conversation]:
    """A conversation that is going on when the body begins. At the end it has to go on still, and nothing of it may be lost."""
    conversation = Conversation(writer, reader)
    conversation.start()
    try:
        conversation.goes_on()
        yield conversation
        conversation.goes_on()
    finally:
        conversation.end()
    conversation.assert_nothing_is_lost()
