"""As root, every program's user tries to read every secret of every other: the table says who may, and docs/security.md says the same."""

import json
import os
import pwd
import subprocess
from collections.abc import Iterator

import pytest

from world.appliance import Appliance, with_pebble

USERS = ("prosody", "nginx", "coturn", "portal", "certs")

# Who may read what. Nobody is root's alone.
NOBODY: tuple[str, ...] = ()
MAY_READ = {
    "the settings": NOBODY,
    "the API's secret": NOBODY,
    "the TURN secret": NOBODY,
    "where the API listens": NOBODY,
    "the control socket": NOBODY,
    "the servers' logs": NOBODY,
    "what administrators are told of": NOBODY,
    "prosody's file": ("prosody",),
    "coturn's file": ("coturn",),
    "the portal's file": ("portal",),
    "prosody's key": ("prosody",),
    "nginx's key": ("nginx",),
    "coturn's key": ("coturn",),
    "the certificate's key": ("certs",),
    "the ACME account's key": ("certs",),
    "what was tried with the authority": ("certs",),
    "messages and passwords": ("prosody",),
    "the portal's socket": ("nginx", "portal"),
    "nginx's socket": ("nginx",),
    "the memory of snikket": NOBODY,
    "the environment of snikket": NOBODY,
    "the open files of snikket": NOBODY,
    **{f"the {what} of {server}": (server,) for server in ("prosody", "nginx", "coturn", "portal") for what in ("memory", "environment", "open files")},
}

# Whether a user of its own may look into a process's memory depends on the kernel (Yama), not on us.
OWN_MEMORY = {f"the memory of {server}" for server in USERS}

# Prints what could be read, of what it is told to try: JSON, name to [how, place].
TRY = """
import json, os, socket, sys

def memory(folder):
    for line in open(folder + "/maps"):
        first, last = (int(end, 16) for end in line.split()[0].split("-"))
        if line.split()[1].startswith("r"):
            file = os.open(folder + "/mem", os.O_RDONLY)
            return os.pread(file, 16, first)
    return b""

def connect(path):
    with socket.socket(socket.AF_UNIX) as there:
        there.settimeout(5)
        there.connect(path)
        return b"connected"

def links(folder):
    return [os.readlink(f"{folder}/{name}") for name in os.listdir(folder)]

ways = {"file": lambda path: open(path, "rb").read(1), "memory": memory, "socket": connect, "links": links}
could = []
for name, (way, place) in json.load(sys.stdin).items():
    try:
        if ways[way](place):
            could.append(name)
    except OSError:
        pass
print(json.dumps(could))
"""


@pytest.fixture(scope="module")
def rooted(users: dict[str, int]) -> Iterator[Appliance]:
    with with_pebble("secrets", as_root=True) as (appliance, _):
        appliance.config.chmod(0o600)
        yield appliance.started()


def _places(appliance: Appliance) -> dict[str, tuple[str, str]]:
    """Where each of these is, and how it is got at."""
    state = appliance.state

    def one(pattern: str) -> str:
        return str(sorted(path for path in state.glob(pattern) if path.is_file())[0])

    assert appliance.process is not None
    pids = {service["name"]: service["pid"] for service in appliance.healthy()["services"]} | {"snikket": appliance.process.pid}
    places = {
        "the settings": ("file", str(appliance.config)),
        "the API's secret": ("file", one("secrets/api")),
        "the TURN secret": ("file", one("secrets/turn")),
        "where the API listens": ("file", one("run/chat.json")),
        "the control socket": ("socket", str(state / "run/control/socket")),
        "the servers' logs": ("file", one("logs/prosody.log")),
        "what administrators are told of": ("file", str(state / "messages.json")),
        "prosody's file": ("file", one("run/prosody/prosody.cfg.lua")),
        "coturn's file": ("file", one("run/coturn/turnserver.conf")),
        "the portal's file": ("file", one("run/portal/portal.json")),
        "the certificate's key": ("file", one("certificates/current/privkey.pem")),
        "the ACME account's key": ("file", one("acme/**/*.pem")),
        "what was tried with the authority": ("file", one("certificates/attempts.json")),
        "messages and passwords": ("file", one("prosody/*.sqlite")),
        "the portal's socket": ("socket", str(state / "run/portal/work/portal.sock")),
        "nginx's socket": ("socket", str(state / "run/nginx/work/health.sock")),
    }
    places |= {f"{server}'s key": ("file", str(state / f"run/{server}/tls/privkey.pem")) for server in ("prosody", "nginx", "coturn")}
    for name, pid in pids.items():
        places |= {
            f"the memory of {name}": ("memory", f"/proc/{pid}"), f"the environment of {name}": ("file", f"/proc/{pid}/environ"),
            f"the open files of {name}": ("links", f"/proc/{pid}/fd")}
    return places


