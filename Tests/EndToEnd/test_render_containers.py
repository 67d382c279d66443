"""What `snikket render` says about containers: what is to be done next, and what they do not do."""

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


@pytest.mark.parametrize("engine", ["compose", "quadlet"])
def test_each_setting_that_does_nothing_in_containers_is_named(engine: str) -> None:
    with without_pebble("unheeded") as appliance:
        given = {
            "SNIKKET_BACKUP_SCHEDULE": "daily", "SNIKKET_METRICS_LISTEN": "127.0.0.1:9105", "SNIKKET_SMTP_URL": "smtp://anna:hush@mail.example.org",
            "SNIKKET_UPGRADES": "all"}
        appliance.config.write_text(appliance.config.read_text() + "".join(f"{name}={value}\n" for name, value in given.items()))
        answer = appliance.snikket("render", "--target", engine, "--output", str(appliance.folder / "home/out"))
        assert answer.returncode == 0, answer.stderr
        assert sorted(line.split(": ")[0] for line in answer.stdout.splitlines() if line.startswith("SNIKKET_")) == sorted(given)
        assert "hush" not in answer.stdout + answer.stderr
        # It is no part of a diff.
        assert "SNIKKET_" not in appliance.snikket("render", "--target", engine, "--output", str(appliance.folder / "home/out"), "--diff").stdout
