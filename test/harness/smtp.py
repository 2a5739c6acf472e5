"""A raw SMTP client: what is sent, and in which pieces, is the test's own decision."""

import re
import socket
import time
from dataclasses import dataclass

from .wait import Timeout, wait_for

SECONDS = 10.0  # the longest a reply may take unless the test says otherwise
REPLY_LINE_MAX = 512  # octets with CRLF, RFC 5321 §4.5.3.1.5
REPLY_LINES_MAX = 100

_REPLY_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([^\r\n]*))?\r\n")
_DSN = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |$)")


class ProtocolError(AssertionError):
    """The server sent something that RFC 5321 does not allow."""


@dataclass(frozen=True)
class Reply:
    """One reply: its code and the text of each line behind code and separator."""

    code: int
    lines: tuple

    @property
    def dsn(self):
        """The enhanced status code of the first line (RFC 3463), or None."""
        match = _DSN.match(self.lines[0])
        return match.group(1) if match else None

    @property
    def text(self):
        return "\n".join(self.lines)

    def __str__(self):
        return f"{self.code} {' / '.join(self.lines)}"


def _tcp_rows():
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(path, encoding="ascii") as rows:
                yield from list(rows)[1:]
        except FileNotFoundError:
            continue


class Smtp:
    """One connection. Nothing is sent or read but what is asked for."""

    def __init__(self, port, host="127.0.0.1", source=None, seconds=SECONDS):
        """`port` may be the path of a UNIX socket."""
        self.seconds = seconds
        self.held = b""  # received, not yet parsed
        if isinstance(port, int):
            self.sock = socket.create_connection(
                (host, port), timeout=seconds, source_address=(source, 0) if source else None)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(seconds)
            self.sock.connect(str(port))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        self.sock.close()

    def reset(self):
        """End the connection with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    # ---- sending ----

    def send(self, octets):
        self.sock.settimeout(self.seconds)
        self.sock.sendall(octets)

    def send_split(self, octets, cuts):
        """Send in pieces cut at these positions, each read by the server before the next leaves."""
        edges = [0, *sorted(set(cuts)), len(octets)]
        for begin, end in zip(edges, edges[1:]):
            if begin < end:
                self.send(octets[begin:end])
                self.wait_read()

    def wait_read(self):
        """Until the server has taken all that was sent out of its socket (or closed it)."""
        ours = self.sock.getsockname()[1]
        theirs = self.sock.getpeername()[1]

        def taken():
            for row in _tcp_rows():
                _, local, remote, _, queues = row.split()[:5]
                if (int(local.rpartition(":")[2], 16) == theirs
                        and int(remote.rpartition(":")[2], 16) == ours):
                    return int(queues.partition(":")[2], 16) == 0
            return True

        wait_for(taken, "the server to read what was sent", self.seconds, poll=0.0005)

    # ---- reading ----

    def _more(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise Timeout(f"no reply in time; so far: {self.held!r}")
        self.sock.settimeout(left)
        try:
            got = self.sock.recv(65536)
        except socket.timeout as e:
            raise Timeout(f"no reply in time; so far: {self.held!r}") from e
        self.held += got
        return got

    def _reply_line(self, deadline):
        while b"\n" not in self.held:
            if not self._more(deadline):
                raise ConnectionError(f"closed by the server; so far: {self.held!r}")
        line, _, self.held = self.held.partition(b"\n")
        line += b"\n"
        match = _REPLY_LINE.fullmatch(line)
        if match is None or len(line) > REPLY_LINE_MAX:
            raise ProtocolError(f"not a reply line: {line!r}")
        return match

    def reply(self, seconds=None):
        """Read one reply, which may have several lines."""
        deadline = time.monotonic() + (self.seconds if seconds is None else seconds)
        lines = []
        code = None
        while len(lines) < REPLY_LINES_MAX:
            match = self._reply_line(deadline)
            if code not in (None, match.group(1)):
                raise ProtocolError(f"codes differ in one reply: {code!r} {match.group(0)!r}")
            code = match.group(1)
            lines.append((match.group(3) or b"").decode("utf-8"))
            if match.group(2) != b"-":
                return Reply(int(code), tuple(lines))
        raise ProtocolError(f"a reply of over {REPLY_LINES_MAX} lines")

    def expect(self, code, seconds=None):
        """Read one reply; AssertionError unless it has this code (or one of these)."""
        reply = self.reply(seconds)
        codes = code if isinstance(code, (tuple, list, set)) else (code,)
        assert reply.code in codes, f"expected {code}, got: {reply}"
        return reply

    def closed(self, seconds=None):
        """True once the server has closed and nothing is left to read; Timeout if it does not."""
        deadline = time.monotonic() + (self.seconds if seconds is None else seconds)
        try:
            while self._more(deadline):
                pass
        except ConnectionError:
            pass
        return self.held == b""

    def silent(self, seconds):
        """True if the server sends nothing for so long."""
        self.sock.settimeout(seconds)
        try:
            self.held += self.sock.recv(65536)
        except socket.timeout:
            pass
        return self.held == b""

    # ---- speaking ----

    def cmd(self, line, seconds=None):
        """Send one command (text or octets, without CRLF) and read its reply."""
        self.send((line.encode("utf-8") if isinstance(line, str) else line) + b"\r\n")
        return self.reply(seconds)

    def hello(self, name="client.example", verb="EHLO"):
        """Read the greeting and say hello; returns the reply to EHLO."""
        self.expect(220)
        reply = self.cmd(f"{verb} {name}")
        assert reply.code == 250, str(reply)
        return reply

    def envelope(self, sender, recipients, params=""):
        """MAIL and RCPT, which must all be accepted."""
        reply = self.cmd(f"MAIL FROM:<{sender}>{' ' if params else ''}{params}")
        assert reply.code == 250, str(reply)
        for recipient in [recipients] if isinstance(recipients, str) else recipients:
            reply = self.cmd(f"RCPT TO:<{recipient}>")
            assert reply.code == 250, str(reply)

    def data(self, message, seconds=None):
        """DATA with dots stuffed; `message` has CRLF line ends. Returns the last reply."""
        reply = self.cmd("DATA")
        if reply.code != 354:
            return reply
        self.send(dot_stuffed(message))
        return self.reply(seconds)

    def quit(self):
        reply = self.cmd("QUIT")
        assert reply.code == 221, str(reply)
        assert self.closed()
        self.close()


def dot_stuffed(message):
    """`message` as DATA carries it, with the end of data (RFC 5321 §4.5.2)."""
    stuffed = re.sub(rb"(?m)^\.", b"..", message)
    if stuffed and not stuffed.endswith(b"\r\n"):
        stuffed += b"\r\n"
    return stuffed + b".\r\n"
