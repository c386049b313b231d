#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boot Debian's kernel and hold what it prints against what it should.

usage: linux.py QUOIN VMLINUZ INITRD CASE
"""
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

TIMEOUT = 240

# name: (machine options, words for the guest's init, patterns that must be there, exit status)
CASES = {
    "topology": (["-m", "512", "-cpu", "EPYC", "-smp", "8,sockets=2,cores=2,threads=2"], "cpus,topology",
                 ["8 processors", "cpu0 package 0 die 0 core 0 siblings 0-1",
                  "cpu5 package 1 die . core 0 siblings 4-5", "cpu7 package 1 die . core 1 siblings 6-7"], 0),
    "topology-intel": (["-m", "512", "-cpu", "Skylake-Server", "-smp",
                        "8,sockets=1,dies=2,cores=2,threads=2"], "cpus,topology",
                       ["8 processors", "cpu0 package 0 die 0 core 0 siblings 0-1",
                        "cpu5 package 0 die 1 core . siblings 4-5"], 0),
    "numa": (["-m", "512", "-smp", "4,sockets=2", "-object", "memory-backend-ram,id=m0,size=256M",
              "-object", "memory-backend-ram,id=m1,size=256M", "-numa", "node,cpus=0-1,memdev=m0",
              "-numa", "node,cpus=2-3,memdev=m1", "-numa", "dist,src=0,dst=1,val=31"], "cpus,numa",
             ["4 processors", "node0 cpus 0-1 distance 10 31 2[0-9][0-9] MiB",
              "node1 cpus 2-3 distance 31 10 2[0-9][0-9] MiB"], 0),
    "hello": (["-m", "512"], "hello,cpus,memory", ["hello from 6", "1 processors", "4[0-9][0-9] MiB"], 0),
    "smp2": (["-m", "512", "-smp", "2"], "cpus,load", ["2 processors"], 0),
    "smp4": (["-m", "512", "-smp", "4"], "cpus,load", ["4 processors"], 0),
    "m256": (["-m", "256M"], "memory", ["2[0-9][0-9] MiB"], 0),
    "m4g": (["-m", "4G"], "memory", ["39[0-9][0-9] MiB"], 0),
    "no-reboot": (["-m", "256", "-no-reboot"], "reboot", ["rebooting"], 0),
    # The kernel jumps to the BIOS, which is not there.
    "no-reboot-bios": (["-m", "256", "-no-reboot"], "reboot reboot=b", ["rebooting"], 0),
    "bios": (["-m", "256", "-bios", "bios-256k.bin"], "hello", ["hello from 6"], 0),
    "suspend": (["-m", "256", "-smp", "2"], "suspend", ["awake 1 2", "awake 2 2"], 0),
    "suspend-bios": (["-m", "256", "-smp", "2", "-bios", "bios-256k.bin"], "suspend", ["awake 1 2", "awake 2 2"], 0),
    "suspend-q35": (["-machine", "q35", "-m", "256", "-smp", "2"], "suspend", ["awake 1 2", "awake 2 2"], 0),
    "suspend-q35-bios": (["-machine", "q35", "-m", "256", "-smp", "2", "-bios", "bios-256k.bin"], "suspend",
                         ["awake 1 2", "awake 2 2"], 0),
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


class Console:
    """What a guest prints, searched from where the last search ended."""

    def __init__(self, run):
        self.run, self.seen, self.at = run, b"", 0

    def wait_for(self, words, deadline):
        while words not in self.seen[self.at:] and time.monotonic() < deadline:
            chunk = os.read(self.run.stdout.fileno(), 65536)
            if not chunk:
                raise OSError("the guest ended")
            self.seen += chunk
        if words not in self.seen[self.at:]:
            raise OSError(f"never said {words}")
        self.at = self.seen.index(words, self.at) + len(words)


class Qmp:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self.run("qmp_capabilities")

    def run(self, command, **arguments):
        self.file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            reply = json.loads(self.file.readline())
            if "event" not in reply:
                return reply.get("return"), reply.get("error")

    def must(self, command, **arguments):
        result, error = self.run(command, **arguments)
        if error:
            raise OSError(f"{command}: {error}")
        return result


def cpu_hotplug_case(quoin, kernel, initrd, machine):
    """A CPU comes, the guest takes it in use; it is asked back, and the guest lets go of it."""
    folder = tempfile.TemporaryDirectory()
    path = os.path.join(folder.name, "qmp")
    command = [quoin, "-machine", machine, "-accel", "tcg", "-m", "256", "-smp", "1,maxcpus=2",
               "-no-shutdown", "-kernel", kernel, "-initrd", initrd, "-nographic", "-qmp", f"unix:{path},server,nowait",
               "-append", "console=ttyS0 quoin.test=cpus,cpuhotplug"]
    run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    deadline, console, good = time.monotonic() + TIMEOUT, Console(run), False
    try:
        console.wait_for(b"ready to add", deadline)
        qmp = Qmp(path)
        slot = next(s for s in qmp.run("query-hotpluggable-cpus")[0] if "qom-path" not in s)
        qmp.must("device_add", driver=slot["type"], id="second", **slot["props"])
        console.wait_for(b"online 0-1", deadline)
        qmp.must("device_del", id="second")
        console.wait_for(b"online 0\r", deadline)
        while not good and time.monotonic() < deadline:
            good = len(qmp.must("query-cpus-fast")) == 1
        qmp.must("quit")
        good = good and run.wait(30) == 0
    except OSError as error:
        console.seen += str(error).encode()
        run.kill()
    return good, console.seen


# What the edu is added to: a bus, where the guest is to find it, and what makes the bus.
PCI_HOTPLUG = {
    "pc": ("pc", "pci.0", b"0000:00:1e.0", "1e", []),
    "pc-bridge": ("pc", "b", b"0000:01:03.0", "3", ["-device", "pci-bridge,chassis_nr=1,id=b"]),
    "q35": ("q35", "rp", b"0000:01:00.0", "0", ["-device", "pcie-root-port,id=rp,chassis=1"]),
    "q35-native": ("q35", "rp", b"0000:01:00.0", "0",
                   ["-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
                    "-device", "pcie-root-port,id=rp,chassis=1"]),
}


def pci_hotplug_case(quoin, kernel, initrd, name):
    """A device comes and gets addresses; it is asked back, and the guest lets go of it."""
    machine, bus, found, addr, options = PCI_HOTPLUG[name]
    folder = tempfile.TemporaryDirectory()
    path = os.path.join(folder.name, "qmp")
    command = [quoin, "-machine", machine, "-accel", "tcg", "-m", "256", "-no-shutdown", "-kernel",
               kernel, "-initrd", initrd, "-nographic", "-qmp", f"unix:{path},server,nowait",
               "-append", "console=ttyS0 quoin.test=pci,pcihotplug"] + options
    run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    deadline, console, good = time.monotonic() + TIMEOUT, Console(run), False
    try:
        console.wait_for(b"ready to add", deadline)
        qmp = Qmp(path)
        qmp.must("device_add", driver="edu", id="e", bus=bus, addr=addr)
        console.wait_for(b"added " + found + b" at 0x00000000", deadline)
        qmp.must("device_del", id="e")
        console.wait_for(b"removed " + found, deadline)
        while not good and time.monotonic() < deadline:
            good = qmp.run("qom-get", path="/machine/peripheral/e", property="type")[1] is not None
        qmp.must("quit")
        good = good and run.wait(30) == 0
    except OSError as error:
        console.seen += str(error).encode()
        run.kill()
    return good, console.seen


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
    if name.startswith("pci-hotplug-"):
        report(*pci_hotplug_case(quoin, kernel, initrd, name[12:]), "the device did not come, or not go")
    if name.startswith("cpu-hotplug-"):
        report(*cpu_hotplug_case(quoin, kernel, initrd, name[12:]), "the second CPU did not come, or not go")
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
