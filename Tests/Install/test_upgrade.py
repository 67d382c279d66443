"""From one release to the next, and back: on a Debian 12 with systemd, while a hundred people write; and with everything that can go wrong on the way."""

import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from machine import Machine
from releases import Release, append, wrap_program
from world.authority import Authority
from world.conversation import Conversation
from world.people import Account, logged_in, register
from world.stream import sign_in
from world.waiting import until

DOMAIN = Machine.domain
FOLDER = "/var/lib/snikket-upgrade"
ENDS = ("done", "wentBack", "abandoned")
PEOPLE = 100


@pytest.fixture(scope="module")
def release() -> Iterator[Release]:
    with tempfile.TemporaryDirectory(prefix="snikket-upgrade-") as folder:
        release = Release(Path(folder))
        yield release
        release.server.shutdown()


@pytest.fixture(scope="module")
def people(machine: Machine, release: Release, authority: Authority) -> list[Account]:
    """A hundred accounts, on a machine where the first release was installed."""
    machine.done("mkdir", "-p", "/etc/snikket", "/etc/ssl")
    machine.run("tee", "/etc/ssl/test-authority.pem", stdin=authority.bundle.read_text())
    machine.done("apt-get", "-q", "update")
    answer = release.install(
        machine, DOMAIN, "admin@example.org", "--agree-tos", "--set", f"SNIKKET_ACME_DIRECTORY={authority.directory}",
        "--set", "SNIKKET_ACME_CA_BUNDLE=/etc/ssl/test-authority.pem")
    assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}\n{machine.journal()}"
    token = json.loads(machine.done("snikket", "invite", "create", "--reusable", "--json"))["token"]
    accounts = [Account(f"person{number}", "a password to keep", DOMAIN, 5222, str(authority.root)) for number in range(PEOPLE)]
    with ThreadPoolExecutor(4) as desks:
        list(desks.map(lambda account: asyncio.run(register(account, token)), accounts))
    return accounts


def record(machine: Machine) -> dict:
    return json.loads(machine.run("cat", f"{FOLDER}/record.json").stdout or "{}")


def installed_version(machine: Machine) -> str:
    return machine.done("dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}", "snikket").strip()


def is_over(machine: Machine) -> bool:
    return record(machine).get("step") in ENDS and machine.run("test", "-e", f"{FOLDER}/snikket").returncode != 0


def words(machine: Machine) -> str:
    return machine.run("journalctl", "-u", "snikket-upgrade", "-u", "snikket", "-n", "60", "--no-pager", "-o", "cat").stdout


def assert_as_before(machine: Machine, people: list[Account], version: str) -> None:
    """That version, healthy, with its accounts, and nothing half done."""
    assert installed_version(machine) == f"ii {version}", words(machine)
    until(lambda: machine.run("snikket", "status", "--login").returncode == 0, 60, "everything serves")
    sign_in(DOMAIN, 5222, people[0].trust, people[0].username, people[0].password)
    assert machine.done("dpkg", "--audit").strip() == ""
    assert machine.done("systemctl", "is-active", "snikket").strip() == "active"
    assert machine.run("test", "-e", f"{FOLDER}/rehearsal").returncode != 0
    assert len(json.loads(machine.done("snikket", "user", "list", "--json"))) == PEOPLE, "accounts are missing, or too many"


@pytest.fixture(scope="module")
def kept(people: list[Account]) -> str:
    """What was said before anything happened; it has to be there after everything."""
    async def say() -> str:
        async with logged_in(people[0]) as first:
            first.send_message(mto=people[1].address, mbody="remember this", mtype="chat")
        return "remember this"

    return asyncio.run(say())


def test_nothing_is_newer_than_the_newest(machine: Machine, people: list[Account]) -> None:
    look = json.loads(machine.done("snikket", "upgrade", "--check", "--json"))
    assert (look["new"], look["security"], look["refused"]) == (False, False, None)
    assert look["installed"] == look["available"]
    assert "is the newest" in machine.done("snikket", "upgrade", "--yes")


