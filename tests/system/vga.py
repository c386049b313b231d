# SPDX-License-Identifier: MIT
"""Register settings of VGA modes, as qtest commands.  Values: IBM VGA Technical Reference,
"BIOS video modes"."""


class Mode:
    """misc: 3c2; the others lists of registers from 0 on, sequencer from 1 on."""

    def __init__(self, misc, seq, crtc, gr, attr):
        self.misc, self.seq, self.crtc, self.gr, self.attr = misc, seq, crtc, gr, attr

    def but(self, **changes):
        """The same with seq={index: value} and so on."""
        sets = {name: list(getattr(self, name)) for name in ("seq", "crtc", "gr", "attr")}
        for name, values in changes.items():
            for index, value in values.items():
                sets[name][index] = value
        return Mode(self.misc, **sets)

    def commands(self):
        crtc = 0x3d4 if self.misc & 1 else 0x3b4
        out = [f"outb 0x3c2 {self.misc:#x}"]
        out += [indexed(0x3c4, 0, 1)]
        out += [indexed(0x3c4, i, v) for i, v in enumerate(self.seq) if i]
        out += [indexed(0x3c4, 0, 3), indexed(crtc, 0x11, 0x0e)]
        out += [indexed(crtc, i, v) for i, v in enumerate(self.crtc)]
        out += [indexed(0x3ce, i, v) for i, v in enumerate(self.gr)]
        out += [f"inb {crtc + 6:#x}"]
        for i, v in enumerate(self.attr):
            out += [f"outb 0x3c0 {i:#x}", f"outb 0x3c0 {v:#x}"]
        return out + ["outb 0x3c0 0x20"]


def indexed(port, index, value):
    return f"outw {port:#x} {value << 8 | index:#x}"


EGA = [0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f]
CRTC_80 = [0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f]
CRTC_80G = [0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f]
CRTC_40 = [0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f]
NO_CURSOR = [0x20, 0, 0, 0, 0, 0]

TEXT_80 = Mode(0x67, [3, 0, 3, 0, 2],
               CRTC_80 + [0, 0x4f] + NO_CURSOR + [0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff],
               [0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff], EGA + [0x0c, 0, 15, 8, 0])
TEXT_40 = Mode(0x67, [3, 8, 3, 0, 2],
               CRTC_40 + [0, 0x4f] + NO_CURSOR + [0x9c, 0x8e, 0x8f, 0x14, 0x1f, 0x96, 0xb9, 0xa3, 0xff],
               [0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff], EGA + [0x0c, 0, 15, 8, 0])
TEXT_MONO = Mode(0xa6, [3, 0, 3, 0, 2],
                 CRTC_80 + [0, 0x4f] + NO_CURSOR + [0x9c, 0x8e, 0x8f, 0x28, 0x0d, 0x96, 0xb9, 0xa3, 0xff],
                 [0, 0, 0, 0, 0, 0x10, 0x0a, 0, 0xff],
                 [0] + [8] * 7 + [0x10] + [0x18] * 7 + [0x0e, 0, 15, 8, 0])
PLANAR_640 = Mode(0xe3, [3, 1, 15, 0, 6],
                  [0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0, 0x40] + [0] * 6 +
                  [0xea, 0x8c, 0xdf, 0x28, 0, 0xe7, 4, 0xe3, 0xff],
                  [0, 0, 0, 0, 0, 0, 5, 15, 0xff], EGA + [1, 0, 15, 0, 0])
PLANAR_320 = Mode(0x63, [3, 9, 15, 0, 6],
                  CRTC_40 + [0, 0xc0] + [0] * 6 + [0x9c, 0x8e, 0x8f, 0x14, 0, 0x96, 0xb9, 0xe3, 0xff],
                  [0, 0, 0, 0, 0, 0, 5, 15, 0xff],
                  [0, 1, 2, 3, 4, 5, 6, 7] + list(range(0x10, 0x18)) + [1, 0, 15, 0, 0])
