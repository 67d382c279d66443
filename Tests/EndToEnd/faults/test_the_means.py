"""The means of these tests themselves: a conversation under fire notices what it is there for."""

import sqlite3
from pathlib import Path

import pytest

from world.conversation import Conversation
from world.stage import Stage

HARM = {
    "not in": "DELETE FROM prosodyarchive WHERE sort_id IN (SELECT sort_id FROM prosodyarchive WHERE store = 'archive' AND value LIKE ? LIMIT 1)",
    "twice": "INSERT INTO prosodyarchive (host, user, store, key, \"when\", \"with\", type, value)"
                       " SELECT host, user, store, key || 'x', \"when\", \"with\", type, value FROM prosodyarchive WHERE value LIKE ? LIMIT 1",
}


@pytest.mark.parametrize("harm", HARM)
def test_a_message_that_is_not_there_once_is_noticed(scene: Stage, harm: str) -> None:
    conversation = Conversation(scene.wendy, scene.rick)
    conversation.start()
    conversation.goes_on()
    conversation.end()
    conversation.assert_nothing_is_lost()
    number = conversation.acknowledged[-1].number
    # Behind the server's back.
    with sqlite3.connect(_database(scene)) as archive:
        assert archive.execute(HARM[harm], [f"%{conversation.label} {number}<%"]).rowcount == 1
    with pytest.raises(AssertionError, match=harm):
        conversation.assert_nothing_is_lost()


def _database(scene: Stage) -> Path:
    return next((scene.appliance.state / "prosody").rglob("*.sqlite"))
