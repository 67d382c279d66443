"""What a command says when it does not do what was asked: what happened, why, and what helps, each fitting the case."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from world.appliance import CONFIGURATION, installation, scratch

FRONT = ["--set", "SNIKKET_TWEAK_WEB_PROXY_PROTOS=http", "--set", "SNIKKET_TRUSTED_PROXIES=127.0.0.1", "--set", "SNIKKET_TWEAK_HTTP_PORT=5080"]
HERE = ["--config", "{folder}/snikket.conf", "--state", "{folder}/state"]

# What is typed; the exit status; a part of what happened, of why, and of what helps.
REFUSALS = {
    "a command that there is not": (["frobnicate"], 64, "`snikket`", "'frobnicate'", "snikket help"),
    "a word too many": (["invite", "create", "bob"], 64, "`snikket invite create` is not used like this", "'bob'", "snikket help invite create"),
    "fewer than no lines": (["logs", "--lines", "-1"], 64, "`snikket logs`", "--lines has to be 0 or more", "snikket help logs"),
    "no lines at all": (["logs", "--lines"], 64, "`snikket logs`", "'--lines", "snikket help logs"),
    "a backup on top of something": (
        ["backup", "create", *HERE, "--to", "{folder}/there"], 1, "cannot write {folder}/there", "file exists", "name another, or remove that one"),
    "a backup where nothing can be": (
        ["backup", "create", *HERE, "--to", "/proc/x"], 1, "cannot write /proc/", "no such file", "name a place in a folder that is there"),
    "no such passphrase": (
        ["backup", "create", *HERE, "--passphrase-file", "{folder}/none"], 1, "cannot read {folder}/none", "no such file", "name one that is there"),
    "no such state": (
        ["backup", "create", *HERE[:2], "--state", "{folder}/none"], 1, "cannot read {folder}/none", "no such file", "name one that is there"),
    "no such portal": (["portal", "--file", "{folder}/none"], 1, "cannot read {folder}/none", "no such file", "name one that is there"),
    "no such backup": (["backup", "verify", "{folder}/none"], 64, "there is no backup {folder}/none", "no such file", "snikket backup list"),
    "a folder for a backup": (["backup", "verify", "{folder}"], 64, "{folder} is no backup", "a backup is one file", "snikket backup list"),
    "a file for a folder": (
        ["backup", "list", *HERE, "--from", "{folder}/there"], 64, "{folder}/there is no folder", "in a folder", "snikket backup verify"),
    "an option that there is not": (["config", "explain", "FOO"], 64, "no option \"FOO\"", "no option has a name like that", "snikket config list"),
    "a wrong option on the command line": (
        ["backup", "list", *HERE[:2], "--set", "FOO=1"], 78, "one problem in what the command line sets", "FOO is no option", "correct --set;"),
    "a mail server without a scheme": (
        ["backup", "list", *HERE[:2], "--set", "SNIKKET_SMTP_URL=mail.example.org"], 78, "what the command line sets",
        "SNIKKET_SMTP_URL is no address of a server: its value does not begin with smtp:// or smtps://", "config explain"),
    "two mistakes in two places": (
        ["backup", "list", "--config", "{folder}/wrong.conf", "--set", "FOO=1"], 78, "2 problems in {folder}/wrong.conf and what the command line sets",
        "line 3: ", "correct both;"),
    "a website that nobody spoke of": (
        ["render", *HERE, "--target", "website=nginx"], 78, "is not said to be a website", "SNIKKET_WEB_HOST is not set", "put SNIKKET_WEB_HOST="),
    "a certificate without its key": (
        ["render", *HERE, "--target", "proxy=nginx", "--certificate", "{folder}/there"], 64, "`snikket render`", "belong together", "snikket help render"),
    "a key without its certificate": (
        ["render", *HERE, "--target", "proxy=nginx", "--key", "{folder}/there"], 64, "`snikket render`", "belong together", "snikket help render"),
    "a certificate for who has its own": (
        ["render", *HERE, "--target", "proxy=caddy", "--certificate", "{folder}/there", "--key", "{folder}/there"], 64, "`snikket render`",
        "--target proxy=nginx and proxy=apache only", "snikket help render"),
    "a certificate that is not there": (
        ["render", *HERE, *FRONT, "--target", "proxy=nginx", "--certificate", "{folder}/there", "--key", "{folder}/none"], 1,
        "cannot read {folder}/none", "no such file", "name one that is there"),
    "neither a terminal nor a good answer": (
        ["init", "--config", "{folder}/new.conf", "--domain", "localhost", "--email", "foo"], 64, "no terminal to ask on",
        "--agree-tos not given\nsnikket: cause: --email is not an e-mail address", "snikket init --domain NAME"),
}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with scratch("refusals") as folder:
        (folder / "snikket.conf").write_text(CONFIGURATION)
        (folder / "wrong.conf").write_text(CONFIGURATION + "nonsense\n")
        (folder / "there").write_text("here already\n")
        (folder / "state").mkdir()
        for path in (folder, *folder.iterdir()):
            os.chown(path, 59_998 if os.geteuid() == 0 else os.geteuid(), -1)
        yield folder


def run(*arguments: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """As somebody who is not root."""
    who = {"user": 59_998, "group": 59_998, "extra_groups": []} if os.geteuid() == 0 else {}
    return subprocess.run(
        [str(installation() / "bin/snikket"), *arguments], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, cwd=folder,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(folder), **environment}, **who)


@pytest.mark.parametrize("what", REFUSALS)
def test_a_refusal_says_what_why_and_what_helps(what: str, folder: Path) -> None:
    arguments, code, *parts = REFUSALS[what]
    answer = run(*(argument.format(folder=folder) for argument in arguments), folder=folder)
    assert answer.returncode == code, answer.stderr + answer.stdout
    lines = answer.stderr.splitlines()
    marks = ["snikket: error: ", "snikket: cause: ", "snikket: try:   "]
    assert lines[0].startswith(marks[0]) and lines[1].startswith(marks[1]) and lines[-1].startswith(marks[2]), answer.stderr
    error, cause, remedy = lines[0], "\n".join(lines[1:-1]), lines[-1]
    for text, part in zip((error, cause, remedy), parts, strict=True):
        assert part.format(folder=folder) in text, answer.stderr
    assert "sudo" not in answer.stderr


def test_a_moment_is_told_with_its_time_zone(folder: Path) -> None:
    backups = folder / "backups"
    backups.mkdir()
    (backups / "snikket-chat.example.org-20261126T224000Z.tar.zst").touch()
    answer = run("backup", "list", "--from", str(backups), folder=folder, TZ="FAR-9")
    assert "2026-11-27 07:40 FAR" in answer.stdout, answer.stdout + answer.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_whom_files_are_rendered_for(shell: str, folder: Path) -> None:
    script = run("--generate-completion-script", shell, folder=folder).stdout
    assert all(target in script for target in ("quadlet", "proxy=haproxy", "website=caddy"))
