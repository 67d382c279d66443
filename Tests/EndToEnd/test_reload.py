"""Changed settings: shown, put into force without stopping what has not changed, and refused as a whole when one of them is wrong."""

import asyncio
import json
import os
import signal
import socket
import ssl
from collections.abc import Iterator

import pytest

from world.appliance import Appliance, without_pebble
from world.harm import deadlock, lives
from world.people import logged_in, register
from world.waiting import until


@pytest.fixture
def appliance() -> Iterator[Appliance]:
    with without_pebble("reload", settings={"SNIKKET_CERTIFICATE": "internal"}) as made:
        yield made.started()


def _set(appliance: Appliance, **options: str) -> None:
    kept = [line for line in appliance.config.read_text().splitlines() if line.split("=")[0] not in options]
    appliance.config.write_text("\n".join([*kept, *(f"{name}={value}" for name, value in options.items())]) + "\n")


def _reload(appliance: Appliance, *arguments: str) -> dict:
    answer = appliance.snikket("reload", "--json", *arguments, seconds=90)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return json.loads(answer.stdout)


def _pids(appliance: Appliance) -> dict[str, int]:
    return {service["name"]: service["pid"] for service in appliance.status()["services"]}


def test_nothing_has_to_be_done_when_nothing_has_changed(appliance: Appliance) -> None:
    before = _pids(appliance)
    assert _reload(appliance) == {"difference": "", "options": [], "services": []}
    assert _pids(appliance) == before
    assert appliance.snikket("reload").stdout == "nothing had to be done\n"


def test_only_the_servers_whose_files_change_are_touched(appliance: Appliance) -> None:
    before = _pids(appliance)
    _set(appliance, SNIKKET_TOS_URI="https://example.org/terms")
    # Said, and shown, before anything is done.
    until(lambda: appliance.status()["settings_changed"], 5, "the change is seen")
    appliance.line("snikket: the settings have changed", 30)
    looked = _reload(appliance, "--dry-run")
    assert looked["options"] == ["SNIKKET_TOS_URI"] and looked["services"] == []
    assert "https://example.org/terms" in looked["difference"]
    # The portal's file holds a secret: it is not shown.
    assert "apiSecret" in (appliance.state / "run/portal/portal.json").read_text()
    assert (appliance.state / "secrets/api").read_text().strip() not in looked["difference"]
    assert _pids(appliance) == before
    done = _reload(appliance)
    assert "portal" in done["services"] and "coturn" not in done["services"], done
    after = _pids(appliance)
    assert after["portal"] != before["portal"] and after["coturn"] == before["coturn"] and after["nginx"] == before["nginx"]
    appliance.healthy()
    assert appliance.status()["settings_changed"] is False
    page = appliance.get("/invite/" + appliance.invite()["token"] + "/")
    assert "https://example.org/terms" in page.text


def test_whom_to_tell_of_a_security_problem_is_published(appliance: Appliance) -> None:
    assert appliance.get("/.well-known/security.txt").status == 404
    _set(appliance, SNIKKET_SECURITY_EMAIL="security@example.org")
    assert {"portal", "prosody"} <= set(_reload(appliance)["services"])
    page = appliance.get("/.well-known/security.txt")
    assert page.status == 200 and page.text.startswith("Contact: mailto:security@example.org\nExpires: 2"), page.text


def test_an_upload_limit_reaches_both_servers_and_an_app_comes_back_by_itself(appliance: Appliance) -> None:
    account = appliance.account("ulf", "correct horse battery")
    asyncio.run(register(account, appliance.invite()["token"]))

    async def stay() -> None:
        async with logged_in(account) as person:
            _set(appliance, SNIKKET_UPLOAD_LIMIT_MB="7")
            done = await asyncio.to_thread(_reload, appliance)
            assert set(done["services"]) >= {"prosody", "nginx"}
        async with logged_in(account) as person:
            found = await person.plugin["xep_0363"].find_upload_service(domain=account.domain, timeout=20)
            assert "7340048" in str(found)

    asyncio.run(stay())


