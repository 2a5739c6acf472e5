"""What becomes of a message on its way: the documented line-end rule, and the parts of a file."""

import hashlib
import re


def kept_form(wire):
    """The content that stays of what was sent: CR LF is a line end, a stray CR a space, a stray LF
    a line end (src/proto/content.h)."""
    return re.sub(rb"\r(?!\n)", b" ", wire).replace(b"\r\n", b"\n")


def wire_form(text):
    """`text`, a file with LF line ends, as an SMTP client sends it (before dots are stuffed)."""
    text = text.replace(b"\n", b"\r\n")
    return text if not text or text.endswith(b"\r\n") else text + b"\r\n"


def digests(content):
    """Of the header block and of the body behind the empty line: two hex texts."""
    if content.startswith(b"\n"):
        head, body = b"", content[1:]
    else:
        head, _, body = content.partition(b"\n\n")
    return hashlib.sha256(head).hexdigest(), hashlib.sha256(body).hexdigest()
