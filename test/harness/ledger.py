"""The oracle of all crash tests (what was answered 250 is there, nothing else is anywhere), and
the load that fills it.

The ledger lives in this process, not on the disk under test. For each message it knows the
envelope, the content in kept form (LF line ends), how far it was sent, and the exact reply to
the end of data.
"""

import asyncio
import collections
import hashlib
import os
import random
import threading
import time
from dataclasses import dataclass, field

from .wait import wait_for

# What edge and deliver put above a message, in this order (doc/ARCHITECTURE.md).
ADDED = (b"Return-Path:", b"X-Original-To:", b"Delivered-To:", b"Received:")


def kept_digest(octets):
    return hashlib.sha256(octets).hexdigest()


def strip_added(octets):
    """(values of the added fields, the rest) of a delivered file; ValueError if one is missing."""
    values = {}
    for name in ADDED:
        if not octets.startswith(name):
            raise ValueError(f"expected {name.decode()} at {octets[:60]!r}")
        end = octets.index(b"\n") + 1
        while octets[end:end + 1] in (b" ", b"\t"):
            end = octets.index(b"\n", end) + 1
        values[name[:-1].decode()] = octets[len(name):end].decode("utf-8", "replace").strip()
        octets = octets[end:]
    return values, octets


def queue_is_empty(server):
    done = server.cli("queue", "list", "--json", check=False)
    return done.returncode == 0 and '"id"' not in done.stdout


@dataclass
class Entry:
    """One message that was tried."""

    id: str
    sender: str
    digest: str
    rcpts: list = field(default_factory=list)  # answered 250
    dot_sent: bool = False
    code: int = 0  # of the reply to the end of data; 0: none came
    kept_as: str = ""  # the id in that reply
    at: float = 0.0


class Ledger:
    def __init__(self):
        self.entries = {}
        self.failures = collections.Counter()  # code -> how often, where it was no 2xx or 3xx
        self.power_off = False
        self.lock = threading.Lock()

    def power(self, on):
        """Off: replies from now on do not count. A machine without power sends none; one whose disk
        alone has been cut may (ext4 lets an fsync that waits for an aborted commit succeed)."""
        with self.lock:
            self.power_off = not on

    def answered(self, entry, code, kept_as):
        with self.lock:
            if not self.power_off:
                entry.code, entry.kept_as = code, kept_as

    def new(self, entry):
        with self.lock:
            self.entries[entry.id] = entry

    def failed(self, code):
        with self.lock:
            self.failures[code] += 1

    def kept(self):
        """How many were answered 250."""
        with self.lock:
            return sum(e.code == 250 for e in self.entries.values())

    def settle(self, server, crashes, seconds=90):
        """Let everything be delivered, then hold what is there against what was promised."""
        wait_for(lambda: queue_is_empty(server), lambda: f"an empty queue\n{server.log_tail()}", seconds,
                 poll=0.1)
        wrong = self.problems(server, crashes)
        assert not wrong, "\n".join(wrong[:20])
        self._bodies_go(server)

    def _bodies_go(self, server):
        """L5. Bodies whose message was never kept may stay a while; once old, a start removes them."""
        folder = server.data_dir / "spool" / "body"
        server.stop()
        for path in folder.iterdir():
            os.utime(path, (0, 0))
        server.start()
        wait_for(lambda: not any(folder.iterdir()), lambda: f"no body left: {list(folder.iterdir())}", 20)

    def problems(self, server, crashes=0, rcpt_mailbox=lambda rcpt: rcpt):
        """L1 to L6 of RELIABILITY 4.2 over what lies in the server's Maildirs: a list of texts."""
        found = collections.Counter()
        wrong = []
        for path in server.mails():
            wrong += self._one_file(path, server.mailbox_of(path), found, rcpt_mailbox)
        for e in self.entries.values():
            if e.code != 250:
                continue
            for rcpt in e.rcpts:
                copies = found[e.id, rcpt_mailbox(rcpt)]
                if copies == 0:
                    wrong.append(f"L1: {e.id} was answered 250 and is not in {rcpt}\n"
                                 + "\n".join(line.decode("utf-8", "replace")
                                             for line in server.log_octets().split(b"\n")
                                             if e.kept_as.encode() in line))
                if copies > 1 + crashes:
                    wrong.append(f"L3: {e.id} is {copies} times in {rcpt} after {crashes} crashes")
        for code in self.failures:
            if code and not 400 <= code < 500:
                wrong.append(f"L6: {self.failures[code]} failures with {code}")
        return wrong

    def _one_file(self, path, mailbox, found, rcpt_mailbox):
        octets = path.read_bytes()
        try:
            values, rest = strip_added(octets)
        except ValueError as why:
            return [f"L4: {path.name}: {why}"]
        mid = next((line.split(b":", 1)[1].strip().decode() for line in rest.split(b"\n", 40)
                    if line.startswith(b"X-Ledger-Id:")), None)
        e = self.entries.get(mid)
        if e is None:
            return [f"L4: {path.name}: content of nobody ({mid})"]
        if not e.dot_sent:
            return [f"L2: {mid} was never sent whole and is delivered"]
        wrong = []
        if values["Delivered-To"] != mailbox:
            wrong.append(f"L4: {mid} for {values['Delivered-To']} lies in {mailbox}")
        if mailbox not in map(rcpt_mailbox, e.rcpts):
            wrong.append(f"L4: {mid} lies in {mailbox}, not in its envelope")
        if values["Return-Path"] != f"<{e.sender}>":
            wrong.append(f"L4: {mid} has Return-Path {values['Return-Path']}")
        if kept_digest(rest) != e.digest:
            wrong.append(f"L1: {mid} in {mailbox} is not what was sent ({len(rest)} octets)")
        found[mid, mailbox] += 1
        return wrong

    def copies(self, server):
        """Files beyond one for each (message, recipient): the allowed duplicates, for the report."""
        wanted = sum(len(e.rcpts) for e in self.entries.values() if e.code == 250)
        return len(server.mails()) - wanted


