"""`sendmail` as programs call it, against a server whose first domain has the machine's users."""

import os
import subprocess

WWW_DATA = 33
DAEMON = 1

SECTIONS = """
local "www-data" { senders = {"web@example.org"} rate = 5/h }
"""


class Local:
    """A running server and calls of its sendmail."""

    def __init__(self, server):
        self.server = server
        self.socket = server.data_dir / "submit"
        self.env = {**os.environ, "SEKISHO_SUBMIT": str(self.socket),
                    "SEKISHO_CONF": str(server.conf)}

    def popen(self, *args, uid=0, name="sendmail"):
        return subprocess.Popen(
            [name, *args], executable=self.server.build / "sekisho-sendmail", env=self.env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, user=uid,
            group=uid, extra_groups=[], cwd="/")

    def call(self, *args, message=b"Subject: hello\n\nbody\n", uid=0, name="sendmail", code=0,
             seconds=60):
        """Run it; it must exit with <code>. Returns (stdout, stderr)."""
        with self.popen(*args, uid=uid, name=name) as call:
            out, err = call.communicate(message, timeout=seconds)
        assert call.returncode == code, (args, call.returncode, out, err)
        return out.decode(), err.decode()

    def one(self, address="alice@example.org", count=1):
        """The only mail there, as octets; the mailbox is empty afterwards."""
        files = self.server.wait_delivered(count, address)
        octets = files[0].read_bytes()
        for path in files:
            path.unlink()
        return octets


def parts(octets):
    """(header fields as (name, value) in order, body) of a delivered mail, ours on top left out."""
    head, _, body = octets.partition(b"\n\n")
    lines = []
    for line in head.decode("utf-8", "replace").split("\n"):
        if line[:1] in " \t":
            lines[-1] += "\n" + line
        else:
            lines.append(line)
    fields = [tuple(line.split(":", 1)) for line in lines]
    return [(name, value.strip()) for name, value in fields
            if name not in ("Return-Path", "X-Original-To", "Delivered-To", "Received")], body
