"""What the operator's tests share."""

import pytest


@pytest.fixture
def stuck(new_server):
    """A server that keeps all mail of example.org in its queue: a file lies where the mailboxes'
    folder should be."""
    server = new_server(options={"retry_first": 3600}).start()
    server.stop()
    (server.data_dir / "mail" / "example.org").write_bytes(b"")
    return server.start()
