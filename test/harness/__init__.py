"""What whole-system tests are written with: a real server, a raw SMTP client, waiting, the log."""

from .disk import LoopDisk
from .homes import DOMAIN, FIRST_UID, Homes, UserServer
from .inject import FAULTS_BUILD, Inject, is_traced
from .ledger import Ledger, Load, queue_is_empty, strip_added
from .logfmt import parse_line
from .server import BUILD, Raw, Server, ServerError, free_port
from .smtp import ProtocolError, Reply, Smtp
from .wait import Timeout, wait_for

__all__ = [
    "free_port", "BUILD", "DOMAIN", "FAULTS_BUILD", "FIRST_UID", "Homes", "Inject", "Ledger", "Load", "LoopDisk",
    "ProtocolError", "Raw", "Reply", "Server", "ServerError", "Smtp", "Timeout", "UserServer",
    "is_traced", "parse_line", "queue_is_empty", "strip_added", "wait_for",
]
