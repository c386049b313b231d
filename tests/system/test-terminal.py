# SPDX-License-Identifier: MIT
"""Terminals, signals and other processes: each way out leaves things as they were."""

import os
import pty
import select
import signal
import socket
import subprocess
import sys
import termios
import time

from harness import PATIENCE, Folder, Tap

PROGRAM = sys.argv[1]


class Terminal:
    """The program on a pseudo-terminal of its own."""

    def __init__(self, *arguments):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen([PROGRAM, *arguments], stdin=self.slave,
                                        stdout=self.slave, stderr=self.slave,
                                        start_new_session=True)
        self.output = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.slave)
        if self.master >= 0:
            os.close(self.master)

    def expect(self, text):
        deadline = time.monotonic() + PATIENCE
        while text not in self.output:
            ready, _, _ = select.select([self.master], [], [], max(deadline - time.monotonic(), 0))
            assert ready, f"no {text!r} in {self.output!r}"
            self.output += os.read(self.master, 4096)

    def type(self, text):
        os.write(self.master, text)

    def wait_raw(self):
        deadline = time.monotonic() + PATIENCE
        while termios.tcgetattr(self.slave)[3] & termios.ICANON:
            assert time.monotonic() < deadline, "terminal never became raw"
            time.sleep(0.01)

    def assert_restored(self):
        assert termios.tcgetattr(self.slave) == self.before, "terminal settings differ"


IDLE = ["-machine", "pc", "-accel", "qtest", "-nographic"]


def test_escape_quits():
    with Terminal(*IDLE) as terminal:
        terminal.wait_raw()
        terminal.type(b"\x01h")
        terminal.expect(b"switch between console and monitor")
        terminal.type(b"\x01c")
        terminal.expect(b"(quoin) ")
        terminal.type(b"info stauts\x7f\x7f\x7ftus\r")
        terminal.expect(b"VM status: running")
        terminal.type(b"\x01x")
        assert terminal.process.wait(PATIENCE) == 0
        terminal.assert_restored()


def test_monitor_quit():
    with Terminal(*IDLE) as terminal:
        terminal.wait_raw()
        terminal.type(b"\x01cquit\r")
        assert terminal.process.wait(PATIENCE) == 0
        terminal.assert_restored()


def check_signal(signo, status):
    with Terminal(*IDLE) as terminal:
        terminal.wait_raw()
        time.sleep(0.5)
        terminal.process.send_signal(signo)
        assert terminal.process.wait(PATIENCE) == status, terminal.process.returncode
        terminal.assert_restored()


def test_error_after_raw():
    """The terminal is raw already when the device turns out to be wrong."""
    with Terminal(*IDLE, "-device", "nope") as terminal:
        assert terminal.process.wait(PATIENCE) == 1
        terminal.expect(b"'nope'")
        terminal.assert_restored()


def test_terminal_closed():
    with Terminal(*IDLE) as terminal:
        terminal.wait_raw()
        os.close(terminal.master)
        terminal.master = -1
        # Nobody reads or writes any more: the process stays usable, and ends when asked.
        time.sleep(0.3)
        assert terminal.process.poll() is None
        terminal.process.terminate()
        assert terminal.process.wait(PATIENCE) == 0


def test_input_at_end():
    done = subprocess.Popen([PROGRAM, *IDLE], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    time.sleep(1)
    assert done.poll() is None, "end of input ended the machine"
    used = os.times().children_user
    done.terminate()
    assert done.wait(PATIENCE) == 0
    assert os.times().children_user - used < 1, "it span on the end of input"
    done.stdout.close()


def test_output_closed():
    reader, writer = os.pipe()
    process = subprocess.Popen([PROGRAM, *IDLE], stdin=subprocess.PIPE, stdout=writer)
    os.close(writer)
    os.close(reader)
    process.stdin.write(b"\x01h\x01h\x01x")
    process.stdin.flush()
    assert process.wait(PATIENCE) == 0
    process.stdin.close()


def test_full_disk():
    """Output that cannot be kept is lost, once with a word, and nothing else is."""
    process = subprocess.Popen([PROGRAM, "-machine", "pc", "-accel", "qtest", "-display", "none",
                                "-qtest", "stdio", "-serial", "file:/dev/full"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    said, errors = talk(process)
    assert said.count("OK") == 3, said
    assert errors.count("No space left") == 1, errors


def talk(process):
    process.stdin.write("outb 0x3f8 65\noutb 0x3f8 66\nendianness\n")
    process.stdin.flush()
    said = "".join(process.stdout.readline() for _ in range(3))
    process.terminate()
    _, errors = process.communicate(timeout=PATIENCE)
    return said, errors


def test_second_client():
    """The second one waits its turn; the first is not disturbed."""
    with Folder() as folder:
        path = folder.file("monitor")
        process = subprocess.Popen([PROGRAM, "-machine", "none", "-display", "none", "-qmp",
                                    f"unix:{path},server=on,wait=off"])
        try:
            first = connect(path)
            assert b"QMP" in first.recv(4096)
            second = connect(path)
            second.settimeout(0.5)
            try:
                assert not second.recv(10), "the second client got something"
            except socket.timeout:
                pass
            first.sendall(b'{"execute": "qmp_capabilities"}')
            assert b"return" in first.recv(4096)
            first.close()
            second.settimeout(PATIENCE)
            assert b"QMP" in second.recv(4096)
            second.close()
        finally:
            process.terminate()
            assert process.wait(PATIENCE) == 0
        assert not os.path.exists(path), "the socket file stayed"


def connect(path):
    deadline = time.monotonic() + PATIENCE
    while True:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(path)
            return sock
        except OSError:
            sock.close()
            assert time.monotonic() < deadline, "no socket"
            time.sleep(0.02)


def test_daemon():
    with Folder() as folder:
        path, pidfile = folder.file("monitor"), folder.file("pid")
        done = subprocess.run([PROGRAM, "-machine", "none", "-display", "none", "-daemonize",
                               "-qmp", f"unix:{path},server=on,wait=off", "-pidfile", pidfile],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE,
                              check=False)
        assert done.returncode == 0, done.stderr
        with open(pidfile, encoding="ascii") as file:
            pid = int(file.read())
        monitor = connect(path)
        assert b"QMP" in monitor.recv(4096)
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while os.path.exists(pidfile):
            assert time.monotonic() < deadline, "it goes on"
            time.sleep(0.02)


def test_daemon_error():
    done = subprocess.run([PROGRAM, "-machine", "none", "-display", "none", "-daemonize",
                           "-object", "ghost,id=a"],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE,
                          text=True, check=False)
    assert done.returncode == 1
    assert "ghost" in done.stderr


def main():
    tap = Tap()
    for test in (test_escape_quits, test_monitor_quit, test_error_after_raw,
                 test_terminal_closed, test_input_at_end, test_output_closed, test_full_disk,
                 test_second_client, test_daemon, test_daemon_error):
        tap.run(test.__name__, test)
    for signo, status in ((signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGHUP, 0),
                          (signal.SIGABRT, -signal.SIGABRT), (signal.SIGSEGV, -signal.SIGSEGV)):
        tap.run(f"test_{signo.name}", check_signal, signo, status)
    tap.finish()


main()
