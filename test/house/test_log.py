"""LOG-F: whoever reads the log stalls nobody, not even at the end."""

import os
import re
import subprocess

import pytest

from harness import wait_for

REFUSED = 6000  # a line each: more than the reader's pipe, logger's hands and the roles' pipe hold


def refuse_many(server, left=REFUSED):
    """Sessions in which each recipient is refused, until that many lines were written."""
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


def test_reader_that_is_gone_stops_nobody(new_server):
    server = new_server()
    read_end, write_end = os.pipe()
    server.process = subprocess.Popen(
        [server.build / "sekisho", "run", "-c", server.conf], cwd=server.dir, env=server.env,
        stdin=subprocess.DEVNULL, stdout=write_end, stderr=write_end, start_new_session=True)
    os.close(write_end)
    server.wait_greeting()
    os.close(read_end)
    for n in range(3):
        server.deliver(["alice@example.org"], b"Subject: x\r\n\r\nx\r\n")
        server.wait_delivered(n + 1)
    assert len(server.pids("logger")) == 1


@pytest.mark.needs_root("a small disk is mounted")
def test_full_disk_stops_nobody_and_the_lost_lines_are_counted(new_server, tmp_path):
    server = new_server(options={"smtp_max_errors": 1000})
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], check=True)
    try:
        server.log_path = tmp_path / "log"
        server.start()
        filler = tmp_path / "filler"
        with pytest.raises(OSError, match="No space"):
            filler.write_bytes(b"x" * 100_000)
        refuse_many(server, 300)
        server.deliver(["alice@example.org"], b"Subject: x\r\n\r\nx\r\n")
        server.wait_delivered(1)
        assert server.log_octets().count(b"reason=no_such_user") < 300
        filler.unlink()
        server.deliver(["alice@example.org"], b"Subject: y\r\n\r\ny\r\n")
        told = wait_for(lambda: re.findall(rb"\nlevel=warn role=logger .* event=log_lost lines=(\d+)\n",
                                           server.log_octets()), server.log_tail)
        kept = server.log_octets().count(b"reason=no_such_user")
        assert 295 <= kept + sum(map(int, told)) <= 305  # one line is cut; some tell of others
        server.wait_delivered(2)
        server.stop()
        server.log_path = server.dir / "log"  # the cut line is no logfmt
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)
