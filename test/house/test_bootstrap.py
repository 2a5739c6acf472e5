"""./bootstrap run as somebody sees it who just came here: mail goes in, its file and log are shown,
Ctrl-C ends it with nothing left behind."""

import re
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from harness import wait_for
from harness.server import ROOT

DEMO = ROOT / "demo"


@pytest.fixture
def demo_folder():
    """./demo, put back as it was found."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 2525))
        except OSError:
            pytest.skip("127.0.0.1:2525 is taken")
    aside = DEMO.with_name("build") / "demo-aside"
    if DEMO.exists():
        DEMO.rename(aside)
    yield DEMO
    shutil.rmtree(DEMO, ignore_errors=True)
    if aside.exists():
        aside.rename(DEMO)


def test_demo_shows_a_message_and_stops_on_ctrl_c(demo_folder, tmp_path):
    said = tmp_path / "said"
    with open(said, "wb") as out:
        run = subprocess.Popen([ROOT / "bootstrap", "run"], stdin=subprocess.DEVNULL, stdout=out,
                               stderr=out, start_new_session=True)
    try:
        wait_for(lambda: b"Ctrl-C ends the server" in said.read_bytes() or run.poll() is not None,
                 lambda: f"the demo to be ready: {said.read_text()}", 120)
        assert run.poll() is None, said.read_text()
        text = said.read_text()
        assert "verdict=accept" in text and "verdict=delivered" in text
        command = re.search(r"build/sekisho (explain \S+ -c \S+)", text)[1].split()
        told = subprocess.run([ROOT / "build" / "sekisho", *command], cwd=ROOT, text=True,
                              capture_output=True, check=True).stdout
        assert "alice@example.org" in told
        assert len(list(demo_folder.glob("data/mail/example.org/alice/new/*"))) == 1
    finally:
        run.send_signal(signal.SIGINT)
        code = run.wait(60)
    assert code == 0, said.read_text()


def test_help_names_every_command():
    told = subprocess.run([ROOT / "bootstrap"], text=True, capture_output=True, check=True).stdout
    for command in ("run", "test", "build", "install", "uninstall", "bench", "soak", "fmt"):
        assert f"\n  {command} " in told
    assert subprocess.run([ROOT / "bootstrap", "--help"], text=True, capture_output=True,
                          check=True).stdout == told


def test_an_unknown_command_is_refused():
    done = subprocess.run([ROOT / "bootstrap", "nonsense"], text=True, capture_output=True,
                          check=False)
    assert done.returncode == 64
    assert "no such command: nonsense" in done.stderr


def test_the_demo_needs_nothing_that_only_tests_need():
    """`run` installs no test packages: the demo, and what it uses, load without pytest."""
    subprocess.run(
        [sys.executable, "-c", "import sys; sys.modules['pytest'] = None; import demo"],
        cwd=ROOT / "test", check=True)