def test_a_hundred_people_go_on_writing_while_it_is_upgraded(machine: Machine, release: Release, people: list[Account], kept: str) -> None:
    old = installed_version(machine).removeprefix("ii ")
    news = release.folder / "news"
    news.write_text("Calls ring longer.\n\nPictures are sharper.\n")
    release.make(release.repacked("0.2.0"), "--news", str(news))
    look = machine.done("snikket", "upgrade", "--check")
    assert f"snikket 0.2.0 is there; {old} is installed" in look and "Calls ring longer." in look, look
    refused = machine.run("snikket", "upgrade")
    assert refused.returncode == 64 and "--yes" in refused.stderr, refused.stderr

    # Twenty messages a second: each is written to two archives and has to be on the disk.
    writers = [Conversation(a, b, handful=1, pause=5, retry=(0.2, 2)) for a, b in zip(people, people[1:] + people[:1])]
    for writer in writers:
        writer.start()
    all_go_on(writers)
    begun = time.monotonic()
    answer = machine.run("snikket", "upgrade", "--yes")
    took = time.monotonic() - begun
    assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}\n{words(machine)}"
    all_go_on(writers)
    for writer in writers:
        writer.end()
    assert installed_version(machine) == "ii 0.2.0"
    assert (record(machine)["step"], record(machine)["old"]["version"]) == ("done", old)
    assert machine.done("ls", f"{FOLDER}/backups").startswith("snikket-")

    moments = sorted(message.at for writer in writers for message in writer.acknowledged)
    outage = max(later - earlier for earlier, later in zip(moments, moments[1:]) if later > begun)
    slowest = max(writer.silence(begun) for writer in writers)
    print(f"\nupgrade: {took:.1f} s, with the backup; nobody was answered for {outage:.2f} s, the last of {PEOPLE} for {slowest:.2f} s; "
          f"{len(moments)} messages were acknowledged")
    assert all(writer.sessions > 1 for writer in writers), "the service was not restarted"
    with ThreadPoolExecutor(4) as readers:
        list(readers.map(Conversation.assert_nothing_is_lost, writers))
    assert outage < 5
    assert_as_before(machine, people, "0.2.0")


def all_go_on(writers: list[Conversation]) -> None:
    """Every one of them has something acknowledged."""
    before = [len(writer.acknowledged) for writer in writers]
    until(lambda: all(len(writer.acknowledged) >= known + 2 for writer, known in zip(writers, before)), 90, "everybody goes on writing")


def test_an_older_release_is_refused_though_it_is_signed(machine: Machine, release: Release, people: list[Account]) -> None:
    release.make()
    answer = machine.run("snikket", "upgrade", "--yes")
    assert answer.returncode == 1 and "and the release is 0.1" in answer.stderr, answer.stderr
    assert installed_version(machine) == "ii 0.2.0"


def test_it_is_taken_back_by_hand(machine: Machine, people: list[Account]) -> None:
    answer = machine.run("snikket", "rollback", "--yes")
    assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}\n{words(machine)}"
    assert_as_before(machine, people, record(machine)["old"]["version"])
    again = machine.run("snikket", "rollback", "--yes")
    assert again.returncode == 1 and "no version to go back to" in again.stderr, again.stderr


def test_the_install_script_of_a_newer_release_leaves_the_upgrade_to_the_program(
        machine: Machine, release: Release, people: list[Account], kept: str) -> None:
    old = installed_version(machine).removeprefix("ii ")
    release.make(release.repacked("0.2.0i"))
    refused = release.install(machine, "other.example.net", "admin@example.org", "--agree-tos")
    assert refused.returncode == 78 and DOMAIN in refused.stderr, refused.stdout + refused.stderr
    assert installed_version(machine) == f"ii {old}"
    answer = release.install(machine)
    assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}\n{words(machine)}"
    assert "`snikket upgrade` brings the new one" in answer.stdout, answer.stdout
    assert record(machine)["step"] == "done" and record(machine)["backup"]
    assert_as_before(machine, people, "0.2.0i")
    machine.done("snikket", "rollback", "--yes", "--no-backup")
    assert_as_before(machine, people, old)


def test_a_machine_that_lets_no_package_restart_anything_is_upgraded_all_the_same(
        machine: Machine, release: Release, people: list[Account], kept: str) -> None:
    release.make(release.repacked("0.2.0a"))
    machine.run("tee", "/usr/sbin/policy-rc.d", stdin="#!/bin/sh\nexit 101\n")
    machine.done("chmod", "755", "/usr/sbin/policy-rc.d")
    before = machine.done("systemctl", "show", "-p", "MainPID", "--value", "snikket")
    answer = machine.run("snikket", "upgrade", "--yes")
    assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}\n{words(machine)}"
    assert machine.done("systemctl", "show", "-p", "MainPID", "--value", "snikket") != before
    assert machine.run("test", "-e", "/usr/sbin/policy-rc.d").returncode == 0, "it is somebody's own"
    machine.done("rm", "/usr/sbin/policy-rc.d")
    assert_as_before(machine, people, "0.2.0a")