class Load:
    """Connections that send messages until stopped; what happens is written into the ledger.

    A connection that breaks, or a 4xx, is noted and tried anew with a new message.
    """

    def __init__(self, port, ledger, connections=8, rcpts=("alice@example.org", "bob@example.org"),
                 sizes=(200, 4096, 4096, 4096, 20000, 100000), seed=1, host="127.0.0.1",
                 most=None):
        self.port, self.host = port, host
        self.ledger = ledger
        self.connections = connections
        self.rcpts, self.sizes = rcpts, sizes
        self.seed = seed
        self.most = most  # messages to begin, None: until stopped
        self.begun = 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.stop()

    def stop(self):
        self.stopping.set()
        self.thread.join(60)
        assert not self.thread.is_alive(), "the load did not end"

    def wait_all(self, seconds=60):
        """Until `most` messages have been tried."""
        self.thread.join(seconds)
        assert not self.thread.is_alive(), f"{self.begun} of {self.most} messages in time"

    def wait_kept(self, n, seconds=60):
        """Until n more messages than now are answered 250."""
        target = self.ledger.kept() + n
        end = time.monotonic() + seconds
        while self.ledger.kept() < target:
            assert time.monotonic() < end, f"{self.ledger.kept()} of {target} kept in time"
            time.sleep(0.002)

    async def _run(self):
        await asyncio.gather(*(self._connection(i) for i in range(self.connections)))

    async def _connection(self, number):
        rng = random.Random(self.seed * 1000 + number)
        while not self.stopping.is_set() and (self.most is None or self.begun < self.most):
            try:
                await self._session(rng)
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await asyncio.sleep(0.005)
            except asyncio.TimeoutError:
                self.ledger.failed(599)  # a hang is worse than any reply

    async def _session(self, rng):
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            if (await self._reply(reader))[0] == 220 and \
                    await self._command(reader, writer, b"EHLO load.example.net") == 250:
                for _ in range(rng.randrange(1, 20)):
                    if self.stopping.is_set() or not await self._message(reader, writer, rng):
                        break
            writer.write(b"QUIT\r\n")
        finally:
            writer.close()

    async def _reply(self, reader):
        code, last = await self._any_reply(reader)
        if code >= 400:
            self.ledger.failed(code)
        return code, last

    async def _any_reply(self, reader):
        """(code, last word), whatever it is."""
        while True:
            line = await asyncio.wait_for(reader.readuntil(b"\r\n"), 60)
            if line[3:4] != b"-":
                return int(line[:3]), line.decode().split()[-1]

    async def _command(self, reader, writer, line):
        return (await self._command_id(reader, writer, line))[0]

    async def _command_id(self, reader, writer, line):
        writer.write(line + b"\r\n")
        await writer.drain()
        return await self._reply(reader)

    async def _message(self, reader, writer, rng):
        self.begun += 1
        mid = f"{self.seed}-{self.begun}-{rng.getrandbits(48):x}"
        sender = f"s{rng.randrange(1000)}@load.example.net"
        content = self._content(mid, rng)
        entry = Entry(mid, sender, kept_digest(content.replace(b"\r\n", b"\n")))
        self.ledger.new(entry)
        if await self._command(reader, writer, b"MAIL FROM:<%s>" % sender.encode()) != 250:
            return False
        for rcpt in rng.sample(self.rcpts, rng.randrange(1, len(self.rcpts) + 1)):
            if await self._command(reader, writer, b"RCPT TO:<%s>" % rcpt.encode()) == 250:
                entry.rcpts.append(rcpt)
        if not entry.rcpts or await self._command(reader, writer, b"DATA") != 354:
            return False
        writer.write(content.replace(b"\r\n.", b"\r\n.."))
        await writer.drain()
        entry.dot_sent = True  # from here on it may have arrived whole
        entry.at = time.time()
        code, kept_as = await self._command_id(reader, writer, b".")
        self.ledger.answered(entry, code, kept_as)
        return code == 250

    def _content(self, mid, rng):
        head = (f"From: s@load.example.net\r\nTo: r@example.org\r\nSubject: {mid}\r\n"
                f"X-Ledger-Id: {mid}\r\n\r\n").encode()
        size = rng.choice(self.sizes)
        line = (b".%x " % rng.getrandbits(64) + mid.encode() * 3)[:76] + b"\r\n"
        return head + line * max(1, (size - len(head)) // len(line))
