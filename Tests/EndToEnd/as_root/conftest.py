"""The users that an installation makes."""

import pwd
import subprocess
from collections.abc import Iterator

import pytest

from world.appliance import CHECKOUT

USERS = {"prosody": "snikket-prosody", "nginx": "snikket-nginx", "coturn": "snikket-coturn", "portal": "snikket-portal"}


@pytest.fixture(scope="module")
def users() -> Iterator[dict[str, int]]:
    """Those that were not there are removed again."""
    existing = {entry.pw_name for entry in pwd.getpwall()}
    subprocess.run(["systemd-sysusers", str(CHECKOUT / "templates/systemd/snikket.sysusers")], check=True, capture_output=True)
    yield {service: pwd.getpwnam(user).pw_uid for service, user in USERS.items()}
    for user in [*USERS.values(), "snikket-certs"]:
        if user not in existing:
            subprocess.run(["userdel", user], check=True, capture_output=True)
