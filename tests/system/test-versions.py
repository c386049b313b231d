# SPDX-License-Identifier: MIT
"""Every version of a machine: it boots to firmware, and has what docs/machine-versions.md says of it."""

import json
import re
import subprocess
import sys
import time

from harness import PATIENCE, Board, Folder, Tap

PROGRAM, DOCUMENT = sys.argv[1:]
FAMILIES = {"pc": "pc-i440fx-", "q35": "pc-q35-"}
# What the rows speak of and no board has.
DEVICES = {
    "both": ["edu", "secondary-vga", "bochs-display", "pci-bridge,chassis_nr=1", "pvpanic",
             "qemu-xhci,id=usb", "usb-kbd,bus=usb.0", "ich9-ahci,id=disks", "ide-hd,bus=disks.0,drive=d"],
    "pc": [],
    "q35": ["pcie-root-port,chassis=2", "ioh3420,chassis=3", "isa-fdc"],
}
ROW = re.compile(r"^\| (?:(pc|q35) )?([0-9.]+) \| `([^`]+)`[^|]* \| (\S+) \| (\S+) \|$")


def rows():
    with open(DOCUMENT, encoding="utf-8") as file:
        return [ROW.match(line).groups() for line in file if ROW.match(line)]


def version_key(name):
    return [int(n) for n in name.rsplit("-", 1)[1].split(".")]


def start(machine, family, *more):
    devices = [word for kind in ("both", family) for device in DEVICES[kind]
               for word in ("-device", device)]
    return Board(PROGRAM, "-machine", machine, "-m", "64", "-blockdev",
                 "null-co,size=1M,node-name=d", *devices, *more)


def objects(vm, path="/machine", found=None):
    """The first object of each type."""
    found = {} if found is None else found
    for row in vm.result("qom-list", path=path):
        if row["type"].startswith("child<"):
            child = f"{path}/{row['name']}"
            found.setdefault(row["type"][6:-1], child)
            objects(vm, child, found)
    return found


class Facts:
    """Answers for the second column of the document."""

    def __init__(self, machine, family):
        self.machine = machine
        self.vm = start(machine, family, "-smp", "4")
        self.vm.result("qmp_capabilities")
        self.objects = objects(self.vm)

    def of_machine(self, what):
        if what == "smp":
            slots = self.vm.result("query-hotpluggable-cpus")
            return "sockets" if slots[0]["props"]["socket-id"] == 3 else "cores"
        row = next(m for m in self.vm.result("query-machines") if m["name"] == self.machine)
        return row[what]

    def of_cpu(self, what):
        model, name = what.split(".")
        reply = self.vm.raw_qmp(json.dumps({"execute": "query-cpu-model-expansion", "arguments": {
            "type": "full", "model": {"name": model}}}))
        return reply["return"]["model"]["props"][name]

    def of_table(self, _):
        """PCI0's is the first _UID after its name."""
        tables = self.vm.file("etc/acpi/tables")
        return tables[tables.index(b"\x08_UID", tables.index(b"PCI0\x08_HID")) + 5]

    def answer(self, what):
        kind, _, rest = what.partition(" ")
        if rest:
            return {"machine": self.of_machine, "cpu": self.of_cpu, "table": self.of_table}[kind](rest)
        kind, _, name = what.rpartition(".")
        path = self.objects[kind]
        return self.vm.result("qom-get", path=path, property=name)


def text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def check(machine, family, expectations):
    facts = Facts(machine, family)
    with facts.vm:
        wrong = [f"{what}: {text(facts.answer(what))} is not {want}" for what, want in expectations
                 if text(facts.answer(what)) != want]
    assert not wrong, "; ".join(wrong)


def boot(machine):
    """SeaBIOS gets to the point where it has nothing to boot."""
    with Folder() as folder:
        log = folder.file("log", b"")
        process = subprocess.Popen(
            [PROGRAM, "-machine", machine, "-accel", "tcg", "-display", "none", "-m", "64", "-chardev",
             f"file,id=log,path={log}", "-device", "isa-debugcon,iobase=0x402,chardev=log"],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + PATIENCE
        while b"No bootable device" not in read(log):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline, read(log)[-500:]
            time.sleep(0.02)
        process.kill()
        _, errors = process.communicate()
        assert (b"is deprecated: old and unattended" in errors) == ("-1." in machine), errors


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    tap = Tap()
    table = rows()
    listed = json.loads(subprocess.run(
        [PROGRAM, "-machine", "none", "-qmp", "stdio", "-display", "none"], stdout=subprocess.PIPE,
        input=b'{"execute": "qmp_capabilities"}{"execute": "query-machines"}{"execute": "quit"}',
        check=True).stdout.splitlines()[2])["return"]
    for family, prefix in FAMILIES.items():
        names = sorted((m["name"] for m in listed if m["name"].startswith(prefix)), key=version_key)
        expected = {name: [] for name in names}
        for only, last, what, was, now in table:
            if only not in (None, family):
                continue
            older = [name for name in names if version_key(name) <= version_key("-" + last)]
            if older:
                expected[older[-1]].append((what, was))
                expected[names[len(older)]].append((what, now))
        for name in names:
            tap.run(f"boot {name}", boot, name)
            if expected[name]:
                tap.run(f"facts of {name}", check, name, family, expected[name])
    tap.run("the document has its rows", lambda: len(table) > 40 or 1 / 0)
    tap.finish()


if __name__ == "__main__":
    main()
