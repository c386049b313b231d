# SPDX-License-Identifier: MIT
"""Runs the program as its users do: command lines, sockets, terminals.  Prints TAP."""

import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

PATIENCE = 30
MIB = 1 << 20


class Tap:
    """Numbered results; a check that fails is an AssertionError of the test function."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def run(self, name, function, *arguments):
        self.count += 1
        try:
            function(*arguments)
            print(f"ok {self.count} {name}", flush=True)
        except Exception:
            self.failed += 1
            print(f"not ok {self.count} {name}", flush=True)
            for line in traceback.format_exc().splitlines():
                print(f"# {line}", flush=True)

    def finish(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)


class Folder:
    """A temporary folder for one test."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="vmm-test-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name, data=None):
        path = os.path.join(self.path, name)
        if data is not None:
            with open(path, "wb") as file:
                file.write(data)
        return path


class Lines:
    """Lines of a socket, with a deadline."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""

    def send(self, text):
        self.sock.sendall(text.encode())

    def line(self):
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([self.sock], [], [], max(deadline - time.monotonic(), 0))
            assert ready, "no answer"
            data = self.sock.recv(65536)
            assert data, "connection closed"
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode().rstrip("\r")


class Vmm:
    """The program with a qtest and a QMP connection, which it makes as a client."""

    def __init__(self, program, *arguments, accel="qtest"):
        self.folder = Folder().__enter__()
        listeners = [self.listen(name) for name in ("qtest", "qmp")]
        command = [program, "-qtest", "unix:" + self.folder.file("qtest"), "-qtest-log",
                   "/dev/null", "-chardev", "socket,path=" + self.folder.file("qmp") + ",id=char0",
                   "-mon", "chardev=char0,mode=control", "-display", "none", *arguments]
        if accel:
            command += ["-accel", accel]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.qtest, self.qmp_lines = (Lines(self.accept(listener)) for listener in listeners)
        self.events = []
        self.greeting = json.loads(self.qmp_lines.line())
        self.irqs = []

    def listen(self, name):
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(self.folder.file(name))
        sock.listen(1)
        sock.settimeout(PATIENCE)
        return sock

    def accept(self, listener):
        connection, _ = listener.accept()
        listener.close()
        return connection

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        self.qtest.sock.close()
        self.qmp_lines.sock.close()
        self.folder.__exit__()

    def command(self, text):
        """One qtest command; interrupts that come before its answer are kept."""
        self.qtest.send(text + "\n")
        while True:
            line = self.qtest.line()
            if line.startswith("IRQ "):
                self.irqs.append(line[4:])
            else:
                return line

    def value(self, text):
        answer = self.command(text)
        assert answer.startswith("OK "), f"{text}: {answer}"
        return int(answer.split()[1], 0)

    def raw_qmp(self, text):
        self.qmp_lines.send(text)
        while True:
            answer = json.loads(self.qmp_lines.line())
            if "event" not in answer:
                return answer
            self.events.append(answer)

    def qmp(self, name, **arguments):
        request = {"execute": name}
        if arguments:
            request["arguments"] = {key.replace("_", "-"): arguments[key] for key in arguments}
        return self.raw_qmp(json.dumps(request))

    def result(self, name, **arguments):
        answer = self.qmp(name, **arguments)
        assert "return" in answer, answer
        return answer["return"]

    def hmp(self, line):
        """What a command of the monitor for people says."""
        return self.result("human-monitor-command", command_line=line).replace("\r\n", "\n")

    def wait_event(self, name):
        while True:
            for event in self.events:
                if event["event"] == name:
                    self.events.remove(event)
                    return event
            self.events.append(json.loads(self.qmp_lines.line()))

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


class Board(Vmm):
    """A machine whose fw_cfg can be read."""

    def key(self, key, length):
        """By DMA, as firmware does: descriptor at 1000h, data at 1 MiB."""
        descriptor = struct.pack(">IIQ", key << 16 | 8 | 2, length, MIB)
        self.command(f"write 0x1000 {len(descriptor)} 0x{descriptor.hex()}")
        self.command("outl 0x514 0")
        self.command(f"outl 0x518 {struct.unpack('<I', struct.pack('>I', 0x1000))[0]}")
        assert self.command("readl 0x1000") == "OK 0x0000000000000000"
        return self.bytes(MIB, length)

    def bytes(self, address, length):
        out = b""
        while len(out) < length:
            n = min(4096, length - len(out))
            out += bytes.fromhex(self.command(f"read {address + len(out)} {n}").split()[1][2:])
        return out

    def files(self):
        count = struct.unpack(">I", self.key(0x19, 4))[0]
        directory = self.key(0x19, 4 + 64 * count)
        rows = [struct.unpack(">IHH56s", directory[4 + 64 * i:68 + 64 * i]) for i in range(count)]
        return {name.split(b"\0")[0].decode(): (select, size) for size, select, _, name in rows}

    def file(self, name):
        select, size = self.files()[name]
        return self.key(select, size) if size else b""

    def cmos(self, index):
        self.command(f"outb 0x70 {index}")
        return self.value("inb 0x71")