def _could_read(user: str, places: dict[str, tuple[str, str]]) -> set[str]:
    """As that user, in its groups, with no capability that it could not have."""
    entry = pwd.getpwnam(f"snikket-{user}")
    answer = subprocess.run(
        ["python3", "-c", TRY], user=entry.pw_uid, group=entry.pw_gid, extra_groups=os.getgrouplist(entry.pw_name, entry.pw_gid),
        input=json.dumps(places), capture_output=True, text=True, check=True, cwd="/")
    return set(json.loads(answer.stdout))


@pytest.mark.parametrize("user", USERS)
def test_a_program_reads_its_own_secrets_and_nobody_elses(rooted: Appliance, user: str) -> None:
    places = _places(rooted)
    if not os.path.exists(places["what administrators are told of"][1]):
        # Nobody has been told of anything yet; whoever could read the file could read one in its place.
        (rooted.state / "messages.json").write_text("{}")
        (rooted.state / "messages.json").chmod(0o600)
    assert set(places) == set(MAY_READ), set(places) ^ set(MAY_READ)
    may = {name for name, readers in MAY_READ.items() if user in readers}
    could = _could_read(user, places)
    assert could - may == set(), f"{user} can read what is not its own"
    assert may - could - OWN_MEMORY == set(), f"{user} cannot read what it needs, so this test would not see what it can"


def test_every_secret_on_disk_is_in_the_table(rooted: Appliance) -> None:
    """Nothing that a stranger may not read is forgotten above: whatever some server can read and nobody can lies in that server's own places."""
    files = [os.path.join(folder, name) for folder, _, names in os.walk(rooted.state) for name in names]
    places = {path: ("file", path) for path in files if os.path.isfile(path) and not os.path.islink(path)}
    stranger = subprocess.run(
        ["python3", "-c", TRY], user=65_534, group=65_534, extra_groups=[], input=json.dumps(places), capture_output=True, text=True, check=True,
        cwd="/")
    public = set(json.loads(stranger.stdout))
    own = {
        "prosody": ("prosody/", "run/prosody/"), "nginx": ("run/nginx/",), "coturn": ("run/coturn/",), "portal": ("portal/", "run/portal/"),
        "certs": ("certificates/", "acme/", "run/acme-")}
    for user in USERS:
        strange = {os.path.relpath(path, rooted.state) for path in _could_read(user, places) - public}
        assert {path for path in strange if not path.startswith(own[user])} == set(), user


def test_no_server_can_change_what_it_is_started_with(rooted: Appliance) -> None:
    writable = "import os, sys; print([path for path in sys.stdin.read().split(chr(0)) if os.access(path, os.W_OK)])"
    run = rooted.state / "run"
    paths = [
        str(path) for service in ("prosody", "nginx", "coturn", "portal") for path in (run / service).rglob("*")
        if "work" not in path.relative_to(run).parts and not path.is_symlink()]
    assert len(paths) > 10
    for user in USERS:
        entry = pwd.getpwnam(f"snikket-{user}")
        answer = subprocess.run(
            ["python3", "-c", writable], user=entry.pw_uid, group=entry.pw_gid, extra_groups=[], input="\0".join(paths), capture_output=True,
            text=True, check=True, cwd="/")
        assert answer.stdout.strip() == "[]", user
