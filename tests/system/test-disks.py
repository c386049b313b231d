# SPDX-License-Identifier: MIT
"""Disks as a whole: media that change, errors and what is made of them, data that stays."""

import json
import os
import random
import struct
import sys
import time

from harness import PATIENCE, Folder, Tap, Vmm

PROGRAM = sys.argv[1]
LIST, FISES, TABLES, DATA = 0x10000, 0x11000, 0x12000, 0x100000
READ, WRITE, FLUSH, READ_QUEUED, WRITE_QUEUED, READ_LOG = 0x25, 0x35, 0xea, 0x60, 0x61, 0x2f
TFES = 1 << 30


class Disks(Vmm):
    """A q35 that takes QMP commands."""

    def __init__(self, *arguments):
        super().__init__(PROGRAM, "-machine", "q35", "-nodefaults", *arguments)
        self.result("qmp_capabilities")


class Ahci:
    """A driver of the first port of the q35's adapter."""

    def __init__(self, vm):
        self.vm = vm
        self.config(0x24, 0xf0000000)
        self.config(0x04, 0x00000006)
        self.port = 0xf0000100
        vm.command("writel 0xf0000004 0x80000002")
        self.write(0x00, LIST)
        self.write(0x08, FISES)
        self.restart()

    def config(self, register, value):
        self.vm.command(f"outl 0xcf8 {0x80000000 | 0x1f << 11 | 2 << 8 | register:#x}")
        self.vm.command(f"outl 0xcfc {value:#x}")

    def read(self, register):
        return self.vm.value(f"readl {self.port + register:#x}")

    def write(self, register, value):
        self.vm.command(f"writel {self.port + register:#x} {value:#x}")

    def restart(self):
        self.write(0x18, 0x16)
        self.write(0x10, 0xffffffff)
        self.write(0x18, 0x17)

    def put(self, slot, command, lba, count):
        queued = command in (READ_QUEUED, WRITE_QUEUED)
        feature, field = (count, slot << 3) if queued else (0, count)
        fis = struct.pack("<BBBB3sB3sBHBB4x", 0x27, 0x80, command, feature & 255,
                          lba.to_bytes(6, "little")[:3], 0x40, lba.to_bytes(6, "little")[3:],
                          feature >> 8, field, 0, 0)
        table = TABLES + 0x400 * slot
        prd = struct.pack("<QII", DATA + 0x10000 * slot, 0, 0xffff)
        flags = 5 | (0x40 if command in (WRITE, WRITE_QUEUED) else 0) | 1 << 16
        self.memory(table, fis)
        self.memory(table + 0x80, prd)
        self.memory(LIST + 32 * slot, struct.pack("<IIQ", flags, 0, table))

    def memory(self, address, data):
        self.vm.command(f"write {address:#x} {len(data)} 0x{data.hex()}")

    def data(self, slot, length):
        answer = self.vm.command(f"read {DATA + 0x10000 * slot:#x} {length}")
        return bytes.fromhex(answer.split("0x")[1])

    def issue(self, slots, queued=False):
        self.write(0x10, 0xffffffff)
        if queued:
            self.write(0x34, slots)
        self.write(0x38, slots)

    def wait(self, slots, queued=False):
        """True when they have ended; False for an error."""
        deadline = time.monotonic() + PATIENCE
        while self.read(0x34 if queued else 0x38) & slots:
            if self.read(0x10) & TFES:
                return False
            assert time.monotonic() < deadline, "a command never ends"
            time.sleep(0.002)
        return True

    def run(self, command, lba=0, count=1, slot=0):
        queued = command in (READ_QUEUED, WRITE_QUEUED)
        self.put(slot, command, lba, count)
        self.issue(1 << slot, queued)
        return self.wait(1 << slot, queued)