def test_an_upgrade_waits_for_a_backup_and_a_rollback_for_whoever_installs_packages(
        machine: Machine, release: Release, people: list[Account], kept: str) -> None:
    before = installed_version(machine).removeprefix("ii ")
    release.make(release.repacked("0.2.0b"))
    machine.done("systemd-run", "--unit=holder", "flock", "/var/lib/snikket/backup.lock", "sleep", "45")
    begun = time.monotonic()
    answer = machine.run("snikket", "upgrade", "--yes")
    assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}\n{words(machine)}"
    assert time.monotonic() - begun > 60, "nothing was in the way"
    assert record(machine)["backup"] and installed_version(machine) == "ii 0.2.0b"

    machine.hold_lock("/var/lib/dpkg/lock-frontend", "holder", 15)
    process = machine.done("systemctl", "show", "-p", "MainPID", "--value", "snikket")
    machine.run("rm", "-f", f"{FOLDER}/record.json")  # the way back is there all the same
    rollback = subprocess.Popen(["podman", "--runtime", "runc", "exec", machine.name, "snikket", "rollback", "--yes", "--no-backup"])
    until(lambda: record(machine).get("step") == "waiting", 30, "it has begun")
    while True:
        now = machine.done("systemctl", "show", "-p", "MainPID", "--value", "snikket")
        if machine.run("systemctl", "is-active", "holder").returncode != 0:
            break
        assert now == process, "it is stopped though nothing can be installed"
        time.sleep(1)
    assert rollback.wait(180) == 0, words(machine)
    assert_as_before(machine, people, before)


def test_a_changed_release_upgrades_nothing(machine: Machine, release: Release, people: list[Account]) -> None:
    before = installed_version(machine)
    package = release.repacked("0.2.1")
    release.make(package)
    whole = (release.served / "release").read_bytes()
    (release.served / "release").write_bytes(whole.replace(b"security no", b"security ok"))
    answer = machine.run("snikket", "upgrade", "--yes")
    assert answer.returncode == 1 and "not signed by its makers" in answer.stderr, answer.stderr
    (release.served / "release").write_bytes(whole)
    served = release.served / package.name
    served.write_bytes(served.read_bytes()[:-1])
    answer = machine.run("snikket", "upgrade", "--yes")
    assert answer.returncode == 1 and "is not the one of the release" in answer.stderr, answer.stderr
    served.unlink()
    answer = machine.run("snikket", "upgrade", "--yes")
    assert answer.returncode == 75 and "could not be fetched" in answer.stderr, answer.stderr
    assert installed_version(machine) == before


# What is wrong with a package, and what is said of it.

def does_not_start(root: Path) -> None:
    wrap_program(root, '[ "$1" != up ] || exit 1')


def refuses_logins(root: Path) -> None:
    """Everything serves, and nobody can log in."""
    append(root, "usr/share/snikket/templates/prosody/modules/mod_snikket_session_limit.lua", """
module:add_timer(0, function ()
	local users = prosody.hosts[module.host].users;
	local original = users.get_sasl_handler;
	users.get_sasl_handler = function (...)
		local handler = original(...);
		return setmetatable({
			process = function () return "failure", "temporary-auth-failure", "broken on purpose"; end;
			clean_clone = function (self) return self; end;
		}, { __index = handler });
	end;
end);
""")


def refuses_these_settings(root: Path) -> None:
    append(root, "usr/share/snikket/templates/prosody/prosody.cfg.lua.template", "\nthis is no Lua\n")


MIGRATION = """
if [ "$1" = up ]; then
    # What a migration does, in its own form: what is touched is kept first.
    state=/var/lib/snikket
    if [ ! -e $state/undo/from ]; then
        rm -rf $state/undo.new && mkdir -m 700 $state/undo.new && mkdir $state/undo.new/files
        cp -a $state/secrets $state/undo.new/files/
        echo secrets >$state/undo.new/paths
        cat $state/version >$state/undo.new/from
        mv $state/undo.new $state/undo
    fi
    echo half >$state/secrets/half; rm -f $state/secrets/api
    ENDING
fi
"""


def migration_fails(root: Path) -> None:
    wrap_program(root, MIGRATION.replace("ENDING", "exit 1"))


