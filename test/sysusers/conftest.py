"""A server whose mailboxes are the homes of a test's users."""

import pytest

from harness import UserServer

OPTIONS = {"retry_first": 1, "retry_most": 1, "system_deliver_idle": 2}


@pytest.fixture
def new_house(new_homes, new_server):
    """new_house(*users, **options): it runs, and all its roles have said that they stand."""
    def make(*users, at=None, **options):
        server = new_server(kind=UserServer, homes=new_homes(*users, at=at),
                            options={**OPTIONS, **options}).start()
        server.wait_log(event="started")
        return server
    return make