CGA_4 = Mode(0x63, [3, 9, 3, 0, 2],
             CRTC_40 + [0, 0xc1] + [0] * 6 + [0x9c, 0x8e, 0x8f, 0x14, 0, 0x96, 0xb9, 0xa2, 0xff],
             [0, 0, 0, 0, 0, 0x30, 15, 0, 0xff],
             [0, 0x13, 0x15, 0x17, 2, 4, 6, 7] + list(range(0x10, 0x18)) + [1, 0, 3, 0, 0])
CGA_2 = Mode(0x63, [3, 1, 1, 0, 6],
             CRTC_80G + [0, 0xc1] + [0] * 6 + [0x9c, 0x8e, 0x8f, 0x28, 0, 0x96, 0xb9, 0xc2, 0xff],
             [0, 0, 0, 0, 0, 0, 13, 0, 0xff], [0] + [0x17] * 15 + [1, 0, 1, 0, 0])
CHAIN_4 = Mode(0x63, [3, 1, 15, 0, 14],
               CRTC_80G + [0, 0x41] + [0] * 6 + [0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff],
               [0, 0, 0, 0, 0, 0x40, 5, 15, 0xff], list(range(16)) + [0x41, 0, 15, 0, 0])
UNCHAINED = Mode(0xe3, [3, 1, 15, 0, 6],
                 [0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0d, 0x3e, 0, 0x41] + [0] * 6 +
                 [0xea, 0xac, 0xdf, 0x28, 0, 0xe7, 6, 0xe3, 0xff],
                 [0, 0, 0, 0, 0, 0x40, 5, 15, 0xff], list(range(16)) + [0x41, 0, 15, 0, 0])


# ---- what is put into memory, and what colour it is to have ----------------------------------


def dac_value(i):
    """Red, green, blue, six bits each."""
    return tuple((i * (k * 7 + 1) + k * 13) & 63 for k in range(3))


def widen(v):
    """Six bits as the monitor shows them: 0 to 255, ends included."""
    return v << 2 | (3 if v & 1 else 0)


def dac_rgb(i):
    return bytes(widen(v) for v in dac_value(i & 0xff))


def dac_commands():
    out = ["outb 0x3c6 0xff", "outb 0x3c8 0"]
    for i in range(256):
        out += [f"outb 0x3c9 {v:#x}" for v in dac_value(i)]
    return out


def attr_rgb(mode, index):
    """Through the palette of the attribute controller; P54S off."""
    value = mode.attr[index & mode.attr[0x12] & 15]
    return dac_rgb((value & 0x3f) | (mode.attr[0x14] & 12) << 4)


def memory(base, data):
    return [f"write {base + i:#x} {len(data[i:i + 512])} 0x{data[i:i + 512].hex()}"
            for i in range(0, len(data), 512)]


def font_line(font, code, line):
    return (code * 37 + line * 11 + 5) & 255 if font == 0 else (code * 3 + line * 7 + 1) & 255


def font_commands():
    """Font 0 at the start of plane 2, font 1 at 4000."""
    out = ["outb 0x3c2 0x67", indexed(0x3ce, 8, 0xff), indexed(0x3c4, 2, 4), indexed(0x3c4, 4, 6),
           indexed(0x3ce, 3, 0), indexed(0x3ce, 1, 0), indexed(0x3ce, 4, 2), indexed(0x3ce, 5, 0),
           indexed(0x3ce, 6, 4)]
    for font, offset in ((0, 0), (1, 0x4000)):
        data = b"".join(bytes(font_line(font, code, line) if line < 16 else 0 for line in range(32))
                        for code in range(256))
        out += memory(0xa0000 + offset, data)
    return out


def planes(size):
    return [bytes((i * (2 * p + 3) + i // 40 * (p + 1)) & 255 for i in range(size)) for p in range(4)]


def plane_commands(contents):
    out = []
    for p, data in enumerate(contents):
        out += [indexed(0x3c4, 2, 1 << p)] + memory(0xa0000, data)
    return out + [indexed(0x3c4, 2, 15)]


def linear(size):
    return bytes((i * 5 + i // 320) & 255 for i in range(size))
