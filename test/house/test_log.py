"""LOG-F: whoever reads the log stalls nobody, not even at the end."""

import os
import subprocess

REFUSED = 6000  # a line each: more than the reader's pipe, logger's hands and the roles' pipe hold


def refuse_many(server):
    """Sessions in which each recipient is refused, until that many lines were written."""
    left = REFUSED
    while left > 0:
        with server.smtp() as client:
            client.hello()
            assert client.cmd("MAIL FROM:<s@example.net>").code == 250
            for _ in range(min(left, 400)):
                assert client.cmd("RCPT TO:<nobody@example.org>").code == 550
                left -= 1


def test_reader_that_stalls_stalls_nobody(new_server):
    server = new_server(options={"drain": 1, "smtp_max_errors": 1000})
    read_end, write_end = os.pipe()
    server.process = subprocess.Popen(
        [server.build / "sekisho", "run", "-c", server.conf], cwd=server.dir, env=server.env,
        stdin=subprocess.DEVNULL, stdout=write_end, stderr=write_end, start_new_session=True)
    os.close(write_end)
    server.wait_greeting()
    refuse_many(server)
    server.deliver(["alice@example.org"], b"Subject: x\r\n\r\nx\r\n")
    server.wait_delivered(1)
    server.stop()  # logger, which waits for the reader, is not waited for
    os.set_blocking(read_end, False)
    assert 0 < os.read(read_end, 1 << 20).count(b"\n") < REFUSED
    os.close(read_end)
