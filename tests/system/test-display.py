# SPDX-License-Identifier: MIT
"""Screens: every kind of VGA mode is set through its registers, filled, and the picture that
screendump takes is held against one computed here pixel by pixel; and, where QEMU is, against its."""

import os
import shutil
import struct
import subprocess
import sys
import time
import zlib

import vga
from harness import PATIENCE, Folder, Lines, Tap, Vmm

PROGRAM = sys.argv[1]


class Picture:
    """A raw PPM file."""

    def __init__(self, path):
        with open(path, "rb") as file:
            magic, size, depth, self.data = file.read().split(b"\n", 3)
        assert (magic, depth) == (b"P6", b"255")
        self.width, self.height = map(int, size.split())
        assert len(self.data) == 3 * self.width * self.height

    def __eq__(self, other):
        return (self.width, self.height, self.data) == (other.width, other.height, other.data)


def shoot(vm, **arguments):
    path = vm.folder.file("shot")
    vm.result("screendump", filename=path, **arguments)
    return Picture(path)


def send(vm, commands):
    """Many at once: the answers come in order."""
    for i in range(0, len(commands), 64):
        part = commands[i:i + 64]
        vm.qtest.send("".join(command + "\n" for command in part))
        for command in part:
            answer = vm.qtest.line()
            assert answer.startswith("OK"), f"{command}: {answer}"


def expect(vm, width, height, pixel):
    picture = shoot(vm)
    assert (picture.width, picture.height) == (width, height), (picture.width, picture.height)
    want = b"".join(pixel(x, y) for y in range(height) for x in range(width))
    if picture.data != want:
        at = next(i for i in range(0, len(want), 3) if picture.data[i:i + 3] != want[i:i + 3]) // 3
        raise AssertionError(f"pixel {at % width},{at // width}: {picture.data[3 * at:3 * at + 3].hex()}"
                             f", expected {want[3 * at:3 * at + 3].hex()}")


# ---- text ---------------------------------------------------------------------------------------