def _first_word_on_an_upload(appliance: Appliance, megabytes: int) -> int:
    """The status that a file of that size gets before a byte of it has been sent: 413 when it is too large, 100 or Prosody's answer otherwise."""
    name = f"share.{appliance.domain}"
    context = ssl.create_default_context(cafile=appliance.trust)
    with socket.create_connection(("127.0.0.1", appliance.ports.https), 20) as plain, context.wrap_socket(plain, server_hostname=name) as door:
        door.sendall(f"PUT /upload/a HTTP/1.1\r\nHost: {name}\r\nContent-Length: {megabytes << 20}\r\nExpect: 100-continue\r\n\r\n".encode())
        return int(door.makefile("rb").readline().split()[1])


def test_when_the_command_returns_the_very_first_request_sees_the_new_value(appliance: Appliance) -> None:
    before = _pids(appliance)["nginx"]
    for limit in (7, 50) * 6:
        _set(appliance, SNIKKET_UPLOAD_LIMIT_MB=str(limit))
        assert "nginx" in _reload(appliance)["services"]
        for _ in range(3):
            assert (_first_word_on_an_upload(appliance, 20) == 413) == (limit == 7), limit
    assert _pids(appliance)["nginx"] == before


def test_a_reload_that_nginx_does_not_do_is_no_success_until_another_nginx_has_done_it(appliance: Appliance) -> None:
    """Its main process waits for ever, and its worker goes on answering with what it has read before."""
    before = _pids(appliance)["nginx"]
    assert _first_word_on_an_upload(appliance, 20) != 413
    deadlock(before)
    _set(appliance, SNIKKET_UPLOAD_LIMIT_MB="7")
    assert "nginx" in _reload(appliance)["services"]
    assert _first_word_on_an_upload(appliance, 20) == 413
    nginx = appliance.service("nginx")
    assert nginx["pid"] != before and not lives(before)
    assert "as before its reload" in nginx["last_problem"], nginx
    appliance.healthy()


def test_wrong_settings_change_nothing(appliance: Appliance) -> None:
    before = _pids(appliance)
    good = appliance.config.read_text()
    _set(appliance, SNIKKET_RETENTION_DAYS="soon", SNIKKET_SITENAME="x")
    refused = appliance.snikket("reload")
    assert refused.returncode == 78
    for part in ("SNIKKET_RETENTION_DAYS", "SNIKKET_SITENAME", "snikket: try:"):
        assert part in refused.stderr, refused.stderr
    assert _pids(appliance) == before
    appliance.config.write_text(good)
    assert _reload(appliance)["services"] == []


def test_what_needs_a_restart_is_named(appliance: Appliance) -> None:
    _set(appliance, SNIKKET_FEDERATION="off", SNIKKET_SITE_NAME="Ours")
    refused = appliance.snikket("reload")
    assert refused.returncode == 1 and "SNIKKET_FEDERATION" in refused.stderr and "restart" in refused.stderr
    assert "SNIKKET_SITE_NAME" not in refused.stderr


def test_a_server_that_does_not_come_up_gets_its_old_files_back(appliance: Appliance) -> None:
    """A portal that cannot make its socket as long as its new file is there."""
    file, work = appliance.state / "run/portal/portal.json", appliance.state / "run/portal/work"
    before = file.read_text()
    _set(appliance, SNIKKET_SITE_NAME="Ours")
    command = appliance._popen(["reload", "--config", str(appliance.config), "--state", str(appliance.state)], errors_apart=True)
    until(lambda: file.read_text() != before, 60, "the new file is in place")
    work.chmod(0o500)
    until(lambda: file.read_text() == before, 120, "the old file is back")
    work.chmod(0o700)
    _, error = command.communicate(timeout=120)
    assert command.returncode == 1 and "portal does not serve with the new settings, so the old ones are back" in error, error
    status = appliance.healthy(60)
    assert status["settings_changed"] is True
    assert "portal" in _reload(appliance)["services"]


