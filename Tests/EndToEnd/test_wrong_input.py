"""Wrong settings: every problem with its line, exit code 78, and nothing written."""

import os
import subprocess

import pytest

from world.appliance import DOMAIN, Appliance, without_pebble

EMAIL = "SNIKKET_ADMIN_EMAIL=admin@example.org\n"
HOST = f"SNIKKET_DOMAIN={DOMAIN}\n"

WRONG = {
    "a missing domain": (EMAIL, ["SNIKKET_DOMAIN"]),
    "a domain with a space": (f"SNIKKET_DOMAIN=chat example.org\n{EMAIL}", ["line 1", "SNIKKET_DOMAIN"]),
    "an e-mail without @": (f"{HOST}SNIKKET_ADMIN_EMAIL=admin.example.org\n", ["line 2", "SNIKKET_ADMIN_EMAIL"]),
    "an unknown option and the nearest": (f"{HOST}{EMAIL}SNIKKET_RETENTION_DAY=7\n", ["line 3", "SNIKKET_RETENTION_DAYS"]),
    "a port out of range": (f"{HOST}{EMAIL}SNIKKET_TWEAK_HTTP_PORT=70000\n", ["line 3", "SNIKKET_TWEAK_HTTP_PORT"]),
    "a port that is no number": (f"{HOST}{EMAIL}SNIKKET_TWEAK_HTTPS_PORT=https\n", ["line 3", "SNIKKET_TWEAK_HTTPS_PORT"]),
    "a line without =": (f"{HOST}{EMAIL}just some words\n", ["line 3"]),
    "Lua in the domain": (f"SNIKKET_DOMAIN=a\"; os.execute(\"id\") --\n{EMAIL}", ["line 1", "SNIKKET_DOMAIN"]),
    "nginx in the domain": (f"SNIKKET_DOMAIN=a;}} server {{ listen 81;\n{EMAIL}", ["line 1", "SNIKKET_DOMAIN"]),
    "quotes in the e-mail": (f"{HOST}SNIKKET_ADMIN_EMAIL=\"a\"b@example.org\n", ["line 2", "SNIKKET_ADMIN_EMAIL"]),
    "nginx in an address": (f"{HOST}{EMAIL}SNIKKET_TWEAK_TURNSERVER_DOMAIN=x;}}http{{\n", ["line 3", "SNIKKET_TWEAK_TURNSERVER_DOMAIN"]),
    "three at once": (
        "SNIKKET_DOMAIN=no spaces please\nSNIKKET_ADMIN_EMAIL=nobody\nSNIKKET_RETENTION_DAYS=soon\n", ["line 1", "line 2", "line 3"]),
}


def _everything_in(appliance: Appliance) -> set[str]:
    return {os.path.join(folder, name) for folder, folders, files in os.walk(appliance.folder) for name in folders + files}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_settings_are_refused_before_anything_is_touched(what: str) -> None:
    text, words = WRONG[what]
    with without_pebble("wrong", configuration=text) as appliance:
        before = _everything_in(appliance)
        answer = appliance.snikket("up")
        assert answer.returncode == 78, (answer.returncode, answer.stdout, answer.stderr)
        assert answer.stderr.startswith("snikket: ") and "error:" in answer.stderr
        for word in words:
            assert word in answer.stderr, answer.stderr
        assert "Error(" not in answer.stderr and "Optional(" not in answer.stderr
        assert _everything_in(appliance) == before


def test_no_configuration_at_all_says_what_makes_one() -> None:
    with without_pebble("none", configuration=None) as appliance:
        answer = appliance.snikket("up")
        assert answer.returncode == 78, answer.stderr
        assert "snikket init" in answer.stderr


def test_a_wrong_option_of_the_command_is_wrong_usage() -> None:
    with without_pebble("usage") as appliance:
        assert appliance.snikket("up", "--no-such-option").returncode == 64


def test_ports_that_are_for_root_only_are_told_of_as_such() -> None:
    with without_pebble("low-ports") as appliance:
        command = [str(appliance.program), "up", "--config", str(appliance.config), "--state", str(appliance.state)]
        if os.geteuid() == 0:
            # In a network of its own low ports are root's, whatever this machine or container has arranged.
            command = ["unshare", "--net", "setpriv", "--reuid", str(appliance.uid), "--clear-groups", *command]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=appliance.folder)
        assert answer.returncode == 78, answer.stderr
        assert "snikket: error: port 80 (HTTP) is not for this user\n" in answer.stderr
        assert "run it with sudo, or with --ports-from 8000" in answer.stderr


@pytest.mark.parametrize("name", [
    "Müller & \"Söhne\" $HOME `id`", "x'); os.execute('id') --", "]] .. os.exit() --[[", "a; } server { listen 81;", "<script>alert(1)</script>",
    "back\\slash {{ braces }} %s ${nginx}"])
def test_a_strange_name_is_only_a_name(name: str) -> None:
    """Free text goes into Lua, nginx and HTML, and comes out as what it was."""
    import html

    configuration = f"{HOST}{EMAIL}SNIKKET_SITE_NAME={name}\nSNIKKET_CERTIFICATE=internal\n"
    with without_pebble("strange", configuration=configuration) as appliance:
        appliance.started()
        page = appliance.get(appliance.invite()["url"].partition(f":{appliance.ports.https}")[2])
        assert page.status == 200
        assert name in html.unescape(page.text)
        assert "<script>alert" not in page.text
        appliance.healthy()