def migrates_and_does_not_start(root: Path) -> None:
    # The real program refuses the version that it does not know.
    wrap_program(root, MIGRATION.replace("ENDING", "echo 99 >$state/version"))


BROKEN: dict[Callable[[Path], None], tuple[str, str]] = {
    does_not_start: ("wentBack", "ends as soon as it is started"),
    refuses_logins: ("wentBack", "nobody can log in"),
    refuses_these_settings: ("abandoned", "prosody"),
    migration_fails: ("wentBack", "ends as soon as it is started"),
    migrates_and_does_not_start: ("wentBack", "it"),
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_a_version_that_is_broken_does_not_stay(
        machine: Machine, release: Release, people: list[Account], kept: str, broken: Callable[[Path], None]) -> None:
    old = installed_version(machine).removeprefix("ii ")
    secrets = machine.done("sh", "-c", "cd /var/lib/snikket/secrets && sha256sum *")
    version = f"0.3.{list(BROKEN).index(broken)}"
    release.make(release.repacked(version, broken), "--security")
    begun = time.monotonic()
    answer = machine.run("snikket", "upgrade", "--yes")
    step, reason = BROKEN[broken]
    assert answer.returncode == 1, f"{answer.stdout}\n{answer.stderr}\n{words(machine)}"
    print(f"\n{broken.__name__}: {time.monotonic() - begun:.0f} s: {answer.stderr}")
    assert (record(machine)["step"], record(machine)["new"]["version"]) == (step, version)
    assert reason in answer.stderr, answer.stderr
    assert_as_before(machine, people, old)
    assert machine.done("cat", "/var/lib/snikket/version").strip() == "1"
    assert machine.done("sh", "-c", "cd /var/lib/snikket/secrets && sha256sum *") == secrets
    assert machine.run("test", "-e", "/var/lib/snikket/undo").returncode != 0
    assert json.loads(machine.done("snikket", "upgrade", "--check", "--json"))["refused"]
    if step == "wentBack":
        until(lambda: "upgrade" in {problem["matter"] for problem in json.loads(machine.run("snikket", "status", "--json").stdout)["problems"]}, 40,
              "administrators are told")
    # Not again by itself, though it is for security.
    machine.run("rm", "-f", f"{FOLDER}/looked")
    machine.done("systemctl", "start", "snikket-upgrade-check.service")
    assert record(machine)["new"]["version"] == version and record(machine)["step"] == step
    assert kept in asyncio.run(archive(people[1], people[0]))


async def archive(owner: Account, other: Account) -> list[str]:
    async with logged_in(owner) as person:
        return await person.archive_with(other.address)


def upgrade_until(machine: Machine, step: str, seconds: float = 90, verb: str = "upgrade") -> None:
    """Begins one, and returns when it has come to a step."""
    machine.run("rm", "-f", f"{FOLDER}/record.json")
    subprocess.Popen(["podman", "--runtime", "runc", "exec", machine.name, "snikket", verb, "--yes"],
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def came() -> bool:
        known = record(machine)
        assert known.get("step") != "done", "it was over before"
        return known.get("step") == step

    until(came, seconds, f"it is {step}")


STEPS = [("backingUp", 0.0), ("rehearsing", 0.0), ("rehearsing", 2.0), ("installing", 0.0), ("installing", 0.7), ("installing", 1.5), ("watching", 0.0),
         ("watching", 1.0)]


@pytest.mark.parametrize(("step", "later"), STEPS)
def test_killed_at_any_step_the_end_is_the_old_version(
        machine: Machine, release: Release, people: list[Account], kept: str, step: str, later: float) -> None:
    old = installed_version(machine).removeprefix("ii ")
    release.make(release.repacked("0.4.0"))
    # All of it in there: the first steps take less than a look from out here. How far into the step, no event says.
    machine.done("sh", "-c", f"""
        rm -f {FOLDER}/record.json
        snikket upgrade --yes </dev/null >/dev/null 2>&1 &
        for look in $(seq 30000); do grep -qs '"step"[ :]*"{step}"' {FOLDER}/record.json && break; done
        sleep {later}
        systemctl kill --signal=KILL snikket-upgrade.service""")
    until(lambda: is_over(machine), 180, "there is an end")
    if record(machine)["step"] == "done":
        pytest.fail("it was over before it could be killed")
    assert record(machine)["reason"] == "it was interrupted"
    assert_as_before(machine, people, old)
    assert kept in asyncio.run(archive(people[1], people[0]))


@pytest.mark.parametrize("kills", [1, 3])
def test_killed_while_it_goes_back_it_goes_back_all_the_same(
        machine: Machine, release: Release, people: list[Account], kept: str, kills: int) -> None:
    old = installed_version(machine).removeprefix("ii ")
    release.make(release.repacked("0.4.1", migration_fails))
    upgrade_until(machine, "goingBack")
    for _ in range(kills):
        until(lambda: machine.run("systemctl", "is-active", "snikket-upgrade").returncode == 0, 30, "it is gone on with")
        machine.run("systemctl", "kill", "--signal=KILL", "snikket-upgrade.service")
    until(lambda: is_over(machine), 180, "there is an end")
    assert_as_before(machine, people, old)
    assert machine.run("test", "-e", "/var/lib/snikket/secrets/half").returncode != 0
    assert kept in asyncio.run(archive(people[1], people[0]))


def test_a_rollback_that_is_killed_is_done_or_has_changed_nothing(
        machine: Machine, release: Release, people: list[Account], kept: str) -> None:
    old = installed_version(machine).removeprefix("ii ")
    release.make(release.repacked("0.4.1a"))
    answer = machine.run("snikket", "upgrade", "--yes")
    assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}\n{words(machine)}"
    machine.done("systemd-run", "--unit=holder", "flock", "/var/lib/snikket/backup.lock", "sleep", "600")  # it waits for its backup
    upgrade_until(machine, "backingUp", verb="rollback")
    machine.run("systemctl", "kill", "--signal=KILL", "snikket-upgrade.service")
    machine.done("systemctl", "stop", "holder")
    until(lambda: is_over(machine), 180, "there is an end")
    assert (record(machine)["step"], record(machine)["isRollback"]) == ("abandoned", True)
    assert_as_before(machine, people, "0.4.1a")

    upgrade_until(machine, "goingBack", verb="rollback")
    for pause in (0, 1, 3):
        until(lambda: machine.run("systemctl", "is-active", "snikket-upgrade").returncode == 0, 30, "it is gone on with")
        time.sleep(pause)  # how far into it, no event says
        assert record(machine)["step"] == "goingBack", "it was over before it could be killed"
        machine.run("systemctl", "kill", "--signal=KILL", "snikket-upgrade.service")
    until(lambda: is_over(machine), 180, "there is an end")
    assert (record(machine)["step"], record(machine).get("reason")) == ("wentBack", None)
    assert_as_before(machine, people, old)
    assert kept in asyncio.run(archive(people[1], people[0]))


def test_what_was_written_down_before_a_power_cut_is_begun_and_taken_back_when_it_does_not_work(
        machine: Machine, release: Release, people: list[Account], kept: str) -> None:
    old = installed_version(machine).removeprefix("ii ")
    release.make(release.repacked("0.4.1b", does_not_start))
    # Until the next start of the machine the unit does not come to its work.
    hold = "/run/systemd/system/snikket-upgrade.service.d"
    machine.done("sh", "-c", f"mkdir -p {hold} && printf '[Service]\\nExecStartPre=sleep 600\\nTimeoutStartSec=infinity\\n' >{hold}/hold.conf && systemctl daemon-reload")
    upgrade_until(machine, "waiting")
    machine.power_cut()
    until(lambda: is_over(machine), 180, "there is an end")
    assert record(machine)["step"] == "wentBack" and "ends as soon as it is started" in record(machine)["reason"], record(machine)
    assert_as_before(machine, people, old)
    assert kept in asyncio.run(archive(people[1], people[0]))


@pytest.mark.parametrize("step", ["installing", "goingBack"])
def test_after_a_power_cut_the_old_version_comes_up(
        machine: Machine, release: Release, people: list[Account], kept: str, step: str) -> None:
    old = installed_version(machine).removeprefix("ii ")
    release.make(release.repacked("0.4.2", does_not_start))
    upgrade_until(machine, step)
    machine.power_cut()
    until(lambda: is_over(machine), 180, "there is an end")
    assert_as_before(machine, people, old)
    assert kept in asyncio.run(archive(people[1], people[0]))


def test_a_disk_that_is_full_while_it_is_installed_stops_nothing(
        machine: Machine, release: Release, people: list[Account], kept: str) -> None:
    def large(root: Path) -> None:
        (root / "usr/share/snikket/large").mkdir()
        with (root / "usr/share/snikket/large/file").open("wb") as file:
            file.truncate(32 << 20)

    old = installed_version(machine).removeprefix("ii ")
    release.make(release.repacked("0.4.3", large))
    machine.done("sh", "-c", "mkdir /usr/share/snikket/large && mount -t tmpfs -o size=64k tmpfs /usr/share/snikket/large")
    process = machine.done("systemctl", "show", "-p", "MainPID", "--value", "snikket")
    answer = machine.run("snikket", "upgrade", "--yes")
    assert answer.returncode == 1 and "No space left on device" in answer.stderr, f"{answer.stderr}\n{words(machine)}"
    assert (record(machine)["step"], record(machine)["isTransient"]) == ("abandoned", True)
    assert machine.done("systemctl", "show", "-p", "MainPID", "--value", "snikket") == process
    assert_as_before(machine, people, old)
    assert kept in asyncio.run(archive(people[1], people[0]))
    machine.done("sh", "-c", "umount /usr/share/snikket/large && rmdir /usr/share/snikket/large")


def test_by_itself_come_only_releases_for_security(machine: Machine, release: Release, people: list[Account]) -> None:
    def look() -> None:
        machine.run("rm", "-f", f"{FOLDER}/looked")
        machine.done("systemctl", "start", "snikket-upgrade-check.service")

    def told() -> list:
        """What administrators are told of: whether it waits for something, whether it is for security, the version."""
        release = json.loads(machine.run("snikket", "status", "--json").stdout)["release"]
        # Nobody here administers: the message stays written.
        messages = machine.run("cat", "/var/lib/snikket/messages.json").stdout or '{"levels": {}}'
        raised = "release" in json.loads(messages)["levels"]
        return [release[name] for name in ("held", "security", "version")] if raised and release else []

    old = installed_version(machine)
    (release.served / "release").unlink()  # it says that what is installed has security problems; this is a new beginning
    release.make(release.repacked("0.5.0"))
    look()
    assert installed_version(machine) == old
    until(lambda: told() == [False, False, "0.5.0"], 60, "administrators hear of it")
    assert "new release   snikket 0.5.0: sudo snikket upgrade" in machine.done("snikket", "status")
    assert machine.done("systemctl", "is-enabled", "snikket-upgrade-check.timer").strip() == "enabled"
    machine.done("systemctl", "is-active", "snikket-upgrade-check.timer")
    release.make(release.repacked("0.5.1"), "--security")
    machine.done("sh", "-c", "echo SNIKKET_UPGRADES=no >>/etc/snikket/snikket.conf")
    look()
    assert installed_version(machine) == old
    until(lambda: told() == [False, True, "0.5.1"], 60, "they hear of it, though it is not to be installed")
    machine.done("sh", "-c", "echo SNIKKET_UPDATE_CHECK=off >>/etc/snikket/snikket.conf && snikket reload")
    until(lambda: told() == [], 60, "nobody wants to hear of it")
    machine.done("sh", "-c", "sed -i /^SNIKKET_UPDATE_CHECK/d /etc/snikket/snikket.conf && snikket reload")
    hour = int(machine.done("date", "+%H"))
    machine.done("sed", "-i", f"s/^SNIKKET_UPGRADES=no/SNIKKET_QUIET_HOURS={(hour + 12) % 24}-{(hour + 14) % 24}/", "/etc/snikket/snikket.conf")
    look()
    assert installed_version(machine) == old
    machine.done("sed", "-i", "/^SNIKKET_QUIET_HOURS/d", "/etc/snikket/snikket.conf")
    # One that would come by itself, while a server cannot start.
    machine.done("sh", "-c", "chmod a-x /usr/bin/turnserver && kill $(pidof turnserver)")
    until(lambda: machine.run("snikket", "status").returncode == 1, 60, "not everything serves")
    look()
    assert installed_version(machine) == old
    until(lambda: told() == [True, True, "0.5.1"], 60, "they hear that it waits")
    machine.done("sh", "-c", "chmod a+x /usr/bin/turnserver && snikket reload")
    until(lambda: machine.run("snikket", "status", "--login").returncode == 0, 120, "everything serves")
    look()
    until(lambda: is_over(machine) and record(machine)["step"] == "done", 180, "it is upgraded by itself")
    assert record(machine)["isUnattended"]
    assert_as_before(machine, people, "0.5.1")
    until(lambda: told() == [], 60, "nothing is waiting any more")
