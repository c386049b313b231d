#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boot Debian's kernel and hold what it prints against what it should.

usage: linux.py QUOIN VMLINUZ INITRD CASE
"""
import os
import re
import subprocess
import sys
import tempfile
import time

TIMEOUT = 240

# name: (machine options, words for the guest's init, patterns that must be there, exit status)
CASES = {
    "hello": (["-m", "512"], "hello,cpus,memory", ["hello from 6", "1 processors", "4[0-9][0-9] MiB"], 0),
    "smp2": (["-m", "512", "-smp", "2"], "cpus,load", ["2 processors"], 0),
    "smp4": (["-m", "512", "-smp", "4"], "cpus,load", ["4 processors"], 0),
    "m256": (["-m", "256M"], "memory", ["2[0-9][0-9] MiB"], 0),
    "m4g": (["-m", "4G"], "memory", ["39[0-9][0-9] MiB"], 0),
    "no-reboot": (["-m", "256", "-no-reboot"], "reboot", ["rebooting"], 0),
    "bios": (["-m", "256", "-bios", "bios-256k.bin"], "hello", ["hello from 6"], 0),
    "qemu64": (["-m", "256", "-cpu", "qemu64"], "hello", ["hello from 6"], 0),
    "ide": (["-m", "256", "-drive", "file=DISK,format=raw,if=ide", "-cdrom", "DISC"], "disks",
            ["sda 16384 sectors", "sr0 16384 sectors"], 0),
    "iothread": (["-m", "256", "-object", "iothread,id=io", "-drive", "file=DISK,format=raw,if=none,id=d0",
                  "-device", "ide-hd,drive=d0,iothread=io,bus=ide.0", "-cdrom", "DISC"], "disks",
                 ["sda 16384 sectors", "sr0 16384 sectors"], 0),
}


def boot(quoin, kernel, initrd, options, words):
    command = [quoin, "-machine", "pc", "-accel", "tcg", "-kernel", kernel, "-initrd", initrd,
               "-append", f"console=ttyS0 quoin.test={words}", "-nographic"] + options
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=TIMEOUT)


def reboot_case(quoin, kernel, initrd):
    """Without -no-reboot the machine starts again."""
    command = [quoin, "-machine", "pc", "-accel", "tcg", "-m", "256", "-kernel", kernel, "-initrd",
               initrd, "-append", "console=ttyS0 quoin.test=reboot", "-nographic"]
    run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    seen, deadline = b"", time.monotonic() + TIMEOUT
    while seen.count(b"QUOIN: rebooting") < 2 and time.monotonic() < deadline:
        chunk = os.read(run.stdout.fileno(), 65536)
        if not chunk:
            break
        seen += chunk
    run.terminate()
    status = run.wait(30)
    return seen.count(b"QUOIN: rebooting") >= 2 and status == 0, seen


def report(ok, output, why=""):
    if not ok:
        sys.stdout.write(output.decode(errors="replace")[-4000:])
        print(f"\nFAILED: {why}")
    sys.exit(not ok)


def main():
    quoin, kernel, initrd, name = sys.argv[1:5]
    if not (os.path.exists(kernel) and os.path.exists(initrd)):
        print("no kernel: run scripts/dev setup")
        sys.exit(77)
    if name == "reboot":
        report(*reboot_case(quoin, kernel, initrd), "no second boot, or SIGTERM did not end it well")
    options, words, patterns, status = CASES[name]
    folder = tempfile.TemporaryDirectory()
    for image in "DISK", "DISC":
        with open(os.path.join(folder.name, image), "wb") as file:
            file.truncate(8 << 20)
    options = [re.sub("DIS[KC]", lambda m: os.path.join(folder.name, m[0]), o) for o in options]
    try:
        run = boot(quoin, kernel, initrd, options, words)
    except subprocess.TimeoutExpired as late:
        report(False, late.output or b"", f"no end after {TIMEOUT} s")
    text = run.stdout.decode(errors="replace")
    missing = [p for p in patterns if not re.search("QUOIN: .*" + p, text)]
    report(run.returncode == status and not missing, run.stdout,
           f"status {run.returncode}, missing {missing}")


main()
