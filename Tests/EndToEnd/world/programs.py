"""Programs that a test writes and starts."""

import subprocess
from pathlib import Path


def put_program(place: Path, text: str) -> Path:
    """Writes a program that can be started at once.

    Another process writes it: a file that this one writes to is open in the children of its other threads too, until they have become
    what they are started for, and so long execve(2) refuses it (ETXTBSY).
    """
    subprocess.run(["install", "--mode=755", "/dev/stdin", str(place)], input=text.encode(), check=True)
    return place
