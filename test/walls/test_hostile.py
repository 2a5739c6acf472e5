"""SBX-1: each role, taken over, tries to break out; what happens equals the golden table.

Needs a build with -Dhostile=true (SEKISHO_HOSTILE_BUILD): the same profiles, seccomp killing as in
release, and a mode in which the role tries each way itself.
"""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import BUILD

pytestmark = pytest.mark.needs_root("walls are put up as root")

HOSTILE = Path(os.environ.get("SEKISHO_HOSTILE_BUILD", BUILD.parent / "build-hostile"))
GOLDEN = Path(__file__).parent / "golden" / "hostile.tsv"
UID = "52990"


def golden():
    """role -> way -> outcome, from the table: a row a way, a column a role."""
    rows = [line.split("\t") for line in GOLDEN.read_text().splitlines()]
    roles = rows[0][1:]
    return {role: {row[0]: row[1 + i] for row in rows[1:]} for i, role in enumerate(roles)}


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="sekisho-hostile-") as name:
        os.chmod(name, 0o700)
        os.chown(name, int(UID), int(UID))
        yield name


@pytest.mark.parametrize("role", sorted(golden()))
def test_ways_out_are_shut(role, folder):
    name, _, whose = role.partition(" for a ")  # "deliver for a user": in the user's home
    exe = HOSTILE / f"sekisho-{name}"
    if not exe.exists():
        pytest.skip(f"no hostile build at {HOSTILE}")
    done = subprocess.run([exe, "hostile", UID, UID, folder, *whose.split()], capture_output=True, text=True,
                          timeout=60, check=True)
    outcome = dict(line.split("\t") for line in done.stdout.splitlines())
    assert outcome == golden()[role]
