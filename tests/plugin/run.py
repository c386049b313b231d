#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Build the device of docs/howto/add-a-device.md outside the tree, load it, run a guest on it.

usage: run.py SOURCE_ROOT BUILD_ROOT QUOIN GUEST CC...
Prints TAP.
"""
import os
import re
import subprocess
import sys
import tempfile

source, build, quoin, guest, *cc = sys.argv[1:]
count = 0


def report(ok, name, detail=""):
    global count
    count += 1
    print(f"{'ok' if ok is not None and ok else 'not ok'} {count} - {name}")
    if not ok and detail:
        print("\n".join("# " + line for line in detail.splitlines()))
    return ok


def skip(name, why):
    global count
    count += 1
    print(f"ok {count} - {name} # SKIP {why}")


def run(command, **kwargs):
    r = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       errors="replace", timeout=60, **kwargs)
    return r.returncode, r.stdout


def code_of_the_page():
    page = open(os.path.join(source, "docs/howto/add-a-device.md"), encoding="utf-8").read()
    return re.search(r"^```c\n(.*?)^```", page, re.M | re.S).group(1)


def installed_flags(dest):
    """What pkg-config says of an installation below dest."""
    for folder, _, names in os.walk(dest):
        if "quoin.pc" in names:
            env = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=dest)
            env["PKG_CONFIG_PATH"] = folder
            # glib's own headers are not below dest: ask for ours alone, and for glib without it.
            own = run(["pkg-config", "--variable=includedir", "quoin"], env=env)[1].strip()
            needs = run(["pkg-config", "--print-requires", "quoin"], env=env)[1].split()
            names = [n for n in needs if re.match(r"[a-z]", n)]
            deps = run(["pkg-config", "--cflags"] + names)[1].split()
            own = own if own.startswith(dest) else dest + own
            return ["-I" + os.path.join(own, "quoin")] + deps
    return None


def check_headers(dest, flags):
    bad = ""
    top = flags[0][2:]
    for folder, _, names in os.walk(top):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), top)
            rc, out = run(cc + ["-std=gnu11", "-Wall", "-Wextra", "-Wno-unused-parameter",
                                "-fsyntax-only", "-x", "c"] + flags + ["-include", path,
                                                                       "/dev/null"])
            bad += "" if rc == 0 else f"{path}:\n{out}"
    report(not bad, "every installed header compiles alone", bad)


def use(so, accel):
    rc, out = run([quoin, "-machine", "pc", "-accel", accel, "-m", "16", "-display", "none",
                   "-nodefaults", "-plugin", so, "-device",
                   "counter,addr=0xfef00000,irq=10,limit=15", "-device",
                   "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", guest, "-no-reboot"])
    report(rc == 0x43, f"a guest uses it under {accel}", f"status {rc}\n{out}")


def main():
    code = code_of_the_page()
    lines = len(code.splitlines())
    with tempfile.TemporaryDirectory() as dest:
        rc, out = run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", dest])
        if not report(rc == 0, "installs", out):
            return
        flags = installed_flags(dest)
        if not report(flags is not None, "quoin.pc is installed"):
            return
        check_headers(dest, flags)
        report(lines <= 60, f"the page's device has {lines} lines")
        c, so = os.path.join(dest, "counter.c"), os.path.join(dest, "counter.so")
        open(c, "w", encoding="utf-8").write(code)
        rc, out = run(cc + ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra",
                            "-Wno-unused-parameter", "-Wno-missing-field-initializers",
                            "-Werror"] + flags + ["-o", so, c])
        if not report(rc == 0, "compiles outside the tree", out):
            return
        rc, out = run([quoin, "-plugin", so, "-device", "help"])
        report(rc == 0 and re.search(r"^ +counter .*counts up", out, re.M),
               "is in -device help", out)
        rc, out = run([quoin, "-plugin", so, "-device", "counter,help"])
        report(rc == 0 and "limit" in out and "count that interrupts" in out,
               "its property is in -device counter,help", out)
        rc, out = run([quoin, "-machine", "none", "-plugin", so, "-device", "counter,limit=101"])
        report(rc == 1 and "limit" in out, "a limit out of range is refused", f"{rc}: {out}")
        rc, out = run([quoin, "-machine", "none", "-plugin", __file__])
        report(rc == 1 and os.path.basename(__file__) in out, "what is no module is refused", out)
        use(so, "tcg")
        if os.access("/dev/kvm", os.R_OK | os.W_OK):
            use(so, "kvm")
        else:
            skip("a guest uses it under kvm", "no /dev/kvm")
    print(f"1..{count}")


main()
