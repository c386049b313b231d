#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a guest finds in our machines, held against what it finds in QEMU's of the same name.

usage: compare.py check  QUOIN VMLINUZ INITRD MACHINE DOC   differences that DOC does not explain
       compare.py record QEMU VMLINUZ INITRD MACHINE        write MACHINE.txt, QEMU's side, anew
       compare.py show   PROGRAM VMLINUZ INITRD MACHINE     the inventory of one
       compare.py tables PROGRAM VMLINUZ INITRD MACHINE DIR the ACPI tables, to look at with iasl
       compare.py dump   PROGRAM VMLINUZ INITRD MACHINE FILE configuration space for lspci -F FILE

The same kernel and initial RAM disk, through SeaBIOS under tcg, give an inventory of one fact a line: PCI
functions and their registers, what lspci -vvn says of these, interrupts, ports, memory, ACPI tables
and devices.  QEMU's is kept beside this file.  MACHINE is pc or q35 as it comes, pc-devices or
q35-devices with what can be added to it.
"""
import base64
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TIMEOUT = 200
ZEROS = re.compile(r"^(00 )+00 ?$")


# Slots are given: QEMU does not number them as they come.
DEVICES = {
    "pc": ["-object", "memory-backend-ram,id=shared,size=1M", "-device", "edu,addr=3", "-device",
           "pci-testdev,addr=4", "-device", "ivshmem-plain,memdev=shared,addr=5", "-device", "i6300esb,addr=6",
           "-device", "pvpanic-pci,addr=7", "-device", "qemu-xhci,addr=8", "-device", "bochs-display,addr=9",
           "-device", "ich9-ahci,addr=a", "-device", "pci-bridge,chassis_nr=1,id=bridge,shpc=off,addr=b", "-device",
           "edu,bus=bridge,addr=2"],
}
DEVICES["q35"] = DEVICES["pc"] + [
    "-device", "pcie-root-port,id=port0,chassis=2,addr=c", "-device", "pcie-root-port,chassis=3,slot=1,addr=d",
    "-device", "qemu-xhci,bus=port0", "-device", "i82801b11-bridge,addr=1e"]


def boot(program, kernel, initrd, machine):
    """The guest's output; everything that only one side has by default is left out."""
    machine, _, more = machine.partition("-")
    command = [program, "-machine", machine, *(DEVICES[machine] if more else []), "-accel", "tcg", "-m", "512", "-smp", "2", "-kernel", kernel,
               "-initrd", initrd, "-nographic", "-no-reboot", "-net", "none", "-vga", "std", "-bios",
               "bios-256k.bin", "-append",
               "console=ttyS0 loglevel=1 no_timer_check lpj=4000000 quoin.test=inventory"]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, timeout=TIMEOUT)
    return run.stdout.decode(errors="replace").replace("\r", "")


def parts(text):
    found = re.findall(r"@@ (?!end)([^\n]+)\n(.*?)@@ end", text, re.S)
    if not found:
        sys.exit("no inventory came:\n" + text[-3000:])
    return [(name, body.rstrip("\n").split("\n") if body else []) for name, body in found]


# ---- PCI -------------------------------------------------------------------------------------

def pci_lines(where, rows):
    data = bytes.fromhex("".join(rows))
    u16 = lambda o: struct.unpack_from("<H", data, o)[0]
    yield (f"{where} {u16(0):04x}:{u16(2):04x} rev {data[8]:02x} class {data[11]:02x}{data[10]:02x}{data[9]:02x} "
           f"subsystem {u16(0x2c):04x}:{u16(0x2e):04x} header {data[14]:02x}")
    yield f"{where} command {u16(4):04x} status {u16(6):04x}"
    yield f"{where} pin {data[0x3d]} line {data[0x3c]}"
    position, seen = data[0x34], 0
    while u16(6) & 0x10 and position and seen < 48:
        yield f"{where} capability {data[position]:02x} at {position:02x}"
        position, seen = data[position + 1], seen + 1
    for offset in range(0x40, len(data), 16):
        row = " ".join(f"{b:02x}" for b in data[offset:offset + 16])
        if not ZEROS.match(row):
            yield f"{where} {offset:02x}: {row}"


def dump(text):
    """Configuration space in the form that lspci -F reads."""
    for name, rows in parts(text):
        if name.startswith("config "):
            yield f"{name[12:]} x"
            yield from (f"{16 * n:02x}: {row.strip()}" for n, row in enumerate(rows))
            yield ""


def lspci_lines(text):
    """Nothing where there is no lspci."""
    if not shutil.which("lspci"):
        return
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("\n".join(dump(text)) + "\n")
        file.flush()
        run = subprocess.run(["lspci", "-vvn", "-F", file.name], stdout=subprocess.PIPE, check=True,
                             stderr=subprocess.DEVNULL, encoding="utf-8")
    where = None
    for line in run.stdout.split("\n"):
        if line and not line[0].isspace():
            where, _, line = line.partition(" ")
        if line:
            yield f"lspci {where} {line.strip()}"


