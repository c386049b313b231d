# SPDX-License-Identifier: MIT
"""What firmware is given: flash, fw_cfg files, boot order, CMOS, option ROMs."""

import struct
import sys

from harness import MIB, Board, Folder, Tap

PROGRAM = sys.argv[1]
FLASH = 0x10000  # bytes of a flash of the tests


def board(*arguments, machine="pc"):
    return Board(PROGRAM, "-machine", machine, "-nodefaults", *arguments)


def refused(*arguments, says):
    """It ends at once and says why."""
    import subprocess
    result = subprocess.run([PROGRAM, "-accel", "qtest", "-display", "none", "-nodefaults",
                             *arguments], capture_output=True, text=True, timeout=30,
                            stdin=subprocess.DEVNULL)
    assert result.returncode == 1, result
    assert says in result.stderr, result.stderr


# ---- flash ---------------------------------------------------------------------------------


def flash_files(folder):
    code = folder.file("code", bytes([0x90]) * (FLASH - 16) + bytes(range(16)))
    variables = folder.file("vars", b"\xff" * FLASH)
    return code, variables


def program(vm, address, value):
    for data in (0x40, value, 0xff):
        vm.command(f"writeb {address} {data}")


def test_flash(machine):
    with Folder() as folder:
        code, variables = flash_files(folder)
        drives = ("-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={code}",
                  "-drive", f"if=pflash,unit=1,format=raw,file={variables}")
        base = 0x100000000 - 2 * FLASH
        with board(*drives, machine=machine) as vm:
            assert vm.bytes(0xfffffff0, 16) == bytes(range(16))
            assert vm.bytes(0xffff0, 16) == bytes(range(16))  # its end, below 1 MiB
            program(vm, base + 5, 0x12)
            program(vm, 0x100000000 - FLASH, 0)  # read-only
            assert vm.value(f"readb {base + 5}") == 0x12
            assert vm.value(f"readb {0x100000000 - FLASH}") == 0x90
            vm.result("qmp_capabilities")
            types = {c["name"]: c["type"] for c in vm.result("qom-list", path="/machine")}
            assert types["system.flash0"] == types["system.flash1"] == "child<cfi.pflash01>"
            vm.process.kill()  # what was written is in the image all the same
        with open(variables, "rb") as file:
            assert file.read() == b"\xff" * 5 + b"\x12" + b"\xff" * (FLASH - 6)
        with board(*drives, machine=machine) as vm:
            assert vm.value(f"readb {base + 5}") == 0x12


def test_flash_by_property():
    with Folder() as folder:
        code, variables = flash_files(folder)
        with board("-drive", f"if=none,id=c,format=raw,readonly=on,file={code}", "-drive",
                   f"if=none,id=v,format=raw,file={variables}",
                   machine="q35,pflash0=c,pflash1=v") as vm:
            assert vm.bytes(0xfffffff0, 16) == bytes(range(16))


def test_secure_flash():
    with Folder() as folder:
        code, variables = flash_files(folder)
        with board("-global", "driver=cfi.pflash01,property=secure,value=on", "-drive",
                   f"if=pflash,unit=0,format=raw,file={code}", "-drive",
                   f"if=pflash,unit=1,format=raw,file={variables}") as vm:
            program(vm, 0x100000000 - 2 * FLASH, 0)
            assert vm.value(f"readb {0x100000000 - 2 * FLASH}") == 0xff


def test_bad_flash():
    with Folder() as folder:
        code, variables = flash_files(folder)
        odd, empty = folder.file("odd", b"x" * 5000), folder.file("empty", b"")
        drive = "if=pflash,format=raw,file="
        refused("-drive", f"{drive}{variables},unit=1", says="pflash1 requires pflash0")
        refused("-drive", drive + odd, says="0x1000")
        refused("-drive", drive + empty, says="is empty")
        refused("-drive", drive + code, "-machine", "pc,max-fw-size=32K", says="exceeds 32768")
        refused("-machine", "pc,pflash0=ghost", says="ghost")
        refused("-drive", drive + code, "-drive", f"{drive}{variables},unit=2", says="unit=2")
        refused("-drive", drive + code, "-machine", "pc,pflash0=pflash0", says="clashes")
        refused("-drive", drive + code, "-bios", "bios-256k.bin", says="one of them")
        refused("-drive", f"if=none,id=c,format=raw,file={code}", "-machine",
                "pc,pflash0=c,pflash1=c", says="in use")


# ---- boot order ----------------------------------------------------------------------------


def disks(folder, *places):
    """-device for each place ("ide-hd,bus=ide.0,...") with a disk of its own."""
    out = []
    for i, place in enumerate(places):
        file = folder.file(f"disk{i}", b"\0" * MIB)
        out += ["-drive", f"if=none,id=d{i},format=raw,file={file}", "-device",
                f"{place},drive=d{i}"]
    return out


