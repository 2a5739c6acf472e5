"""An LMTP server that keeps what it answers 250 for, as files that the ledger can read.

It is a machine of its own: no fault of the server under test touches it. Told to, it refuses or hangs up.
"""

import os
import socket
import threading
from pathlib import Path


class Sink:
    """Listens on a port from `open` to `close`; `.root`/DOMAIN/USER/new/ has what it took.

    `refusing` (a reply) is what each recipient hears behind the dot; `hanging_up` ends a session
    at the dot: "before" it has kept the message, or "after", when the client cannot know.
    """

    def __init__(self, root):
        self.root = Path(root)
        self.refusing = None
        self.hanging_up = None
        self.count = 0
        self.lock = threading.Lock()
        self.sessions = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def mails(self):
        return sorted(self.root.glob("*/*/new/*"))

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for sock in list(self.sessions):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join(10)

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        self.sessions.add(sock)
        try:
            with sock, sock.makefile("rwb") as stream:
                _Session(self, stream).run()
        except OSError:
            pass
        finally:
            self.sessions.discard(sock)

    def keep(self, sender, rcpt, content):
        """Durable before the reply, under a name of its own."""
        user, _, domain = rcpt.rpartition("@")
        folder = self.root / domain / user / "new"
        folder.mkdir(parents=True, exist_ok=True)
        with self.lock:
            self.count += 1
            path = folder / f"{self.count}.sink"
        head = f"Return-Path: <{sender}>\nX-Original-To: {rcpt}\nDelivered-To: {rcpt}\n".encode()
        with open(path.with_suffix(".part"), "wb") as f:
            f.write(head + content)
            f.flush()
            os.fsync(f.fileno())
        path.with_suffix(".part").rename(path)


class _Session:
    def __init__(self, sink, stream):
        self.sink = sink
        self.stream = stream
        self.forget()

    def forget(self):
        self.sender = None
        self.rcpts = []

    def say(self, *lines):
        for n, line in enumerate(lines):
            mark = " " if n == len(lines) - 1 else "-"
            self.stream.write(f"{line[:3]}{mark}{line[4:]}\r\n".encode())
        self.stream.flush()

    def run(self):
        self.say("220 sink.example LMTP")
        while line := self.stream.readline(8192):
            verb, _, arg = line.decode("utf-8", "replace").strip().partition(" ")
            handler = getattr(self, f"on_{verb.lower()}", None)
            if handler is None:
                self.say("500 5.5.1 no such command")
            elif handler(arg) is False:
                return

    def on_lhlo(self, _):
        self.say("250 sink.example", "250 PIPELINING", "250 8BITMIME", "250 SMTPUTF8", "250 SIZE")

    def on_mail(self, arg):
        self.sender = arg[arg.index("<") + 1:arg.index(">")]
        self.say("250 2.1.0 ok")

    def on_rcpt(self, arg):
        self.rcpts.append(arg[arg.index("<") + 1:arg.rindex(">")])
        self.say("250 2.1.5 ok")

    def on_rset(self, _):
        self.forget()
        self.say("250 2.0.0 ok")

    def on_noop(self, _):
        self.say("250 2.0.0 ok")

    def on_quit(self, _):
        self.say("221 2.0.0 bye")
        return False

    def content(self):
        """Dots unstuffed, with LF line ends; None where the client left first."""
        lines = []
        while (line := self.stream.readline()) != b".\r\n":
            if not line.endswith(b"\r\n"):
                return None
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines).replace(b"\r\n", b"\n")

    def on_data(self, _):
        self.say("354 go on")
        content = self.content()
        refusing, hanging_up = self.sink.refusing, self.sink.hanging_up
        if content is None or hanging_up == "before":
            return False
        for rcpt in self.rcpts:
            if refusing is None:
                self.sink.keep(self.sender, rcpt, content)
            if hanging_up is None:
                self.say(refusing or f"250 2.0.0 {rcpt} has it")
        self.forget()
        return hanging_up is None
