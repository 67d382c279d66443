"""`snikket check` for whoever has no root and no public address. What a server sees is in as_root/test_check_a_server.py."""

import json
import time

from world.appliance import CONFIGURATION, Appliance, scratch
from world.nameserver import NameServer
from world.ports import free_block


def _problems(answer: str) -> dict[str, str]:
    return {check["name"]: check["level"] for check in json.loads(answer)["checks"] if check["level"] != "green"}


def test_a_running_appliance_has_its_own_ports(appliance: Appliance) -> None:
    answer = appliance.snikket("check", "--json", "--ports-from", str(appliance.ports.first), "--resolver", f"127.0.0.1:{free_block(1)}")
    checks = {check["name"]: check for check in json.loads(answer.stdout)["checks"]}
    assert answer.returncode == 1, "nobody answers as a resolver"
    assert (checks["ports"]["level"], checks["settings"]["level"], checks["certificate"]["level"]) == ("green",) * 3, checks
    assert checks["resolver"]["level"] == "red"
    assert "days left" in checks["certificate"]["what"]


def test_a_name_that_leads_to_the_reader_is_red() -> None:
    with scratch("check") as folder, NameServer(folder / "dns", 0) as dns:
        made = Appliance(folder)
        answer = made.snikket("check", "--json", "--resolver", f"127.0.0.1:{dns.port}")
        assert answer.returncode == 1
        found = [check for check in json.loads(answer.stdout)["checks"] if check["name"] == "address"]
        assert len(found) == 3 and {check["level"] for check in found} == {"red"}
        assert all("127.0.0.1" in check["what"] for check in found)


def test_a_service_for_this_computer_only_needs_no_dns() -> None:
    with scratch("check") as folder:
        made = Appliance(folder, configuration=CONFIGURATION + "SNIKKET_TWEAK_LISTEN_ADDRESSES=127.0.0.1\n")
        start = time.monotonic()
        answer = made.snikket("check", "--json", "--ports-from", str(made.ports.first), "--resolver", f"127.0.0.1:{free_block(1)}")
        assert answer.returncode == 0, answer.stdout
        assert not {"resolver", "address", "reachable", "firewall"} & set(_problems(answer.stdout))
        assert time.monotonic() - start < 15


def test_every_problem_of_the_settings_is_told() -> None:
    with scratch("check") as folder:
        made = Appliance(folder, configuration="SNIKKET_DOMAIN=no domain\nSNIKKET_ADMIN_EMAIL=a@example.org\nSNIKKET_SITENAME=x\n")
        answer = made.snikket("check")
        assert answer.returncode == 78
        assert "line 1: SNIKKET_DOMAIN" in answer.stderr and "line 3: SNIKKET_SITENAME" in answer.stderr
        made.config.unlink()
        missing = made.snikket("check")
        assert missing.returncode == 78 and "snikket init" in missing.stderr