def test_boot_order():
    with Folder() as folder:
        rom = folder.file("my.rom", b"\x55\xaa\x01" + b"\0" * 509)
        arguments = disks(folder, "ide-hd,bus=ide.0,unit=1,bootindex=3",
                          "ide-cd,bus=ide.1,unit=0,bootindex=1",
                          "ide-hd,bus=ide.0,unit=0")
        with board(*arguments, "-boot", "strict=on,splash-time=500,reboot-timeout=77,menu=on",
                   "-option-rom", f"{rom},bootindex=2") as vm:
            assert vm.file("bootorder") == (b"/pci@i0cf8/ide@1,1/drive@1/disk@0\n"
                                            b"/rom@genroms/my.rom\n"
                                            b"/pci@i0cf8/ide@1,1/drive@0/disk@1\nHALT\0")
            assert vm.file("etc/boot-menu-wait") == struct.pack("<H", 500)
            assert vm.file("etc/boot-fail-wait") == struct.pack("<I", 77)
            assert vm.file("genroms/my.rom")[:3] == b"\x55\xaa\x01"
            assert vm.key(0x0e, 2) == b"\1\0"
        with board(*disks(folder, "ide-hd,bus=ide.2,bootindex=7"), machine="q35") as vm:
            assert vm.file("bootorder") == b"/pci@i0cf8/pci8086,2922@1f,2/drive@2/disk@0\0"
        with board() as vm:
            assert vm.file("bootorder") == b""
            assert vm.file("etc/boot-fail-wait") == b"\xff" * 4
            assert "etc/boot-menu-wait" not in vm.files()
            assert vm.key(0x0e, 2) == b"\0\0"
        refused(*disks(folder, "ide-hd,bus=ide.0,bootindex=1", "ide-hd,bus=ide.1,bootindex=1"),
                says="bootindex=1")


def test_geometry():
    with Folder() as folder:
        large = folder.file("large", b"")
        with open(large, "wb") as file:
            file.truncate(600 * MIB)
        arguments = disks(folder, "ide-hd,bus=ide.1,unit=1,lcyls=10,lheads=20,lsecs=30",
                          "ide-hd,bus=ide.1,unit=0,bios-chs-trans=large")
        with board(*arguments, "-drive", f"if=ide,format=raw,file={large}") as vm:
            assert vm.file("bios-geometry") == b"/pci@i0cf8/ide@1,1/drive@1/disk@1 10 20 30\0"
            cylinders = 600 * MIB // 512 // 16 // 63
            assert [vm.cmos(i) for i in range(0x1b, 0x24)] == [
                cylinders & 0xff, cylinders >> 8, 16, 0xff, 0xff, 0xc8, cylinders & 0xff,
                cylinders >> 8, 63]
            assert (vm.cmos(0x12), vm.cmos(0x19), vm.cmos(0x1a)) == (0xf0, 47, 0)
            assert vm.cmos(0x39) == 0x01 | 0x02 << 4


def test_floppy_of_user():
    """A controller that -device brings is in CMOS RAM as the machine's own is."""
    with Folder() as folder:
        disk = folder.file("floppy", bytes(1440 << 10))
        with board("-device", "isa-fdc", "-drive",
                   f"if=none,id=fd,format=raw,file={disk}", "-device", "floppy,drive=fd", machine="q35") as vm:
            assert (vm.cmos(0x10), vm.cmos(0x14) & 0xc1) == (0x40, 0x01)
    with board(machine="q35") as vm:
        assert (vm.cmos(0x10), vm.cmos(0x14) & 0xc1) == (0, 0)


def test_boot_letters():
    with board("-boot", "order=dc,once=n") as vm:
        assert vm.cmos(0x3d) == 0x04
        vm.result("qmp_capabilities")
        for _ in range(2):
            vm.result("system_reset")
            vm.wait_event("RESET")
            assert vm.cmos(0x3d) == 0x23
    with board() as vm:
        assert (vm.cmos(0x3d), vm.cmos(0x38)) == (0x12, 0x30)
    for order, says in (("cc", "each once"), ("q", "expected letters"), ("e", "expected up to three"),
                        ("acdn", "up to three")):
        refused("-boot", f"order={order}", says=says)
    for option, says in (("splash-time=70000", "65535"), ("reboot-timeout=-2", "from -1"),
                         ("splash=/nonexistent", "nonexistent"), ("foo=1", "foo")):
        refused("-boot", option, says=says)
    refused("-option-rom", "/nonexistent", says="nonexistent")


def test_splash():
    with Folder() as folder:
        jpeg = folder.file("a.jpg", b"\xff\xd8\xff\xe0" + b"\0" * 60)
        bmp = folder.file("a.bmp", b"BM" + b"\0" * 26 + b"\x18\0" + b"\0" * 40)
        with board("-boot", f"splash={jpeg}") as vm:
            assert vm.file("bootsplash.jpg")[:2] == b"\xff\xd8"
        with board("-boot", f"splash={bmp}") as vm:
            assert vm.file("bootsplash.bmp")[:2] == b"BM"
        refused("-boot", f"splash={folder.file('a.txt', b'text' * 20)}", says="JPEG")


# ---- the other files -----------------------------------------------------------------------


def test_files():
    with board("-m", "64", "-fw_cfg", "name=opt/a,string=b,,c") as vm:
        assert vm.key(0, 4) == b"QEMU"
        assert vm.key(3, 8) == struct.pack("<Q", 64 * MIB)
        assert vm.key(5, 2) == vm.key(0x0f, 2) == b"\1\0"
        assert vm.key(0x8004, 16)[:5] == b"\1" + struct.pack("<I", 0x8086a201)
        assert vm.file("etc/e820") == struct.pack("<QQI", 0, 64 * MIB, 1)
        states = vm.file("etc/system-states")
        assert len(states) == 6 and states[0] == states[5] == 0x80
        assert vm.file("opt/a") == b"b,c"
    with board("-m", "5G") as vm:
        low = 3 << 30
        assert vm.file("etc/e820") == struct.pack("<QQIQQI", 0, low, 1, 1 << 32, 2 << 30, 1)
        assert [vm.cmos(i) for i in (0x5b, 0x5c, 0x5d)] == [0, 0x80, 0]


def main():
    tap = Tap()
    tap.run("flash on pc", test_flash, "pc")
    tap.run("flash on q35", test_flash, "q35")
    for test in (test_flash_by_property, test_secure_flash, test_bad_flash, test_boot_order,
                 test_geometry, test_floppy_of_user, test_boot_letters, test_splash, test_files):
        tap.run(test.__name__, test)
    tap.finish()


main()