def test_when_the_old_files_cannot_be_put_back_no_server_is_forgotten(appliance: Appliance) -> None:
    """As before, with a folder that takes no file any more: the other servers go back, and the next reload mends the rest."""
    folder, prosody = appliance.state / "run/portal", appliance.state / "run/prosody/prosody.cfg.lua"
    file, work = folder / "portal.json", folder / "work"
    before, old, settings = file.read_text(), prosody.read_text(), appliance.config.read_text()
    _set(appliance, SNIKKET_SITE_NAME="Ours", SNIKKET_UPLOAD_LIMIT_MB="9")
    command = appliance._popen(["reload", "--config", str(appliance.config), "--state", str(appliance.state)], errors_apart=True)
    until(lambda: file.read_text() != before, 60, "the new file is in place")
    work.chmod(0o500)
    folder.chmod(0o555)
    _, error = command.communicate(timeout=280)
    work.chmod(0o700)
    folder.chmod(0o711)
    assert command.returncode == 1 and "and the old ones could not all be put back" in error, error
    assert file.read_text() != before and prosody.read_text() == old
    # What Prosody runs with is what is in its file.
    started = os.stat(f"/proc/{appliance.service('prosody')['pid']}").st_mtime
    assert started >= prosody.stat().st_mtime
    appliance.config.write_text(settings)
    assert "portal" in _reload(appliance)["services"]
    assert file.read_text() == before
    appliance.healthy(60)
    assert _reload(appliance)["services"] == []


def test_a_difference_shows_no_secret_whichever_line_changes(appliance: Appliance) -> None:
    secrets = [path.read_text().strip() for path in (appliance.state / "secrets").iterdir()]
    assert len(secrets) >= 2 and all(secrets)
    _set(appliance, SNIKKET_SITE_NAME="Ours", SNIKKET_RETENTION_DAYS="9", SNIKKET_ABUSE_EMAIL="abuse@example.org")
    looked = appliance.snikket("reload", "--dry-run")
    assert "Ours" in looked.stdout, looked.stdout + looked.stderr
    assert not [secret for secret in secrets if secret in looked.stdout + looked.stderr + appliance.said]


def test_sighup_reloads_and_says_what_is_wrong(appliance: Appliance) -> None:
    assert appliance.process is not None
    before = _pids(appliance)
    _set(appliance, SNIKKET_SITE_NAME="Ours")
    appliance.process.send_signal(signal.SIGHUP)
    appliance.line("snikket: the settings have been read again: ", 60)
    assert _pids(appliance)["portal"] != before["portal"]
    _set(appliance, SNIKKET_RETENTION_DAYS="soon")
    appliance.process.send_signal(signal.SIGHUP)
    appliance.line("snikket: cause: ", 30)
    assert appliance.process.poll() is None
    appliance.healthy()


def test_killed_in_the_middle_it_starts_with_what_is_in_the_file(appliance: Appliance) -> None:
    _set(appliance, SNIKKET_SITE_NAME="Ours", SNIKKET_UPLOAD_LIMIT_MB="9")
    command = appliance._popen(["reload", "--config", str(appliance.config), "--state", str(appliance.state)])
    assert appliance.process is not None
    # Prosody is the first whose file is written and who is started again.
    until(lambda: "9437200" in (appliance.state / "run/prosody/prosody.cfg.lua").read_text(), 30, "the first file is in place")
    os.kill(appliance.process.pid, signal.SIGKILL)
    appliance.process.wait(10)
    appliance.process = None
    assert command.wait(60) != 0
    until(lambda: not appliance.processes(), 20, "nothing outlives it")
    appliance.started().healthy()
    assert _reload(appliance)["services"] == []
