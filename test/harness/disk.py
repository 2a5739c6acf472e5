"""A disk of its own for a server: a small ext4 on a loop device, whose power can be cut."""

import ctypes
import fcntl
import functools
import os
import struct
import subprocess
import tempfile
from pathlib import Path

from .wait import wait_for

EXT4_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
NO_LOG_FLUSH = 2  # what is not on the disk now never gets there


def _run(*args):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(map(str, args))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


@functools.cache
def _own_mounts():
    """A mount namespace for this test run: nobody else's process can keep our disks busy."""
    clone_newns, ms_rec, ms_private = 0x00020000, 1 << 14, 1 << 18
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(clone_newns) != 0 or libc.mount(None, b"/", None, ms_rec | ms_private, None) != 0:
        raise OSError(ctypes.get_errno(), "own mount namespace")


class LoopDisk:
    """ext4 in a file, mounted at `.path`. Tests are skipped where mounts are impossible."""

    def __init__(self, mib=64, inodes=None, image_dir=None):
        self.dir = Path(tempfile.mkdtemp(prefix="sekisho-disk-"))
        self.dir.chmod(0o755)
        self.image = Path(tempfile.mkdtemp(prefix="sekisho-image-", dir=image_dir)) / "image"
        self.path = self.dir / "mnt"
        self.path.mkdir()
        self.mounted = False
        with open(self.image, "wb") as image:
            image.truncate(mib << 20)
        try:
            _own_mounts()
            _run("mkfs.ext4", "-q", "-F", *(["-N", inodes] if inodes else []), self.image)
            self.mount()
        except (OSError, FileNotFoundError) as why:
            self.remove()
            import pytest  # here, for the demo uses this package where there is none
            pytest.skip(f"no loop mounts here: {why}")
        self.path.chmod(0o755)

    def mount(self):
        _run("mount", "-o", "loop", self.image, self.path)
        self.mounted = True

    def unmount(self):
        """The mount namespaces of killed roles may outlive them for a moment: as long as one holds
        the file system, a mount would find it again, dead as it is."""
        _run("umount", self.path)
        self.mounted = False
        wait_for(lambda: not _run("losetup", "-j", self.image), "the loop device to be free", 10)

    def cut(self):
        """Power off: all that was not synced is gone; every later call fails with EIO."""
        fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(fd)

    def power_on(self):
        """Mount again; the journal is replayed as after a power cut."""
        self.unmount()
        self.mount()

    def remove(self):
        if self.mounted:
            self.unmount()
        self.image.unlink(missing_ok=True)
        self.image.parent.rmdir()
        self.path.rmdir()
        self.dir.rmdir()
