"""The two sources of certificates that ask nobody: a person's own PEM files, and an authority made here."""

from pathlib import Path

from world.appliance import CONFIGURATION, DOMAIN, Appliance, scratch, without_pebble
from world.own_files import configuration, issue, make_files
from world.stream import Stream
from world.waiting import until


def _served_serial(appliance: Appliance) -> int:
    with Stream(appliance.domain, appliance.ports.client_tls, appliance.trust, direct_tls=True) as stream:
        return int(stream.socket.getpeercert()["serialNumber"], 16)


def test_a_persons_own_files_are_served() -> None:
    with scratch("own-files") as files:
        root, chain, key = make_files(files, [DOMAIN, f"groups.{DOMAIN}", f"share.{DOMAIN}"])
        with without_pebble("own", configuration=configuration(chain, key), trust=root) as appliance:
            appliance.started()
            status = appliance.healthy()["certificate"]
            assert "my own root" in status["issuer"]
            assert _served_serial(appliance) == int(status["serial"], 16)
            assert appliance.get("/").status < 500


def test_files_that_were_replaced_while_it_was_down_are_served_after_the_start() -> None:
    names = [DOMAIN, f"groups.{DOMAIN}", f"share.{DOMAIN}"]
    with scratch("own-files") as files:
        root, chain, key = make_files(files, names)
        with without_pebble("renewed", configuration=configuration(chain, key), trust=root) as appliance:
            appliance.started()
            first = _served_serial(appliance)
            assert appliance.stop() == 0
            issue(files, names)
            appliance.started()
            second = _served_serial(appliance)
            assert second != first
            certificate = until(lambda: _looked_at(appliance), 30, "every port was looked at")
            assert {int(serial, 16) for serial in certificate["served"].values()} == {second}
            assert certificate["last_error"] is None


def test_when_the_files_cannot_be_read_at_a_start_what_was_kept_of_them_is_served() -> None:
    with scratch("own-files") as files:
        root, chain, key = make_files(files, [DOMAIN, f"groups.{DOMAIN}", f"share.{DOMAIN}"])
        with without_pebble("unreadable", configuration=configuration(chain, key), trust=root) as appliance:
            appliance.started()
            first = _served_serial(appliance)
            assert appliance.stop() == 0
            key.chmod(0o600)  # root's, and it does not run as root
            if appliance.uid == key.stat().st_uid:
                key.chmod(0)
            appliance.started()
            assert _served_serial(appliance) == first
            assert str(key) in appliance.said, "the terminal does not say what is wrong"
            error = appliance.status()["certificate"]["last_error"]
            assert error and str(key) in error["error"] + (error["cause"] or "")


def _looked_at(appliance: Appliance) -> dict | None:
    certificate = appliance.status()["certificate"]
    return certificate if len(certificate["served"]) >= 2 else None


def test_files_that_lack_a_name_are_refused_with_the_name() -> None:
    with scratch("own-files") as files:
        root, chain, key = make_files(files, [DOMAIN])
        with without_pebble("own", configuration=configuration(chain, key), trust=root) as appliance:
            appliance.start()
            appliance.line("snikket: error:", 30)
            appliance.line("snikket: cause:", 5)
            assert f"groups.{DOMAIN}" in appliance.said


def test_files_that_are_not_there_are_named() -> None:
    missing = configuration(Path("/nowhere/fullchain.pem"), Path("/nowhere/privkey.pem"))
    with without_pebble("own", configuration=missing) as appliance:
        appliance.start()
        appliance.line("snikket: error:", 30)
        appliance.line("snikket: try:", 5)
        assert "/nowhere/fullchain.pem" in appliance.said


def test_an_authority_of_our_own_is_made_once_and_kept() -> None:
    with without_pebble("internal", configuration=f"{CONFIGURATION}SNIKKET_CERTIFICATE=internal\n") as appliance:
        appliance.started()
        first = _served_serial(appliance)
        assert appliance.stop() == 0
        appliance.started()
        assert _served_serial(appliance) == first
