#!/bin/sh
# In namespaces of its own (machine.py): a copy of this machine over whose files a memory disk
# lies, with systemd as its first process. $1: an empty folder.
set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$1"
root=$1/root
mkdir "$1/upper" "$1/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm"
for name in null zero full random urandom tty; do
    touch "$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
done
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
echo mail.example.org > "$root/etc/hostname"
hostname mail.example.org
ip link set lo up
cd "$root"
pivot_root . .
umount -l .
# nobody here waits for a network, empties /tmp, or reads old journals
mkdir -p /etc/systemd/system
for unit in systemd-networkd-wait-online systemd-tmpfiles-setup systemd-journal-flush; do
    ln -sf /dev/null "/etc/systemd/system/$unit.service"
done
container=lxc exec /lib/systemd/systemd --log-target=null --show-status=0 --unit=basic.target
