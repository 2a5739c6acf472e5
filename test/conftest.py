"""Fixtures of all whole-system tests: a server a test, a random source with a printed seed, rounds."""

import os
import random
import shutil
import time

import pytest

from harness import Homes, Server

SEED = int(os.environ.get("SEKISHO_SEED") or random.SystemRandom().randrange(2**32))
SOAK_MINUTES = float(os.environ.get("SEKISHO_SOAK_MINUTES") or 0)


def pytest_report_header():
    return f"seed: SEKISHO_SEED={SEED}"


def pytest_runtest_setup(item):
    for mark in item.iter_markers("needs_root"):
        if os.geteuid() != 0:
            pytest.skip(f"needs root: {mark.args[0]}")
    for mark in item.iter_markers("needs_release"):
        if os.environ.get("SEKISHO_SANITIZED"):
            pytest.skip(f"not under a sanitizer: {mark.args[0]}")
    for mark in item.iter_markers("needs_tool"):
        missing = [name for name in mark.args if shutil.which(name) is None]
        if missing:
            pytest.skip(f"not installed: {', '.join(missing)}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    setattr(item, f"report_{report.when}", report)
    if not report.failed:
        return
    report.sections.append(
        ("run it again", f"SEKISHO_SEED={SEED} python3 -m pytest '{item.nodeid}'"))
    for made in getattr(item, "servers", []):
        report.sections.append((f"log of {made.dir}", made.log_tail()))


def _failed(item):
    reports = [getattr(item, f"report_{when}", None) for when in ("setup", "call")]
    return any(report is not None and report.failed for report in reports)


def _finish(server, item):
    """Stop it with every check; its folder stays where the test failed."""
    try:
        server.stop()
        assert not server.complaints(), server.complaints()
    finally:
        server.kill()
    if not _failed(item):
        server.remove()


@pytest.fixture
def new_server(request):
    """Makes servers (not started); each is stopped and checked at the end of the test."""
    made = request.node.servers = []

    def make(kind=Server, **how):
        one = kind(**how)
        made.append(one)
        request.addfinalizer(lambda: _finish(one, request.node))
        return one

    return make


@pytest.fixture
def server(new_server):
    """A running server with the usual domain and accounts."""
    return new_server().start()


@pytest.fixture
def new_homes(request):
    """Makes users of the machine with homes (as root, else the test is skipped)."""
    if os.geteuid() != 0:
        pytest.skip("needs root: a passwd of its own, and processes of its users")

    def make(*users, **how):
        homes = Homes(users, **how)
        request.addfinalizer(homes.remove)
        return homes

    return make


@pytest.fixture
def rng(request):
    """A random source of this test's own; the seed is printed and repeats it."""
    return random.Random(f"{SEED} {request.node.nodeid}")


@pytest.fixture
def rounds(request):
    """rounds(n): 0, 1, ... n-1; in a soak (SEKISHO_SOAK_MINUTES) on until this test's share of it."""
    sharing = sum("rounds" in item.fixturenames for item in request.session.items)

    def count(n):
        end = time.monotonic() + SOAK_MINUTES * 60 / sharing
        i = 0
        while i < n or time.monotonic() < end:
            yield i
            i += 1
        print(f"{request.node.name}: {i} rounds")

    return count


def pytest_make_parametrize_id(val, argname):
    """A long text is no name."""
    if isinstance(val, (str, bytes)) and len(val) > 60:
        return f"{argname}_of_{len(val)}"
    return None
