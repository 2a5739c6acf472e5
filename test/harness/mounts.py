"""Files of the machine as one server sees them: others laid over them, in its own mounts."""

import ctypes
import os

_CLONE_NEWNS, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x00020000, 1 << 12, 1 << 14, 1 << 18


def _must(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def lay_over(binds):
    """For Popen's preexec_fn: `binds` is a dict, path of the machine -> file to be there."""
    libc = ctypes.CDLL(None, use_errno=True)
    rows = [(str(source).encode(), str(path).encode()) for path, source in binds.items()]

    def child():
        _must(libc.unshare(_CLONE_NEWNS), "unshare")
        _must(libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None), "private mounts")
        for source, path in rows:
            _must(libc.mount(source, path, None, _MS_BIND, None), "bind")

    return child


def need_mounts():
    """Skip the test where nothing can be laid over."""
    pid = os.fork()
    if pid == 0:
        try:
            lay_over({"/etc/passwd": "/etc/passwd"})()
        except OSError:
            os._exit(1)
        os._exit(0)
    if os.waitpid(pid, 0)[1] != 0:
        import pytest  # here, for the demo uses this package where there is none
        pytest.skip("needs root and mount namespaces: a passwd of its own is laid over /etc/passwd")