def debug_drive(folder, rules, extra="", size=1 << 20):
    image = folder.file("disk", bytes(i // 512 & 255 for i in range(size)))
    config = folder.file("rules", rules.encode())
    return ["-drive", f"if=none,id=d0,format=raw,file=blkdebug:{config}:{image}{extra}",
            "-device", "ide-hd,id=hd,drive=d0,bus=ide.0"]


def test_unreadable():
    rules = '[inject-error]\nevent = "read_aio"\nsector = "77"\n'
    with Folder() as folder, Disks(*debug_drive(folder, rules)) as vm:
        ahci = Ahci(vm)
        assert ahci.run(READ, 60, 8)
        assert ahci.data(0, 513)[511:] == b"\x3c\x3d"
        assert not ahci.run(READ, 70, 8)
        assert ahci.read(0x20) == 0x4041  # UNC
        event = vm.wait_event("BLOCK_IO_ERROR")["data"]
        assert (event["operation"], event["action"], event["device"]) == ("read", "report", "d0")
        ahci.restart()
        assert not ahci.run(READ_QUEUED, 77, 1, slot=5)
        ahci.restart()
        assert ahci.run(READ_LOG, 0x10, 1)
        log = ahci.data(0, 16)
        assert (log[0], log[3], log[4]) == (5, 0x40, 77), log.hex()
        assert ahci.run(READ_QUEUED, 78, 1)


def stopped_and_retried(command, event):
    rules = f'[inject-error]\nevent = "{event}"\nerrno = "28"\nonce = "on"\n'
    with Folder() as folder, Disks(*debug_drive(folder, rules, ",werror=enospc")) as vm:
        ahci = Ahci(vm)
        ahci.memory(DATA, b"\x5a" * 512)
        if command == FLUSH:  # of nothing does not reach the disk
            assert ahci.run(WRITE, 9, 1)
        ahci.put(0, command, 9, 1)
        ahci.issue(1)
        vm.wait_event("STOP")
        data = vm.wait_event("BLOCK_IO_ERROR")["data"]
        assert data["action"] == "stop" and data["nospace"], data
        assert vm.result("query-status")["status"] == "io-error"
        assert ahci.read(0x38) == 1
        vm.result("cont")
        assert ahci.wait(1)
        assert ahci.read(0x20) == 0x50
        if command == WRITE:
            with open(folder.file("disk"), "rb") as image:
                image.seek(9 * 512)
                assert image.read(512) == b"\x5a" * 512


def test_breakpoints():
    """A request is held where qemu-io said, until it says otherwise."""
    with Folder() as folder, Disks(*debug_drive(folder, "")) as vm:
        ahci = Ahci(vm)
        assert "" == vm.hmp('qemu-io d0 "break flush_to_os A"')
        ahci.put(0, FLUSH, 0, 0)
        ahci.issue(1)
        time.sleep(0.2)
        assert ahci.read(0x38) == 1 and ahci.read(0x20) & 0xff == 0xd0
        assert "failed" in vm.hmp('qemu-io d0 "resume B"')
        assert "" == vm.hmp('qemu-io d0 "resume A"')
        assert ahci.wait(1) and ahci.read(0x20) & 0xff == 0x50
        assert vm.hmp('qemu-io d0 "write -P 0x77 1k 512"') == "wrote 512/512 bytes at offset 1024\n"
        assert "verification failed" in vm.hmp('qemu-io d0 "read -P 0x77 512 1024"')
        assert "verification" not in vm.hmp('qemu-io d0 "read -P 0x77 1024 512"')
        assert vm.hmp('qemu-io d0 "length"') == "1048576\n"
        assert "Cannot find device" in vm.hmp('qemu-io d1 "length"')
        assert "not found" in vm.hmp('qemu-io d0 "sing"')
        assert "bad argument count" in vm.hmp('qemu-io d0 "break"')
        assert "failed" in vm.hmp('qemu-io d0 "break nothing A"')
        vm.hmp('qemu-io d0 "break write_aio C"')  # held at the end: it must come nevertheless
        ahci.put(0, WRITE, 9, 1)
        ahci.issue(1)
        vm.terminate()


def test_defaults():
    """What a machine has of itself goes by the names that people know, and makes room."""
    for machine, names in (("pc", ["floppy0", "ide1-cd0"]), ("q35", ["ide2-cd0"])):
        for extra, missing in (([], ""), (["-device", "floppy"], "floppy0"),
                               (["-device", "ide-cd"], names[-1]),
                               (["-global", "ide-hd.ver=x"], names[-1]), (["-nodefaults"], "all")):
            if machine == "q35" and "floppy" in extra:
                continue
            with Vmm(PROGRAM, "-machine", machine, *extra) as vm:
                vm.result("qmp_capabilities")
                found = sorted(b["device"] for b in vm.result("query-block") if b["device"])
                expected = [n for n in names if n != missing and missing != "all"]
                assert found == expected, (machine, extra, found)
    for machine, bus in (("pc", "ide.1"), ("q35", "ide.5")):  # the newest bus comes first
        with Vmm(PROGRAM, "-machine", machine, "-device", "ide-cd,id=x") as vm:
            vm.result("qmp_capabilities")
            path = vm.result("qom-get", path="/machine/peripheral/x", property="parent_bus")
            assert path.endswith("/" + bus), path
    with Vmm(PROGRAM, "-machine", "pc", "-device", "VGA,id=v", "-device", "isa-serial") as vm:
        vm.result("qmp_capabilities")
        assert vm.result("qom-get", path="/machine/peripheral/v", property="addr") in (16, "02.0")


def test_ignored():
    rules = '[inject-error]\nevent = "write_aio"\n'
    with Folder() as folder, Disks(*debug_drive(folder, rules, ",werror=ignore")) as vm:
        assert Ahci(vm).run(WRITE, 9, 1)
    with Folder() as folder, Disks(*debug_drive(folder, rules, ",werror=ignore")[:-1],
                                 "ide-hd,drive=d0,bus=ide.0,werror=report") as vm:
        assert not Ahci(vm).run(WRITE, 9, 1)


def killed_while_writing(seed):
    """Sectors that a flush covered are there; others are old or new, never a mixture."""
    rng = random.Random(seed)
    with Folder() as folder:
        image = folder.file("disk", bytes(2 << 20))
        with Disks("-drive",
                 f"if=ide,format=raw,file={image}") as vm:
            ahci = Ahci(vm)
            versions = {}  # of a sector: those that it may hold

            def write_some(version):
                sectors = rng.sample(range(0, 4000, 8), 32)
                for slot, lba in enumerate(sectors):
                    ahci.memory(DATA + 0x10000 * slot, struct.pack("<II", lba, version) * 64)
                    ahci.put(slot, WRITE_QUEUED, lba, 1)
                ahci.issue(0xffffffff, True)
                return sectors

            for version in range(1, 4):
                sectors = write_some(version)
                assert ahci.wait(0xffffffff, True)
                for lba in sectors:
                    versions[lba] = {version}
            assert ahci.run(FLUSH)
            for lba in write_some(4):
                versions.setdefault(lba, {0}).add(4)
            vm.process.kill()
            vm.process.wait()
        with open(image, "rb") as file:
            for lba, allowed in versions.items():
                file.seek(lba * 512)
                data = file.read(512)
                good = [data == (struct.pack("<II", lba, v) * 64 if v else bytes(512))
                        for v in allowed]
                assert any(good), f"sector {lba}: {data[:8].hex()}, not one of {allowed}"


def test_queue_against_model():
    """Random queued reads and writes, each held against what was written last."""
    rng = random.Random(11)
    with Folder() as folder:
        image = folder.file("disk", bytes(1 << 20))
        with Disks("-drive",
                 f"if=ide,format=raw,cache=none,file={image}") as vm:
            ahci = Ahci(vm)
            model = bytearray(1 << 20)
            for _ in range(12):
                areas = rng.sample(range(64), 16)  # of 32 sectors: no two overlap
                jobs = []
                for slot, area in enumerate(areas):
                    lba, count = area * 32 + rng.randrange(16), rng.randrange(1, 17)
                    write = rng.random() < 0.5
                    if write:
                        data = rng.randbytes(count * 512)
                        ahci.memory(DATA + 0x10000 * slot, data)
                        model[lba * 512:(lba + count) * 512] = data
                    ahci.put(slot, WRITE_QUEUED if write else READ_QUEUED, lba, count)
                    jobs.append((lba, count))
                ahci.issue(0xffff, True)
                assert ahci.wait(0xffff, True)
                for slot, (lba, count) in enumerate(jobs):
                    assert ahci.data(slot, count * 512) == model[lba * 512:(lba + count) * 512]
            assert ahci.run(FLUSH)
        with open(image, "rb") as file:
            assert file.read() == model


def test_media():
    with Folder() as folder:
        first, second = folder.file("a.iso", bytes(64 << 10)), folder.file("b.iso", bytes(96 << 10))
        with Disks("-drive",
                 f"if=none,id=c0,media=cdrom,file={first}", "-device",
                 "ide-cd,id=cd,drive=c0,bus=ide.2") as vm:
            [cd] = vm.result("query-block")
            assert (cd["device"], cd["qdev"], cd["tray_open"]) == ("c0", "cd", False)
            assert cd["inserted"]["file"] == first and cd["inserted"]["ro"]
            assert "not open" in vm.qmp("blockdev-remove-medium", id="cd")["error"]["desc"]
            vm.result("blockdev-open-tray", id="cd")
            assert vm.wait_event("DEVICE_TRAY_MOVED")["data"]["tray-open"]
            vm.result("blockdev-remove-medium", id="cd")
            assert "inserted" not in vm.result("query-block")[0]
            vm.result("blockdev-add", driver="raw", node_name="n",
                      file={"driver": "file", "filename": second})
            vm.result("blockdev-insert-medium", id="cd", node_name="n")
            vm.result("blockdev-close-tray", id="cd")
            [cd] = vm.result("query-block")
            assert cd["inserted"]["file"] == second and not cd["tray_open"]
            vm.result("blockdev-change-medium", device="c0", filename=first, format="raw")
            assert vm.result("query-block")[0]["inserted"]["file"] == first
            vm.result("eject", id="cd")
            assert vm.result("query-block")[0]["tray_open"]
            assert vm.qmp("eject", id="nothing")["error"]["class"] == "DeviceNotFound"
            text = vm.result("human-monitor-command", command_line="info block")
            assert "c0: [not inserted]" in text and "tray open" in text


def test_nodes():
    with Folder() as folder:
        image = folder.file("x,y.img", bytes(1 << 20))
        node = json.dumps({"driver": "raw", "node-name": "d", "read-only": False,
                           "file": {"driver": "file", "filename": image}})
        doubled = image.replace(",", ",,")
        forms = (["-blockdev", node],
                 ["-blockdev", f"driver=file,node-name=f,filename={doubled}",
                  "-blockdev", "driver=raw,node-name=d,file=f"],
                 ["-blockdev", f"driver=raw,node-name=d,file.driver=file,file.filename={doubled}"])
        for form in forms:
            with Disks(*form, "-device",
                     "ide-hd,id=hd,drive=d,bus=ide.0") as vm:
                assert Ahci(vm).run(WRITE, 3, 1)
                assert "in use" in vm.qmp("blockdev-del", node_name="d")["error"]["desc"]


def test_zeroes():
    """Zeros take no room where they are looked for."""
    with Folder() as folder:
        image = folder.file("x.img", os.urandom(1 << 20))
        with Disks("-drive",
                 f"if=ide,format=raw,discard=unmap,detect-zeroes=unmap,file={image}") as vm:
            ahci = Ahci(vm)
            assert ahci.run(WRITE, 0, 128) and ahci.run(FLUSH)
        with open(image, "rb") as file:
            assert file.read(65536) == bytes(65536)
            if os.fstatvfs(file.fileno()).f_bsize <= 65536:
                assert os.fstat(file.fileno()).st_blocks * 512 < 1 << 20


tap = Tap()
tap.run("a sector that cannot be read", test_unreadable)
tap.run("a write stops the machine, and is done when it goes on", stopped_and_retried, WRITE, "write_aio")
tap.run("a flush likewise", stopped_and_retried, FLUSH, "flush_to_disk")
tap.run("requests held at breakpoints", test_breakpoints)
tap.run("default drives and their places", test_defaults)
tap.run("errors that are ignored, or not", test_ignored)
for number in range(3):
    tap.run(f"killed while writing, {number}", killed_while_writing, number)
tap.run("queued commands against a model", test_queue_against_model)
tap.run("media come and go", test_media)
tap.run("nodes", test_nodes)
tap.run("zeros as holes", test_zeroes)
tap.finish()
