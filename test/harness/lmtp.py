"""An LMTP server that says what the test wants it to say, whatever that is."""

import re
import socket
import threading
import time

OFFERS = ("PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8")


class Peer:
    """Takes connections on a port, or at a path, until the test ends.

    `script` maps a phase to what happens there: a reply (text without CRLF), a list of replies, one
    for each time it comes to it (the last one stays), or a function of (peer, session) that returns
    a reply. Phases: greeting, lhlo, mail, rcpt, data, answer (one for each recipient behind the
    dot), rset, quit. A reply that is bytes is sent as it is; CLOSE closes.
    """

    CLOSE = object()

    def __init__(self, path=None, offers=OFFERS, **script):
        self.offers = offers
        self.script = {phase: list(what) if isinstance(what, (list, tuple)) else [what]
                       for phase, what in script.items()}
        self.lock = threading.Lock()
        self.mails = []  # (sender, [recipients accepted], octets), whatever was answered
        self.said = []  # commands
        self.connections = 0
        self.open = 0
        self.most_open = 0
        self.path = path
        self.port = None
        self.listener = None
        self.listen()

    def listen(self):
        """Begin (again) to take connections at the same place."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(self.path))
            self.path.chmod(0o666)
        else:
            self.listener = socket.socket()
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind(("127.0.0.1", self.port or 0))
            self.port = self.listener.getsockname()[1]
        self.listener.listen(64)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    @property
    def endpoint(self):
        return f"lmtp:{self.path}" if self.path else f"lmtp:127.0.0.1:{self.port}"

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with self.lock:
            self.connections += 1
            self.open += 1
            self.most_open = max(self.most_open, self.open)
        try:
            Session(self, sock).run()
        except (ConnectionError, BrokenPipeError, TimeoutError):
            pass
        finally:
            sock.close()
            with self.lock:
                self.open -= 1

    def say(self, phase, session, otherwise):
        with self.lock:
            lines = self.script.get(phase)
            what = otherwise if not lines else lines.pop(0) if len(lines) > 1 else lines[0]
        return what(self, session) if callable(what) else what


class Session:
    def __init__(self, peer, sock):
        self.peer = peer
        self.sock = sock
        self.held = b""
        self.sender = None
        self.accepted = []
        self.extra = {}  # the script's own

    def line(self):
        while b"\r\n" not in self.held:
            got = self.sock.recv(65536)
            if not got:
                raise ConnectionError("closed")
            self.held += got
        line, _, self.held = self.held.partition(b"\r\n")
        return line.decode("utf-8", "surrogateescape")

    def body(self):
        while not (self.held.startswith(b".\r\n") or b"\r\n.\r\n" in self.held):
            got = self.sock.recv(1 << 20)
            if not got:
                raise ConnectionError("closed")
            self.held += got
        if self.held.startswith(b".\r\n"):
            body, self.held = b"", self.held[3:]
        else:
            body, _, self.held = self.held.partition(b"\r\n.\r\n")
            body += b"\r\n"
        return re.sub(rb"(?m)^\.\.", b".", body)

    def reply(self, phase, otherwise):
        """Says it; returns its code as text."""
        what = self.peer.say(phase, self, otherwise)
        if what is None:  # says nothing, ever
            time.sleep(60)
            raise ConnectionError("done")
        if what is Peer.CLOSE:
            raise ConnectionError("script")
        octets = what if isinstance(what, bytes) else what.encode() + b"\r\n"
        self.sock.sendall(octets)
        return octets[:3].decode("ascii", "replace")

    def run(self):
        self.reply("greeting", "220 peer.example LMTP")
        while True:
            line = self.line()
            with self.peer.lock:
                self.peer.said.append(line)
            verb = line.split(" ")[0].upper()
            getattr(self, f"on_{verb.lower()}")(line)
            if verb == "QUIT":
                return

    def on_lhlo(self, _line):
        lines = ["peer.example", *self.peer.offers]
        self.reply("lhlo", "\r\n".join(f"250{' ' if i == len(lines) - 1 else '-'}{word}"
                                       for i, word in enumerate(lines)))

    def on_mail(self, line):
        if self.reply("mail", "250 2.1.0 ok").startswith("2"):
            self.sender = re.match(r"MAIL FROM:<(.*?)>( |$)", line).group(1)

    def on_rcpt(self, line):
        self.rcpt = re.match(r"RCPT TO:<(.*?)>( [A-Z]+=.*)?$", line).group(1)
        if self.sender is None:
            self.sock.sendall(b"503 5.5.1 no sender\r\n")
        elif self.reply("rcpt", "250 2.1.5 ok").startswith("2"):
            self.accepted.append(self.rcpt)

    def on_data(self, _line):
        if not self.accepted:
            self.sock.sendall(b"503 5.5.1 no recipients\r\n")
            return
        if self.reply("data", "354 go on") != "354":
            return
        body = self.body()
        with self.peer.lock:
            self.peer.mails.append((self.sender, list(self.accepted), body))
        for self.rcpt in self.accepted:
            self.reply("answer", f"250 2.0.0 <{self.rcpt}> kept")
        self.sender = None
        self.accepted = []

    def on_rset(self, _line):
        self.sender = None
        self.accepted = []
        self.reply("rset", "250 2.0.0 ok")

    def on_quit(self, _line):
        self.reply("quit", "221 2.0.0 bye")
