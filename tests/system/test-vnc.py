# SPDX-License-Identifier: MIT
"""The VNC server, with a viewer on libvncclient and with one that speaks RFB by itself."""

import os
import socket
import struct
import subprocess
import sys
import time

from harness import PATIENCE, Tap, Vmm

PROGRAM, VIEWER = sys.argv[1:3]
LFB = 0xe0000000
EXTENDED_KEY, LED_STATE, DESKTOP_SIZE = -258, -261, -223


class Machine(Vmm):
    def __init__(self, options="", *arguments):
        super().__init__(PROGRAM, "-machine", "pc", "-vnc", "127.0.0.1:0,to=900" + options, *arguments)
        self.result("qmp_capabilities")
        self.port = int(self.result("query-vnc")["service"])

    def send(self, commands):
        for command in commands:
            assert self.command(command).startswith("OK"), command

    def mode(self, width, height):
        """A linear frame buffer of 32 bits, black."""
        out = ["outb 0x3c2 0x63", "inb 0x3da", "outb 0x3c0 0x20"]
        for offset, value in ((0x10, LFB), (4, 7)):
            out += [f"outl 0xcf8 {0x80001000 | offset:#x}", f"outl 0xcfc {value:#x}"]
        for index, value in ((4, 0), (1, width), (2, height), (3, 32), (4, 0x41)):
            out += [f"outw 0x1ce {index}", f"outw 0x1cf {value:#x}"]
        self.send(out)

    def fill(self, width, height):
        data = bytes((i * 7 + i // 509) & 255 for i in range(4 * width * height))
        for i in range(0, len(data), 4096):
            self.send([f"write {LFB + i:#x} {len(data[i:i + 4096])} 0x{data[i:i + 4096].hex()}"])
        return b"".join(data[i + 2:i + 3] + data[i + 1:i + 2] + data[i:i + 1]
                        for i in range(0, len(data), 4))

    def view(self, *actions, password="-", port=None):
        return subprocess.run([VIEWER, "127.0.0.1", str(port or self.port), password, *actions],
                              capture_output=True, timeout=PATIENCE).returncode

    def picture(self, **options):
        path = self.folder.file("view")
        assert self.view("shot=" + path, **options) == 0
        with open(path, "rb") as file:
            _, size, _, data = file.read().split(b"\n", 3)
        return tuple(map(int, size.split())), data

    def keyboard(self):
        """Bytes that the i8042 has, once some came: (from the mouse, byte)."""
        out, deadline = [], time.monotonic() + PATIENCE
        while not out and time.monotonic() < deadline:
            while (status := self.value("inb 0x64")) & 1:
                out.append((bool(status & 0x20), self.value("inb 0x60")))
            time.sleep(0.02)
        return out

    def expect_bytes(self, want, mouse=False):
        got, deadline = [], time.monotonic() + PATIENCE
        while len(got) < len(want) and time.monotonic() < deadline:
            got += self.keyboard()
        assert got == [(mouse, byte) for byte in want], got


class Viewer:
    """RFC 6143, raw encoding."""

    def __init__(self, address, shared=1, security=1, encodings=(0,)):
        family = socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX
        self.sock = socket.socket(family)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(address)
        assert self.read(12) == b"RFB 003.008\n"
        self.sock.sendall(b"RFB 003.008\n")
        self.types = self.read(self.read(1)[0])
        self.sock.sendall(bytes([security]))
        if security == 2:
            self.read(16)
            self.sock.sendall(bytes(16))
        self.result, = struct.unpack(">I", self.read(4))
        if self.result:
            return
        self.sock.sendall(bytes([shared]))
        self.width, self.height = struct.unpack(">HH", self.read(4))
        self.read(16)
        self.name = self.read(struct.unpack(">I", self.read(4))[0]).decode()
        self.sock.sendall(struct.pack(">BBH", 2, 0, len(encodings)) +
                          b"".join(struct.pack(">i", e) for e in encodings))

    def read(self, n):
        out = b""
        while len(out) < n:
            part = self.sock.recv(n - len(out))
            if not part:
                raise EOFError("connection closed")
            out += part
        return out

    def request(self, incremental=True):
        self.sock.sendall(struct.pack(">BBHHHH", 3, incremental, 0, 0, self.width, self.height))

    def update(self):
        """Rectangles of the next update: x, y, width, height, encoding, bytes."""
        kind, count = struct.unpack(">BxH", self.read(4))
        assert kind == 0, kind
        out = []
        for _ in range(count):
            x, y, w, h, encoding = struct.unpack(">HHHHi", self.read(12))
            size = {0: 4 * w * h, LED_STATE: 1}.get(encoding, 0)
            if encoding == DESKTOP_SIZE:
                self.width, self.height = w, h
            out.append((x, y, w, h, encoding, self.read(size)))
        return out

    def key(self, keysym, down):
        self.sock.sendall(struct.pack(">BBHI", 4, down, 0, keysym))

    def code(self, number, down):
        self.sock.sendall(struct.pack(">BBHII", 255, 0, down, 0, number))

    def point(self, buttons, x, y):
        self.sock.sendall(struct.pack(">BBHH", 5, buttons, x, y))

    def gone(self):
        try:
            while self.sock.recv(65536):
                pass
        except ConnectionError:
            pass
        return True


def test_picture():
    with Machine(",id=main") as vm:
        vm.mode(320, 200)
        want = vm.fill(320, 200)
        assert vm.picture() == ((320, 200), want)
        info = vm.result("query-vnc-servers")
        assert info[0]["id"] == "main" and info[0]["auth"] == "none", info
        connected = vm.wait_event("VNC_CONNECTED")["data"]
        assert connected["server"]["service"] == str(vm.port) and connected["client"]["host"] == "127.0.0.1"
        vm.wait_event("VNC_INITIALIZED")
        vm.wait_event("VNC_DISCONNECTED")
        assert vm.result("query-vnc")["clients"] == []


def test_changes():
    """Only what was drawn is sent; a new mode brings a new size."""
    with Machine() as vm:
        vm.mode(320, 200)
        viewer = Viewer(("127.0.0.1", vm.port), encodings=(0, DESKTOP_SIZE))
        assert (viewer.width, viewer.height, viewer.name) == (320, 200, "Quoin")
        viewer.request(False)
        assert sum(r[2] * r[3] for r in viewer.update()) == 320 * 200
        viewer.request()
        vm.send([f"writel {LFB + 4 * (320 * 50 + 7):#x} 0x123456"])
        (x, y, w, h, _, pixels), = viewer.update()
        assert (x, y, w, h) == (7, 50, 1, 1) and pixels[:3] == b"\x56\x34\x12", (x, y, w, h, pixels)
        viewer.request()
        vm.mode(640, 400)
        while viewer.width != 640:
            viewer.update()
            viewer.request()
        assert viewer.height == 400


def test_small_viewer():
    """A viewer that does not know of sizes that change gets its own size to the end."""
    with Machine() as vm:
        vm.mode(320, 200)
        viewer = Viewer(("127.0.0.1", vm.port))
        vm.mode(160, 100)
        vm.send([f"writel {LFB:#x} 0xffffff"])
        time.sleep(0.3)
        viewer.request(False)
        assert sum(r[2] * r[3] for r in viewer.update()) == 320 * 200


def test_keys():
    with Machine() as vm:
        vm.send(["outb 0x64 0x60", "outb 0x60 0x47"])
        assert vm.view("key=0x61", "key=0x41", "key=0xff0d") == 0  # a, A, return
        vm.expect_bytes([0x1e, 0x9e, 0x1e, 0x9e, 0x1c, 0x9c])
        viewer = Viewer(("127.0.0.1", vm.port), encodings=(0, EXTENDED_KEY, LED_STATE))
        assert viewer.update()[0][4] == EXTENDED_KEY
        lights = viewer.update()[0]
        assert lights[4:] == (LED_STATE, b"\0"), lights
        viewer.code(0xc8, 1)  # up: e0 48
        viewer.code(0xc8, 0)
        vm.expect_bytes([0xe0, 0x48, 0xe0, 0xc8])
        viewer.key(0xffe3, 1)  # ctrl stays pressed ...
        vm.expect_bytes([0x1d])
        vm.send(["outb 0x60 0xed", "inb 0x60", "outb 0x60 0x04", "inb 0x60"])  # caps lock light
        viewer.key(0xffe1, 1)
        vm.expect_bytes([0x2a])
        assert viewer.update()[0][4:] == (LED_STATE, b"\x04")
        viewer.sock.close()  # ... until its viewer goes
        released = vm.keyboard()
        released += vm.keyboard() if len(released) < 2 else []
        assert sorted(byte for _, byte in released) == [0x9d, 0xaa], released


def test_pointer():
    with Machine() as vm:
        vm.mode(320, 200)
        vm.send(["outb 0x64 0x60", "outb 0x60 0x47", "outb 0x64 0xd4", "outb 0x60 0xf4"])
        assert vm.keyboard() == [(True, 0xfa)]
        assert vm.view("point=100,100,0", "point=110,95,0", "point=110,95,1", "point=110,95,0") == 0
        vm.expect_bytes([0x08, 10, 5, 0x09, 0, 0, 0x08, 0, 0], mouse=True)
        mice = vm.result("query-mice")
        assert [m["current"] for m in mice] == [True] and not mice[0]["absolute"], mice


def test_password():
    with Machine(",password=on") as vm:
        assert vm.result("query-vnc")["auth"] == "vnc"
        assert vm.view(password="secret") == 2  # none is set
        vm.result("change-vnc-password", password="secret")
        vm.mode(320, 200)
        assert vm.picture(password="secret")[0] == (320, 200)
        assert vm.view(password="Secret") == 2
        vm.result("set_password", protocol="vnc", password="other")
        assert vm.view(password="secret") == 2
        vm.result("expire_password", protocol="vnc", time="now")
        assert vm.view(password="other") == 2
        vm.result("expire_password", protocol="vnc", time="+100")
        assert vm.view(password="other") == 0
        assert vm.result("human-monitor-command", command_line="change vnc password third") == ""
        assert vm.view(password="third") == 0
        for security in (1, 16, 0):  # none, and kinds that are not there
            try:
                Viewer(("127.0.0.1", vm.port), security=security)
                raise AssertionError(f"security type {security} was let in")
            except (EOFError, ConnectionError):
                pass
        viewer = Viewer(("127.0.0.1", vm.port), security=2)
        assert viewer.types == b"\x02" and viewer.result == 1
        assert "error" in vm.qmp("set_password", protocol="spice", password="x")
    with Machine(",password-secret=word", "-object", "secret,id=word,data=hush") as vm:
        assert vm.view(password="hush") == 0 and vm.view(password="loud") == 2
    with Machine() as vm:
        assert "password=on" in vm.qmp("change-vnc-password", password="x")["error"]["desc"]


def test_slow_viewers():
    """One that does not read, and one in the middle of a word, hold up nobody."""
    with Machine() as vm:
        vm.mode(1024, 768)
        lazy = Viewer(("127.0.0.1", vm.port))
        for _ in range(20):
            lazy.request(False)
        stuck = [socket.create_connection(("127.0.0.1", vm.port)) for _ in range(3)]
        for words, sock in zip((b"R", b"RFB 00", b"GET "), stuck):
            sock.sendall(words)
        for i in range(5):
            vm.send([f"writel {LFB + 4096 * i:#x} 0xffffff"])
            began = time.monotonic()
            assert vm.result("query-status")["running"] in (True, False)
            assert vm.picture()[0] == (1024, 768)
            assert time.monotonic() - began < 10
        assert vm.terminate() == 0


def test_sharing():
    with Machine() as vm:
        first = Viewer(("127.0.0.1", vm.port))
        second = Viewer(("127.0.0.1", vm.port), shared=0)
        assert first.gone()
        second.request(False)
        assert second.update()
    with Machine(",share=force-shared,connections=2") as vm:
        try:
            Viewer(("127.0.0.1", vm.port), shared=0)
            raise AssertionError("was let in alone")
        except (EOFError, ConnectionError):
            pass
        vm.wait_event("VNC_DISCONNECTED")
        several = [Viewer(("127.0.0.1", vm.port)) for _ in range(2)]
        third = socket.create_connection(("127.0.0.1", vm.port))
        third.settimeout(PATIENCE)
        assert third.recv(1) == b"" and len(several) == 2


def test_moved():
    """display-update: the server listens elsewhere; who is connected stays."""
    with Machine() as vm:
        stays = Viewer(("127.0.0.1", vm.port))
        old = vm.port
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            free = taken.getsockname()[1]
        vm.result("display-update", type="vnc", addresses=[{"type": "inet", "host": "127.0.0.1", "port": str(free)}])
        assert vm.result("query-vnc")["service"] == str(free)
        assert Viewer(("127.0.0.1", free)).name == "Quoin"
        try:
            socket.create_connection(("127.0.0.1", old)).close()
            raise AssertionError("still listens")
        except ConnectionRefusedError:
            pass
        stays.request(False)
        assert stays.update()
        path = vm.folder.file("moved")
        vm.result("display-update", type="vnc", addresses=[{"type": "unix", "path": path}])
        assert Viewer(path).name == "Quoin"
        for wrong, words in (([{"type": "inet", "host": "127.0.0.1", "port": "x"}], "65535"), ([{"type": "fd"}], "fd"),
                             ([7], "object")):
            assert words in vm.qmp("display-update", type="vnc", addresses=wrong)["error"]["desc"]
        assert "tls" in vm.qmp("display-reload", type="vnc", tls_certs=True)["error"]["desc"]
        vm.result("display-reload", type="vnc")
        assert vm.result("query-display-options") == {"type": "none"}
        assert vm.terminate() == 0
    assert not os.path.exists(path)


def test_unix():
    with Vmm(PROGRAM, "-machine", "pc", "-name", "moon") as vm:
        path = vm.folder.file("vnc")
        with Vmm(PROGRAM, "-machine", "pc", "-name", "moon", "-vnc", "unix:" + path) as vm:
            vm.result("qmp_capabilities")
            assert vm.result("query-vnc")["family"] == "unix"
            assert Viewer(path).name == "Quoin (moon)"
            assert vm.terminate() == 0
        assert not os.path.exists(path)


def test_wrong_options():
    for value, words in (("here", "HOST:DISPLAY"), (":70000", "display '70000'"), (":1,share=no", "force-shared"),
                         (":1,zork=1", "zork"), (":1,websocket=on", "websocket"),
                         (":1,password-secret=no", "-object secret"), ("unix:", "path"),
                         (":1,display=none", "display=none")):
        run = subprocess.run([PROGRAM, "-accel", "qtest", "-vnc", value], capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, timeout=PATIENCE)
        assert run.returncode == 1 and words in run.stderr, (value, run.stderr)


def main():
    tap = Tap()
    run = subprocess.run([PROGRAM, "-accel", "qtest", "-S", "-vnc", ":x"], capture_output=True, text=True,
                         stdin=subprocess.DEVNULL)
    if "without libvncserver" in run.stderr:
        print("1..0 # SKIP built without libvncserver")
        return
    for test in (test_picture, test_changes, test_small_viewer, test_keys, test_pointer, test_password,
                 test_slow_viewers, test_sharing, test_moved, test_unix, test_wrong_options):
        tap.run(test.__name__, test)
    tap.finish()


main()
