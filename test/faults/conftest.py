"""A server whose calls strace can make fail, and what all tests of faults ask of it."""

import pytest

from harness import FAULTS_BUILD


@pytest.fixture
def faulty(new_server):
    """Starts a server of the build in which seccomp refuses instead of killing."""
    if not (FAULTS_BUILD / "sekisho").exists():
        pytest.skip(f"no build with -Dfaults=true at {FAULTS_BUILD}")

    def make(**how):
        options = {"retry_first": 1, "retry_most": 1, **how.pop("options", {})}
        server = new_server(build=FAULTS_BUILD, options=options, **how).start()
        server.wait_log(event="started")  # a call that fails at a role's start ends it, and should
        return server
    return make
