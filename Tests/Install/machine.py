"""A Debian with systemd as its first process, in podman: near enough to a VPS that was ordered a minute ago."""

import os
import subprocess
import uuid
from pathlib import Path

from world.waiting import until

CHECKOUT = Path(__file__).resolve().parents[2]
IMAGES = os.environ.get("SNIKKET_VPS_IMAGES", "localhost/snikket-debian-systemd")
PROGRAMS = Path(os.environ.get("SNIKKET_PROGRAMS") or CHECKOUT / ".build/release")


class Machine:
    """One machine; what is copied to it is the checkout's files and programs that were built before."""

    domain = "chat.example.org"

    def __init__(self, debian: int = 12) -> None:
        self.name = f"snikket-vps-{uuid.uuid4().hex[:8]}"
        self.debian = debian
        self.image = f"{IMAGES}:{debian}"

    def __enter__(self) -> "Machine":
        # runc and both limits: without them systemd does not come up in a container here. SYS_ADMIN lets the unit's
        # sandbox take effect.
        self._podman(
            "--runtime", "runc", "run", "-d", "--name", self.name, "--systemd=always", "--cap-add=SYS_ADMIN",
            "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000", "--network=host", self.image, "/sbin/init")
        try:
            self._wait_until_it_runs()
            self._bring_the_checkout()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._podman("rm", "-f", "-t", "5", self.name)

    def run(self, *command: str, seconds: float = 600, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Runs a command in it, without a terminal."""
        return subprocess.run(
            ["podman", "--runtime", "runc", "exec", "-i", self.name, *command],
            capture_output=True, text=True, timeout=seconds, input=stdin)

    def done(self, *command: str, seconds: float = 600) -> str:
        """What a command printed; it has to succeed."""
        answer = self.run(*command, seconds=seconds)
        assert answer.returncode == 0, f"{command}: {answer.returncode}\n{answer.stdout}\n{answer.stderr}\n{self.journal()}"
        return answer.stdout

    def install(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("/root/snikket/install.sh", *arguments, "--binaries", "/root/programs", seconds=900)

    def begin(self, *command: str) -> subprocess.Popen[str]:
        """The same, while something else is done: what it says can be read line by line."""
        return subprocess.Popen(
            ["podman", "--runtime", "runc", "exec", self.name, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def hold_lock(self, file: str, unit: str, seconds: int = 600) -> str:
        """Somebody has it for so long, or until that unit is stopped: as apt does it, with struct flock (fcntl(2)). The process that has it."""
        holding = "use Fcntl; open(F, '>>', $ARGV[0]) or die; my $all = pack('s s x4 q q i x4', F_WRLCK, 0, 0, 0, 0); " \
                  "fcntl(F, F_SETLK, $all) or die; sleep $ARGV[1]"
        self.done("systemd-run", f"--unit={unit}", "--service-type=exec", "perl", "-e", holding, file, str(seconds))
        process = self.done("systemctl", "show", "-P", "MainPID", unit).strip()
        until(lambda: f" {process} " in self.done("cat", "/proc/locks"), 10, "it has the lock")
        return process

    def copy(self, file: Path, to: str) -> None:
        """Brings a file to a path there."""
        subprocess.run(
            ["podman", "--runtime", "runc", "exec", "-i", self.name, "sh", "-c", f"cat >{to}"], input=file.read_bytes(), check=True)

    def journal(self) -> str:
        return self.run("journalctl", "-u", "snikket", "-n", "60", "--no-pager", "-o", "cat").stdout

    def reboot(self) -> None:
        self._podman("restart", "-t", "60", self.name)
        self._wait_until_it_runs()

    def power_cut(self) -> None:
        """Everything ends at once, and the machine is started again."""
        self._podman("kill", "--signal", "KILL", self.name)
        self._podman("wait", self.name)
        self._podman("start", self.name)
        self._wait_until_it_runs()

    def _wait_until_it_runs(self) -> None:
        def runs() -> bool:
            return self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")

        until(runs, 60, "systemd has started everything")

    def _bring_the_checkout(self) -> None:
        files = subprocess.run(
            ["git", "-C", str(CHECKOUT), "-c", "safe.directory=*", "ls-files", "-z", "install.sh", "templates", "README.md"],
            capture_output=True, check=True).stdout
        archive = subprocess.run(
            ["tar", "-C", str(CHECKOUT), "--null", "-T", "-", "-c"], input=files, capture_output=True, check=True).stdout
        self._unpack(archive, "/root/snikket")
        self._unpack(subprocess.run(
            ["tar", "-C", str(PROGRAMS.resolve()), "-c", "snikket", "snikket-certs"], capture_output=True, check=True).stdout,
            "/root/programs")

    def _unpack(self, archive: bytes, to: str) -> None:
        self.done("mkdir", "-p", to)
        subprocess.run(
            ["podman", "--runtime", "runc", "exec", "-i", self.name, "tar", "-C", to, "-x"], input=archive, check=True)

    @staticmethod
    def _podman(*arguments: str) -> str:
        answer = subprocess.run(["podman", *arguments], capture_output=True, text=True, timeout=180)
        assert answer.returncode == 0, (arguments, answer.stderr)
        return answer.stdout