def resource_lines(where, rows):
    for number, row in enumerate(rows[:7]):
        first, last, flags = (int(x, 16) for x in row.split())
        if flags:
            kind = "ports" if flags & 0x100 else "memory" + (" prefetchable" if flags & 0x2000 else "")
            name = "rom" if number == 6 else f"bar {number}"
            yield f"{where} {name}: {kind} {first:08x} size {last - first + 1:x}"


# ---- the rest ----------------------------------------------------------------------------------

def interrupt_lines(rows):
    for row in rows:
        match = re.match(r"\s*(\d+):(?:\s+\d+)+\s+(\S.*)$", row)
        if match:
            yield f"interrupt {match[1]} {' '.join(match[2].split())}"


def range_lines(name, rows):
    for row in rows:
        if "Kernel" not in row and "System RAM" not in row:
            yield f"{name} {row.rstrip()}"


# Words that hold addresses or sums, by table and offset.
ADDRESSES = {"FACP": (0x24, 0x28, 0x8c)}


def table_lines(name, rows):
    data = base64.b64decode("".join(rows))
    if name == "FACS":
        data = data[:4] + data[8:]
    yield f"table {name} revision {data[8]} oem {data[10:24].decode(errors='replace')!r}"
    if name in ("DSDT", "FACS"):
        return
    yield f"table {name} length {len(data)}"
    for offset in range(36, len(data), 4):
        word = data[offset:offset + 4]
        if any(word) and offset not in ADDRESSES.get(name, ()):
            yield f"table {name} {offset:02x}: {word.hex(' ')}"


def inventory(text):
    lines = []
    for name, rows in parts(text):
        kind, _, rest = name.partition(" ")
        if kind == "config":
            lines += pci_lines("pci " + rest[5:], rows)
        elif kind == "resource":
            lines += resource_lines("pci " + rest[5:], rows)
        elif kind == "interrupts":
            lines += interrupt_lines(rows)
        elif kind in ("ioports", "iomem"):
            lines += range_lines(kind, rows)
        elif kind == "table":
            lines += table_lines(rest, rows)
        elif kind == "acpi-devices":
            lines += sorted("acpi " + row.strip() for row in rows)
    return lines + list(lspci_lines(text))


# ---- what the document explains -------------------------------------------------------------------

def explanations(path, machine):
    """Rows of its tables: | machine | `regular expression of the line` | why |."""
    rows = []
    for line in open(path, encoding="utf-8"):
        match = re.match(r"\| ([a-z0-9-]+) \| `([+-])` \| `(.*)` \| (\S.*) \|$", line.rstrip())
        if match and match[1] in (machine, machine.partition("-")[0], "both"):
            rows.append((match[2], re.compile(match[3].replace("\\|", "|")), [0]))
    return rows


def check(ours, theirs, rows):
    left = [("-", line) for line in theirs if line not in set(ours)]
    left += [("+", line) for line in ours if line not in set(theirs)]
    unexplained = []
    for sign, line in left:
        for row_sign, pattern, used in rows:
            if row_sign == sign and pattern.fullmatch(line):
                used[0] += 1
                break
        else:
            unexplained.append(f"{sign} {line}")
    stale = [f"{sign} {pattern.pattern}" for sign, pattern, used in rows if not used[0]]
    return len(left), unexplained, stale


def main():
    command, program, kernel, initrd, machine = sys.argv[1:6]
    if not (os.path.exists(kernel) and os.path.exists(initrd)):
        print("no kernel: run scripts/dev setup")
        sys.exit(77)
    text = boot(program, kernel, initrd, machine)
    recorded = os.path.join(HERE, machine + ".txt")
    if command == "show":
        print("\n".join(inventory(text)))
    elif command == "record":
        with open(recorded, "w", encoding="utf-8") as file:
            file.write("\n".join(inventory(text)) + "\n")
    elif command == "tables":
        for name, rows in parts(text):
            if name.startswith("table "):
                with open(os.path.join(sys.argv[6], name[6:] + ".dat"), "wb") as file:
                    file.write(base64.b64decode("".join(rows)))
    elif command == "dump":
        with open(sys.argv[6], "w", encoding="utf-8") as file:
            file.write("\n".join(dump(text)) + "\n")
    else:
        theirs = open(recorded, encoding="utf-8").read().split("\n")[:-1]
        if not shutil.which("lspci"):
            theirs = [line for line in theirs if not line.startswith("lspci ")]
        count, unexplained, stale = check(inventory(text), theirs, explanations(sys.argv[6], machine))
        print(f"{count} lines differ from QEMU's {machine}; not explained in {sys.argv[6]}: {len(unexplained)}")
        print("\n".join(unexplained))
        if stale and not unexplained:
            print("explained and no longer there:", *stale, sep="\n")
        sys.exit(bool(unexplained))


main()