def screen_text(cells):
    return bytes(b for i in range(cells) for b in (i & 255, (i * 7 + i // 256) & 255))


def text_pixel(mode, columns, width, start=0, blink=True, dark=False, fonts=(0, 0), lines=16,
               underline=None, cursor=None):
    """width: dots of a character, 16: eight that are doubled."""
    cells = screen_text(4000)

    def pixel(x, y):
        n = start + y // lines * columns + x // width
        line, dot = y % lines, x % width // (2 if width == 16 else 1)
        code, attr = cells[2 * n], cells[2 * n + 1]
        bits = vga.font_line(fonts[attr >> 3 & 1], code, line)
        on = bits >> (7 - dot) & 1 if dot < 8 else 0xc0 <= code <= 0xdf and bits & 1
        if blink and attr & 0x80 and dark:
            on = False
        if underline is not None and attr & 0x77 == 1 and line == underline:
            on = True
        if cursor and n == cursor[0] and cursor[1] <= line <= cursor[2]:
            on = True
        return vga.attr_rgb(mode, attr & 15 if on else attr >> 4 & (7 if blink else 15))

    return pixel


def start_text(vm, mode, base=0xb8000):
    send(vm, vga.dac_commands() + vga.font_commands() + mode.commands() +
         vga.memory(base, screen_text(4000)))


def test_text(vm):
    start_text(vm, vga.TEXT_80)
    expect(vm, 720, 400, text_pixel(vga.TEXT_80, 80, 9))
    wide = vga.TEXT_80.but(seq={1: 1}, attr={0x10: 4, 0x13: 0})
    start_text(vm, wide)
    expect(vm, 640, 400, text_pixel(wide, 80, 8, blink=False))
    start_text(vm, vga.TEXT_40)
    expect(vm, 640, 400, text_pixel(vga.TEXT_40, 40, 16))


def test_mono(vm):
    start_text(vm, vga.TEXT_MONO, 0xb0000)
    expect(vm, 720, 400, text_pixel(vga.TEXT_MONO, 80, 9, underline=13))


def test_fonts(vm):
    mode = vga.TEXT_80.but(seq={3: 4})  # characters with attribute bit 3 have the second font
    start_text(vm, mode)
    expect(vm, 720, 400, text_pixel(mode, 80, 9, fonts=(0, 1)))


def test_blink(vm):
    mode = vga.TEXT_80.but(crtc={10: 13, 11: 14, 15: 82})
    start_text(vm, mode)
    frame = 16666667
    now = int(vm.command("clock_step 0").split()[1])
    base = (now // (32 * frame) + 1) * 32 * frame
    for frames, shown, dark in ((1, True, False), (9, False, False), (17, True, True), (25, False, True)):
        vm.command(f"clock_set {base + frames * frame}")
        expect(vm, 720, 400, text_pixel(mode, 80, 9, dark=dark, cursor=(82, 13, 14) if shown else None))
    vm.command(f"clock_set {base + 33 * frame}")


def test_scrolling(vm):
    start_text(vm, vga.TEXT_80.but(crtc={13: 83}))
    expect(vm, 720, 400, text_pixel(vga.TEXT_80, 80, 9, start=83))
    panned = vga.TEXT_80.but(crtc={8: 3}, attr={0x13: 2})
    whole = text_pixel(panned, 80, 9)
    start_text(vm, panned)

    def pixel(x, y):  # three dots to the left and three lines up; column 80 is the next row's first
        x, y = x + 3, y + 3
        return whole(x, y) if x < 720 else whole(x - 720, y + 16)

    expect(vm, 720, 400, pixel)


def test_split(vm):
    mode = vga.TEXT_80.but(crtc={0x18: 99, 7: 0x0f, 9: 0x0f, 13: 80})
    start_text(vm, mode)
    top, bottom = text_pixel(mode, 80, 9, start=80), text_pixel(mode, 80, 9)
    expect(vm, 720, 400, lambda x, y: top(x, y) if y < 100 else bottom(x, y - 100))


def test_blank(vm):
    start_text(vm, vga.TEXT_80)
    for commands in (["inb 0x3da", "outb 0x3c0 0"], [vga.indexed(0x3c4, 1, 0x20)],
                     [vga.indexed(0x3c4, 0, 1)]):
        send(vm, vga.TEXT_80.commands() + commands)
        expect(vm, 720, 400, lambda x, y: bytes(3))
    send(vm, [vga.indexed(0x3c4, 0, 3)])
    expect(vm, 720, 400, text_pixel(vga.TEXT_80, 80, 9))


# ---- graphics -----------------------------------------------------------------------------------


def planar_pixel(mode, contents, pitch, start=0, xscale=1, yscale=1, pan=0):
    def pixel(x, y):
        x, y = x // xscale + pan, y // yscale
        byte = start + y * pitch + x // 8
        index = sum((contents[p][byte] >> (7 - x % 8) & 1) << p for p in range(4))
        return vga.attr_rgb(mode, index)

    return pixel


def test_planar(vm):
    contents = vga.planes(40000)
    send(vm, vga.dac_commands() + vga.PLANAR_640.commands() + vga.plane_commands(contents))
    expect(vm, 640, 480, planar_pixel(vga.PLANAR_640, contents, 80))
    moved = vga.PLANAR_640.but(crtc={13: 7, 12: 1}, attr={0x12: 5, 0x13: 3, 0x14: 12})
    send(vm, moved.commands())
    expect(vm, 640, 480, planar_pixel(moved, contents, 80, start=263, pan=3))
    split = vga.PLANAR_640.but(crtc={0x18: 99, 7: 0x2e, 9: 0, 13: 80}, attr={0x10: 0x21, 0x13: 3})
    top = planar_pixel(split, contents, 80, start=80, pan=3)
    bottom = planar_pixel(split, contents, 80)
    send(vm, split.commands())
    expect(vm, 640, 480, lambda x, y: top(x, y) if y < 100 else bottom(x, y - 100))
    send(vm, vga.PLANAR_320.commands() + vga.plane_commands(vga.planes(8000)))
    expect(vm, 640, 400, planar_pixel(vga.PLANAR_320, contents, 40, xscale=2, yscale=2))


def test_write_modes(vm):
    """Set/reset, latches, functions, bit mask: a copy in four ways, seen on the screen."""
    send(vm, vga.dac_commands() + vga.PLANAR_640.commands() + vga.plane_commands([bytes(40000)] * 4))
    send(vm, [vga.indexed(0x3ce, 0, 9), vga.indexed(0x3ce, 1, 15), "writeb 0xa0000 0",  # colour 9
              vga.indexed(0x3ce, 1, 0), vga.indexed(0x3ce, 5, 2), vga.indexed(0x3ce, 8, 0xf0),
              "readb 0xa0001", "writeb 0xa0001 6",                           # mode 2, four pixels
              vga.indexed(0x3ce, 5, 1), "readb 0xa0000", "writeb 0xa0002 0",  # mode 1: a copy
              vga.indexed(0x3ce, 5, 3), vga.indexed(0x3ce, 8, 0x3c), vga.indexed(0x3ce, 0, 10),
              "readb 0xa0003", "writeb 0xa0003 0x0f",                        # mode 3
              vga.indexed(0x3ce, 5, 0), vga.indexed(0x3ce, 8, 0xff), vga.indexed(0x3ce, 3, 0x19),
              vga.indexed(0x3ce, 0, 0), "readb 0xa0000", "writeb 0xa0000 1",  # xor 80 by rotation
              vga.indexed(0x3ce, 3, 0), vga.indexed(0x3ce, 0, 0)])
    want = [9 ^ 15] + [9] * 7 + [6] * 4 + [0] * 4 + [9] * 8 + [0] * 4 + [10] * 2 + [0] * 2
    black = vga.attr_rgb(vga.PLANAR_640, 0)
    expect(vm, 640, 480, lambda x, y: vga.attr_rgb(vga.PLANAR_640, want[x]) if y == 0 and x < 32
           else black)


def test_cga(vm):
    data = vga.linear(16384)
    send(vm, vga.dac_commands() + vga.CGA_4.commands() + vga.memory(0xb8000, data))

    def four(x, y):
        x, y = x // 2, y // 2
        byte = data[(y & 1) * 8192 + y // 2 * 80 + x // 4]
        return vga.attr_rgb(vga.CGA_4, byte >> (6 - 2 * (x % 4)) & 3)

    expect(vm, 640, 400, four)
    send(vm, vga.CGA_2.commands() + vga.memory(0xb8000, data))

    def two(x, y):
        y //= 2
        byte = data[(y & 1) * 8192 + y // 2 * 80 + x // 8]
        return vga.attr_rgb(vga.CGA_2, byte >> (7 - x % 8) & 1)

    expect(vm, 640, 400, two)


def test_256_colours(vm):
    data = vga.linear(65536)
    send(vm, vga.dac_commands() + vga.CHAIN_4.commands() + vga.memory(0xa0000, data))
    expect(vm, 640, 400, lambda x, y: vga.dac_rgb(data[y // 2 * 320 + x // 2]))
    send(vm, vga.CHAIN_4.but(attr={0x13: 4}, crtc={13: 5}).commands())
    expect(vm, 640, 400, lambda x, y: vga.dac_rgb(data[20 + y // 2 * 320 + x // 2 + 2]))
    contents = vga.planes(20000)
    send(vm, vga.UNCHAINED.commands() + vga.plane_commands(contents))
    expect(vm, 640, 480, lambda x, y: vga.dac_rgb(contents[x // 2 % 4][y // 2 * 80 + x // 8]))


# ---- DISPI modes ---------------------------------------------------------------------------------

LFB = 0xe0000000


def dispi(index, value):
    return [f"outw 0x1ce {index:#x}", f"outw 0x1cf {value:#x}"]


def dispi_mode(width, height, bpp, enable=0x41, virtual=0, x=0, y=0):
    out = dispi(4, 0) + dispi(1, width) + dispi(2, height) + dispi(3, bpp) + dispi(4, enable)
    return out + (dispi(6, virtual) + dispi(8, x) + dispi(9, y) if virtual else [])


def map_bars():
    out = []
    for offset, value in ((0x10, LFB), (0x18, LFB + 0x2000000), (4, 7)):
        out += [f"outl 0xcf8 {0x80001000 | offset:#x}", f"outl 0xcfc {value:#x}"]
    return out


def field(value, shift, bits):
    value = value >> shift & ((1 << bits) - 1)
    return value << (8 - bits) | value >> (2 * bits - 8)


def dispi_rgb(bpp, data, at):
    v = int.from_bytes(data[at:at + (bpp + 7) // 8], "little")
    if bpp == 8:
        return vga.dac_rgb(v)
    if bpp == 15:
        return bytes([v >> 7 & 0xf8, v >> 2 & 0xf8, v << 3 & 0xf8])
    if bpp == 16:
        return bytes([field(v, 11, 5), field(v, 5, 6), field(v, 0, 5)])
    return bytes([v >> 16 & 255, v >> 8 & 255, v & 255])


def test_dispi(vm):
    send(vm, map_bars() + vga.dac_commands() + vga.TEXT_80.commands())
    for bpp in (8, 15, 16, 24, 32):
        size = (bpp + 7) // 8
        data = bytes((i * 7 + i // 251) & 255 for i in range(320 * 100 * size))
        send(vm, dispi_mode(320, 100, bpp) + vga.memory(LFB, data))
        expect(vm, 320, 100, lambda x, y: dispi_rgb(bpp, data, (y * 320 + x) * size))
    data = bytes((i * 11 + i // 257) & 255 for i in range(400 * 120 * 4))
    send(vm, dispi_mode(320, 100, 32, virtual=400, x=33, y=17) + vga.memory(LFB, data))
    expect(vm, 320, 100, lambda x, y: dispi_rgb(32, data, ((y + 17) * 400 + x + 33) * 4))
    send(vm, ["writel 0xe2000604 0xbebebebe"])
    expect(vm, 320, 100, lambda x, y: data[((y + 17) * 400 + x + 33) * 4 + 1:][:3])
    send(vm, ["writel 0xe2000604 0x1e1e1e1e"] + dispi(4, 0))


def test_dispi_changes(vm):
    """A pixel written through a bank, and one through the frame buffer, after a picture was taken."""
    send(vm, map_bars() + vga.TEXT_80.commands() + dispi_mode(640, 480, 32))
    expect(vm, 640, 480, lambda x, y: bytes(3))
    send(vm, dispi(5, 2) + ["outb 0x3c2 0x63", vga.indexed(0x3ce, 6, 5), "writel 0xa0000 0x00112233", f"writel {LFB + 4} 0x445566"])
    at = 2 * 65536 // 4
    points = {(1, 0): b"\x44\x55\x66", (at % 640, at // 640): b"\x11\x22\x33"}
    expect(vm, 640, 480, lambda x, y: points.get((x, y), bytes(3)))
    send(vm, dispi(4, 0))


# ---- files and monitors ----------------------------------------------------------------------------


def read_png(path):
    """Eight-bit RGB without interlacing: width, height, pixels."""
    with open(path, "rb") as file:
        data = file.read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        chunks[kind] = chunks.get(kind, b"") + data[at + 8:at + 8 + length]
        at += 12 + length
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colour) == (8, 2)
    raw, out, last = zlib.decompress(chunks[b"IDAT"]), b"", bytes(3 * width)
    for y in range(height):
        kind, line = raw[y * (3 * width + 1)], bytearray(raw[y * (3 * width + 1) + 1:][:3 * width])
        for i in range(3 * width):
            left = line[i - 3] if i >= 3 else 0
            corner = last[i - 3] if i >= 3 else 0
            guess = left + last[i] - corner
            paeth = min((abs(guess - left), 0, left), (abs(guess - last[i]), 1, last[i]),
                        (abs(guess - corner), 2, corner))[2]
            line[i] = (line[i] + (0, left, last[i], (left + last[i]) // 2, paeth)[kind]) & 255
        last = bytes(line)
        out += last
    return width, height, out


def test_png(vm):
    send(vm, map_bars() + vga.TEXT_80.commands() + dispi_mode(64, 48, 32) + vga.memory(LFB, vga.linear(64 * 48 * 4)))
    picture = shoot(vm)
    path = vm.folder.file("png")
    answer = vm.qmp("screendump", filename=path, format="png")
    if "error" in answer and "without libpng" in answer["error"]["desc"]:
        return
    assert read_png(path) == (picture.width, picture.height, picture.data)
    send(vm, dispi(4, 0))


def test_refusals(vm):
    for arguments, words in (({"filename": "/nonexistent/x"}, "/nonexistent/x"),
                             ({"filename": "x", "format": "gif"}, "ppm and png"),
                             ({"filename": "x", "device": "nobody"}, "nobody"),
                             ({"filename": "x", "head": 0}, "device")):
        error = vm.qmp("screendump", **arguments)["error"]
        assert words in error["desc"], error
        assert error["class"] == ("DeviceNotFound" if words == "nobody" else "GenericError"), error
    assert "Error" in vm.result("human-monitor-command", command_line="screendump /nonexistent/x")
    # what is no regular file stays what it is
    path = vm.folder.file("special")
    link, folder = path + ".link", path + ".dir"
    os.symlink("/dev/full", link)
    os.mkdir(folder)
    for wrong in (link, folder):
        assert "cannot write" in vm.qmp("screendump", filename=wrong)["error"]["desc"]
    assert os.path.islink(link) and os.path.isdir(folder)
    os.unlink(link)
    os.symlink(path + ".target", link)
    vm.result("screendump", filename=link)
    assert os.path.islink(link) and os.path.getsize(path + ".target") > 100


def test_heads():
    with Vmm(PROGRAM, "-machine", "pc", "-device", "secondary-vga,id=second", "-device",
             "bochs-display,id=third,xres=1024,yres=768") as vm:
        vm.result("qmp_capabilities")
        assert shoot(vm, device="second", head=0).width == 640
        assert "head 1" in vm.qmp("screendump", filename="x", device="second", head=1)["error"]["desc"]
    with Vmm(PROGRAM, "-machine", "pc", "-vga", "none") as vm:
        vm.result("qmp_capabilities")
        assert "no console" in vm.qmp("screendump", filename="x")["error"]["desc"]


def test_input_events():
    """input-send-event: all of a list or none; what no device takes is an error."""
    def event(kind, **data):
        return {"type": kind, "data": data}

    def key(name, down):
        return event("key", down=down, key={"type": "qcode", "data": name})

    with Vmm(PROGRAM, "-machine", "pc", "-device", "secondary-vga,id=second") as vm:
        vm.result("qmp_capabilities")
        for arguments, words, kind in (
                ({"events": [event("zork")]}, "zork", "GenericError"),
                ({"events": [event("abs", axis="x", value=5)]}, "event type abs", "GenericError"),
                ({"events": [event("rel", axis="z", value=5)]}, "'z'", "GenericError"),
                ({"events": [event("btn", down=True, button="zork")]}, "zork", "GenericError"),
                ({"events": [event("btn", button="left")]}, "down", "GenericError"),
                ({"events": [key("a", True), key("zork", True)]}, "zork", "GenericError"),
                ({"events": [], "device": "nobody"}, "nobody", "DeviceNotFound"),
                ({"events": [], "device": "second", "head": 3}, "head 3", "GenericError")):
            error = vm.qmp("input-send-event", **arguments)["error"]
            assert words in error["desc"] and error["class"] == kind, (arguments, error)
        assert vm.value("inb 0x64") & 1 == 0  # a key that came with a wrong one was not pressed
        vm.result("input-send-event", events=[key("a", True)], device="second", head=0)
        assert (vm.value("inb 0x64") & 1, vm.value("inb 0x60")) == (1, 0x1c)
    with Vmm(PROGRAM, "-machine", "pc,i8042=off") as vm:
        vm.result("qmp_capabilities")
        for one in (key("a", True), event("rel", axis="x", value=1), event("btn", down=True, button="left")):
            assert f"type {one['type']}" in vm.qmp("input-send-event", events=[one])["error"]["desc"]


def test_ramfb():
    """A picture in guest memory, set up as firmware does it: by a DMA write to etc/ramfb."""
    width, height, at, descriptor, config = 64, 48, 0x200000, 0x100000, 0x101000
    data = vga.linear(80 * height * 4)
    with Vmm(PROGRAM, "-machine", "pc", "-vga", "none", "-device", "ramfb") as vm:
        vm.result("qmp_capabilities")
        send(vm, ["outw 0x510 0x19"])
        count = int.from_bytes(bytes(vm.value("inb 0x511") for _ in range(4)), "big")
        files = [bytes(vm.value("inb 0x511") for _ in range(64)) for _ in range(count)]
        key, = (struct.unpack(">H", f[4:6])[0] for f in files if f[8:].rstrip(b"\0") == b"etc/ramfb")
        where = struct.pack(">QIIIII", at, 0x34325258, 0, width, height, 80 * 4)
        access = struct.pack(">IIQ", key << 16 | 0x18, len(where), config)
        send(vm, vga.memory(at, data) + vga.memory(config, where) + vga.memory(descriptor, access))
        send(vm, ["outl 0x514 0", f"outl 0x518 {int.from_bytes(struct.pack('>I', descriptor), 'little'):#x}"])
        expect(vm, width, height, lambda x, y: data[(y * 80 + x) * 4:][:3][::-1])


# ---- QEMU --------------------------------------------------------------------------------------------

QEMU = shutil.which("qemu-system-x86_64")


class Qemu(Vmm):
    """The same commands to QEMU, whose VGA leaves out panning, blinking and underline."""

    def __init__(self, *arguments, paused=True):
        self.folder = Folder().__enter__()
        listeners = [self.listen(name) for name in ("qtest", "qmp")]
        self.process = subprocess.Popen(
            [QEMU, "-machine", "pc,accel=tcg", *(["-S"] if paused else []), *arguments, "-nodefaults", "-vga", "std", "-display", "none",
             "-qtest", "unix:" + self.folder.file("qtest"), "-qtest-log", "/dev/null",
             "-qmp", "unix:" + self.folder.file("qmp")],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.qtest, self.qmp_lines = (Lines(self.accept(listener)) for listener in listeners)
        self.events = []
        self.qmp_lines.line()
        self.result("qmp_capabilities")


def qemu_cases():
    contents = vga.planes(65536)
    text = vga.TEXT_80.but(seq={1: 1}, attr={0x10: 4, 0x13: 0})
    fill_text = vga.font_commands()
    cells = vga.memory(0xb8000, screen_text(4000))
    for changes in ({}, {"crtc": {13: 83}}, {"seq": {1: 1, 3: 4}}):
        yield fill_text + text.but(**changes).commands() + cells
    for changes in ({}, {"crtc": {13: 7, 12: 1}}, {"crtc": {0x13: 50}}, {"attr": {0x12: 5}},
                    {"attr": {0x10: 0x81, 0x14: 7}}, {"crtc": {9: 0x80}},
                    {"crtc": {0x18: 99, 7: 0x2e, 9: 0, 13: 80}}):
        yield vga.PLANAR_640.but(**changes).commands() + vga.plane_commands(contents)
    yield vga.PLANAR_320.commands() + vga.plane_commands(contents)
    for mode in (vga.CGA_4, vga.CGA_2):
        yield mode.commands() + vga.memory(0xb8000, vga.linear(16384))
    for changes in ({}, {"crtc": {9: 0}}, {"crtc": {9: 3}}, {"crtc": {0x13: 50}},
                    {"crtc": {0x18: 99, 7: 0x0f, 9: 1, 13: 80}}):
        yield vga.CHAIN_4.but(**changes).commands() + vga.memory(0xa0000, vga.linear(65536))
    yield vga.UNCHAINED.commands() + vga.plane_commands(contents)
    for bpp in (8, 15, 16, 24, 32):
        yield map_bars() + dispi_mode(320, 100, bpp) + vga.memory(LFB, vga.linear(320 * 100 * 4))
    yield dispi_mode(320, 100, 32, virtual=400, x=33, y=17)


def test_like_qemu(vm):
    with Qemu() as other:
        for machine in (vm, other):
            send(machine, vga.dac_commands())
        for number, commands in enumerate(qemu_cases()):
            for machine in (vm, other):
                send(machine, commands)
            assert shoot(vm) == shoot(other), f"case {number}"


# ---- firmware ----------------------------------------------------------------------------------------


def wait_text(vm, words):
    """The text screen once it has the words."""
    deadline = time.monotonic() + 2 * PATIENCE
    while time.monotonic() < deadline:
        text = vm.result("qom-get", path="/backend/console[0]", property="text")
        if words in text:
            return text
        time.sleep(0.1)
    raise AssertionError(f"no '{words}' in:\n{text}")


def text_row(picture, row):
    """Its pixels, of characters of 16 lines."""
    size = 3 * picture.width * 16
    return picture.data[row * size:][:size]


def test_seabios():
    """SeaBIOS and its VGA BIOS, up to the end of their wits; their words look as on QEMU's screen."""
    with Vmm(PROGRAM, "-machine", "pc", "-m", "64", "-bios", "bios-256k.bin", "-boot", "d", "-nodefaults",
             "-vga", "std", accel="tcg") as vm:
        vm.result("qmp_capabilities")
        text = wait_text(vm, "No bootable device.")
        assert text.startswith("SeaBIOS (version "), text
        picture = shoot(vm)
        assert (picture.width, picture.height) == (720, 400)
        vm.result("human-monitor-command", command_line="sendkey ret")
        if not QEMU:
            return
        with Qemu("-m", "64", "-boot", "d", paused=False) as other:
            deadline = time.monotonic() + 2 * PATIENCE
            rows = [text_row(picture, row) for row in (0, text.split("\n").index("No bootable device."))]
            while time.monotonic() < deadline:
                shown = shoot(other)
                if (shown.width, shown.height) == (720, 400) and all(row in shown.data for row in rows):
                    return
                time.sleep(0.2)
            raise AssertionError("QEMU's screen has not the same lines")


def main():
    tap = Tap()
    with Vmm(PROGRAM, "-machine", "pc") as vm:
        vm.result("qmp_capabilities")
        for test in (test_text, test_mono, test_fonts, test_blink, test_scrolling, test_split,
                     test_blank, test_planar, test_write_modes, test_cga, test_256_colours,
                     test_dispi, test_dispi_changes, test_png, test_refusals):
            tap.run(test.__name__, test, vm)
        tap.run("test_heads", test_heads)
        tap.run("test_input_events", test_input_events)
        tap.run("test_ramfb", test_ramfb)
        tap.run("test_seabios", test_seabios)
        if QEMU:
            tap.run("test_like_qemu", test_like_qemu, vm)
    tap.finish()


main()
