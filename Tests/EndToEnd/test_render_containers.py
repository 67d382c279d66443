"""What `snikket render` says is to be done next, when it has written what an engine reads."""

import pytest

from world.appliance import Appliance, without_pebble

COMPOSE = "now: docker compose up -d --remove-orphans"
QUADLET = "now: systemctl daemon-reload, and restart the units that were written"


@pytest.mark.parametrize(("engine", "first", "later"), [
    ("compose", COMPOSE, COMPOSE), ("quadlet", QUADLET, QUADLET + " and stop those that were removed")])
def test_the_last_line_says_what_the_engine_has_to_be_told(engine: str, first: str, later: str) -> None:
    with without_pebble("rendered") as appliance:
        out = appliance.folder / "home/out"

        def last_line(appliance: Appliance, setting: str = "") -> str:
            appliance.config.write_text(appliance.config.read_text() + setting)
            answer = appliance.snikket("render", "--target", engine, "--output", str(out))
            assert answer.returncode == 0, answer.stdout + answer.stderr
            return answer.stdout.splitlines()[-1]

        assert last_line(appliance) == first
        assert last_line(appliance).endswith(": unchanged")
        # The servers take that over by themselves.
        assert last_line(appliance, "SNIKKET_SITE_NAME=Kitchen\n").endswith(": unchanged")
        assert last_line(appliance, "SNIKKET_TWEAK_TURNSERVER=off\n") == later
        assert last_line(appliance).endswith(": unchanged")
