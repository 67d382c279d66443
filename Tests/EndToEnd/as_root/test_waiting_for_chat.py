"""The page that people see while the chat server comes up: which halts here before it is one, as no server does by itself."""

import os
import signal

from world.appliance import scratch
from world.stand_in import StagedAppliance
from world.waiting import until
from world.waiting_page import steps, waiting


def test_while_the_chat_server_comes_up_port_443_says_so() -> None:
    with scratch("starting") as folder:
        appliance = StagedAppliance(folder, settings={"SNIKKET_CERTIFICATE": "internal"})
        prosody = appliance.stand_in("prosody", [])
        prosody.behave("halts")
        try:
            appliance.start()
            until(lambda: prosody.notes("started"), 30, "Prosody is started")
            until(lambda: list(appliance.state.glob("certificates/**/ca.pem")), 30, "there is an authority")
            answer = until(lambda: waiting(appliance, "/.well-known/host-meta", "Web pages", "ready"), 30, "port 443 says what is missing")
            found = steps(answer.text)
            assert found["Certificate"] == "ready" and found["Chat"] == "starting", found
            assert "Getting ready" in answer.text
            assert "default-src 'none'" in answer.headers["content-security-policy"] and answer.headers["x-frame-options"] == "DENY"
            assert appliance.snikket("status").returncode == 75
            prosody.behave("")
            os.kill(prosody.notes("started")[-1]["pid"], signal.SIGCONT)
            appliance.line("ready ", 60)
            assert appliance.get("/.well-known/host-meta").status == 200
        finally:
            appliance.end()
