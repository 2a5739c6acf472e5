"""Reads the log back: one line is `key=value key="va\\x0alue"`, as src/base/log.h writes it."""

import re

_FIELD = re.compile(rb'([a-z][a-z0-9_]*)=(?:"((?:[^"\\]|\\x[0-9a-f]{2})*)"|([^ "=\\]*))(?: |$)')
_ESCAPE = re.compile(rb"\\x([0-9a-f]{2})")


def _unescape(value):
    return _ESCAPE.sub(lambda m: bytes([int(m.group(1), 16)]), value)


def parse_line(line):
    """The fields of one line (octets, without LF) as a dict of texts; ValueError if it is none.

    Octets that are no UTF-8 come as surrogate escapes: `.encode("utf-8", "surrogateescape")`
    gives back what was logged.
    """
    fields = {}
    at = 0
    while at < len(line):
        match = _FIELD.match(line, at)
        if match is None:
            raise ValueError(f"not logfmt at octet {at}: {line!r}")
        key, quoted, plain = match.groups()
        value = _unescape(quoted) if quoted is not None else plain
        fields[key.decode()] = value.decode("utf-8", "surrogateescape")
        at = match.end()
    return fields
