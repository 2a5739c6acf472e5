"""Fixtures of these tests; what they import by name is in conftest_local."""

import pytest
from harness.local import SECTIONS, Local


@pytest.fixture
def local(new_server):
    return Local(new_server(extra=SECTIONS).start())
