# SPDX-License-Identifier: MIT
"""The qtest protocol, driving devices of a pc through a socket."""

import base64
import sys

from harness import Folder, Tap, Vmm

PROGRAM = sys.argv[1]


def test_start():
    with Vmm(PROGRAM, "-machine", "pc") as vm:
        assert vm.command("endianness") == "OK little"
        assert vm.terminate() == 0


def test_fallback_list():
    with Vmm(PROGRAM, "-machine", "pc", "-accel", "qtest", accel=None) as vm:
        assert vm.command("endianness") == "OK little"


def test_ports():
    with Vmm(PROGRAM, "-machine", "pc") as vm:
        # i8254: counter 2, mode 3, and its command is write-only.
        assert vm.command("outb 0x43 0xb6") == "OK"
        # CMOS: index 0x0f, a byte that the RTC keeps.
        vm.command("outb 0x70 0x0f")
        vm.command("outb 0x71 0x5a")
        vm.command("outb 112 15")
        assert vm.command("inb 0x71") == "OK 0x005a"
        # PCI: 8086:1237 at 00:00.0
        vm.command("outl 0xcf8 0x80000000")
        assert vm.command("inl 0xcfc") == "OK 0x12378086"
        assert vm.command("inw 0xcfe") == "OK 0x1237"


def test_memory():
    with Vmm(PROGRAM, "-machine", "pc", "-m", "64") as vm:
        for letter, digits in (("b", 2), ("w", 4), ("l", 8), ("q", 16)):
            pattern = 0x1122334455667788 & ((1 << (4 * digits)) - 1)
            assert vm.command(f"write{letter} 0x100000 {pattern:#x}") == "OK"
            assert vm.command(f"read{letter} 0x100000") == f"OK {pattern:#018x}"
        assert vm.command("write 0x200000 4 0xdeadbeef") == "OK"
        assert vm.command("read 0x200000 5") == "OK 0xdeadbeef00"
        assert vm.command("memset 0x200001 2 0xff") == "OK"
        assert vm.command("read 0x200000 4") == "OK 0xdeffffef"
        text = base64.b64encode(b"hello").decode()
        assert vm.command(f"b64write 0x300000 5 {text}") == "OK"
        assert vm.command("b64read 0x300000 5") == "OK " + text
        # Nothing answers there.
        assert vm.command("readl 0xd0000000") == "OK 0x00000000ffffffff"


def test_clock():
    with Vmm(PROGRAM, "-machine", "pc") as vm:
        assert vm.command("clock_step 0") == "OK 0"
        assert vm.command("clock_step 1000") == "OK 1000"
        assert vm.command("clock_set 5000") == "OK 5000"
        assert vm.command("clock_set 100") == "OK 5000"
        # The ACPI timer at 3.579545 MHz follows it, once its port is mapped.
        vm.command("outl 0xcf8 0x80000b40")
        vm.command("outl 0xcfc 0x601")
        vm.command("outl 0xcf8 0x80000b80")
        vm.command("outb 0xcfc 1")
        before = vm.value("inl 0x608")
        vm.command("clock_step 1000000")
        assert vm.value("inl 0x608") - before in (3579, 3580)


def test_timer_interrupt():
    with Vmm(PROGRAM, "-machine", "pc") as vm:
        assert vm.command("irq_intercept_in ioapic") == "OK"
        # Counter 0, mode 0 (one pulse): 1193 ticks are a millisecond.
        vm.command("outb 0x43 0x30")
        vm.irqs.clear()
        vm.command("outb 0x40 0xa9")
        vm.command("outb 0x40 0x04")
        vm.command("clock_step 900000")
        assert vm.irqs == [], vm.irqs
        vm.command("clock_step 200000")
        assert "raise 2" in vm.irqs or "raise 0" in vm.irqs, vm.irqs


def test_next_deadline():
    with Vmm(PROGRAM, "-machine", "pc") as vm:
        vm.command("outb 0x43 0x34")
        vm.command("outb 0x40 0x00")
        vm.command("outb 0x40 0x10")
        first = int(vm.command("clock_step").split()[1])
        second = int(vm.command("clock_step").split()[1])
        assert 0 < first <= second


def test_set_irq_in():
    with Vmm(PROGRAM, "-machine", "pc") as vm:
        vm.command("irq_intercept_in ioapic")
        assert vm.command("set_irq_in ioapic unnamed-gpio-in 5 1") == "OK"
        assert vm.command("set_irq_in ioapic unnamed-gpio-in 5 1") == "OK"
        assert vm.command("set_irq_in ioapic unnamed-gpio-in 5 0") == "OK"
        assert vm.irqs == ["raise 5", "lower 5"], vm.irqs
        assert vm.command("set_irq_in ioapic unnamed-gpio-in 500 1").startswith("FAIL")


def test_bad_lines():
    with Vmm(PROGRAM, "-machine", "pc") as vm:
        for line in ("", "nonsense", "inb", "inb x", "inb 1 2", "outb 1", "read 0", "read 0 0",
                     "read 0 0xffffffffffffffff", "write 0 4 1234", "irq_intercept_in nowhere",
                     "irq_intercept_in /machine", "set_irq_in ioapic x 0 1", "clock_step x",
                     "memset 0 0xffffffffff 1", "module_load a b", "inb " + "9" * 5000):
            assert vm.command(line).startswith("FAIL"), line
        assert vm.command("endianness") == "OK little"


def test_disk_in_iothread():
    """A sector by PIO; its I/O completes in the iothread that the disk is bound to."""
    with Folder() as folder:
        disk = folder.file("disk", bytes(range(256)) * 256)
        with Vmm(PROGRAM, "-machine", "pc", "-object", "iothread,id=io", "-drive",
                 f"file={disk},format=raw,if=none,id=d0", "-device",
                 "ide-hd,drive=d0,iothread=io,bus=ide.0") as vm:
            vm.result("qmp_capabilities")
            rounds = vm.result("qom-get", path="/objects/io", property="rounds")
            for sector in range(3):
                # Device 0, LBA, one sector, READ SECTORS.
                for port, value in ((0x1f6, 0xe0), (0x1f2, 1), (0x1f3, sector), (0x1f4, 0),
                                    (0x1f5, 0), (0x1f7, 0x20)):
                    vm.command(f"outb {port} {value}")
                status = 0x80
                while status & 0x80:
                    status = vm.value("inb 0x1f7")
                assert status & 0x89 == 0x08, hex(status)
                words = [vm.value("inw 0x1f0") for _ in range(256)]
                assert words[1] == 0x0302 and words[255] == 0xfffe, words
            assert vm.result("qom-get", path="/objects/io", property="rounds") > rounds
            assert "error" in vm.qmp("object-del", id="io")


def test_clock_needs_qtest():
    with Vmm(PROGRAM, "-machine", "none", accel=None) as vm:
        assert vm.command("clock_step 1").startswith("FAIL")


def main():
    tap = Tap()
    for test in (test_start, test_fallback_list, test_ports, test_memory, test_clock,
                 test_timer_interrupt, test_next_deadline, test_set_irq_in, test_bad_lines,
                 test_disk_in_iothread,
                 test_clock_needs_qtest):
        tap.run(test.__name__, test)
    tap.finish()


main()
