# SPDX-License-Identifier: MIT
"""What is wrong on a command line: each case gets one line that says what, and status 1."""

import fcntl
import os
import random
import re
import socket
import subprocess
import sys

from harness import Folder, Tap

PROGRAM = sys.argv[1]
PC = ["-machine", "pc", "-accel", "qtest", "-display", "none"]
NONE = ["-machine", "none", "-display", "none"]

# name, arguments ({d}: the folder of files below), what stderr says (regular expression)
CASES = [
    # options themselves
    ("unknown option", ["-frobnicate"], r"-frobnicate: unknown option"),
    ("nearly an option", ["-machin", "pc"], r"did you mean '-machine'"),
    ("nearly a short option", ["-smpp", "2"], r"did you mean '-smp'"),
    ("two dashes", ["--kernle", "x"], r"did you mean '-kernel'"),
    ("argument missing", ["-machine"], r"-machine: expected TYPE"),
    ("argument missing at the end", [*PC, "-m"], r"-m: expected"),
    # machines
    ("machine unknown", ["-machine", "vax"], r"-machine vax: .*'vax'.*pc"),
    ("machine property unknown", ["-machine", "none,colour=red"], r"-machine.*'colour'"),
    ("machine property value", ["-machine", "pc,usb=perhaps"], r"-machine.*usb"),
    ("machine property near", ["-machine", "pc,kernle=x"], r"did you mean 'kernel'"),
    ("machine irqchip", ["-machine", "pc,kernel-irqchip=maybe"], r"expected on, off or split"),
    ("machine syntax", ["-machine", "pc,=x"], r"KEY=VALUE"),
    ("memory backend missing", [*PC, "-machine", "pc,memory-backend=ram9"], r"memory-backend=ram9"),
    ("memory backend size", [*PC, "-m", "64", "-object", "memory-backend-ram,id=r,size=32M",
                             "-machine", "pc,memory-backend=r"], r"-m says"),
    # accelerators
    ("accelerator unknown", [*NONE, "-accel", "warp"], r"-accel warp: .*'warp'"),
    ("accelerator unknown in list", ["-machine", "none,accel=warp"], r"warp"),
    ("accelerator property", [*NONE, "-accel", "qtest,speed=9"], r"speed"),
    ("accelerator property of the second", [*NONE, "-accel", "qtest", "-accel", "tcg,speed=9"],
     r"-accel tcg: .*speed"),
    ("accelerator property before another", [*NONE, "-accel", "tcg,speed=9", "-accel", "qtest"],
     r"-accel tcg: .*speed"),
    # CPUs and memory
    ("cpu unknown", [*PC, "-cpu", "z80"], r"z80"),
    ("cpu feature unknown", [*PC, "-cpu", "max,+warp"], r"warp"),
    ("smp negative", [*PC, "-smp", "-4"], r"-smp -4: "),
    ("smp word", [*PC, "-smp", "four"], r"expected a number"),
    ("smp topology", [*PC, "-smp", "3,sockets=2"], r"product of the hierarchy must match maxcpus"),
    ("smp too many", [*PC, "-smp", "4000"], r"max CPUs supported by machine .* is 255"),
    ("smp unknown key", [*PC, "-smp", "2,coers=2"], r"did you mean 'cores'"),
    ("smp more than max", [*PC, "-smp", "4,maxcpus=2"], r"maxcpus must be equal to or greater"),
    ("memory zero", [*PC, "-m", "0"], r"-m 0: expected from 1M"),
    ("memory word", [*PC, "-m", "lots"], r"expected a size"),
    ("memory suffix", [*PC, "-m", "12Q"], r"expected a size"),
    ("memory huge", [*PC, "-m", "9999T"], r"expected from 1M"),
    ("memory overflow", [*PC, "-m", "99999999999999999999"], r"expected a size"),
    ("memory hotplug", [*PC, "-m", "64,slots=2,maxmem=1G"], r"maxmem"),
    ("memory slots alone", [*PC, "-m", "64,slots=2"], r"maxmem is missing"),
    ("memory unknown key", [*PC, "-m", "size=64,slts=1"], r"did you mean 'slots'"),
    ("overcommit key", [*PC, "-overcommit", "mem-lok=on"], r"did you mean 'mem-lock'"),
    ("overcommit idle states", [*PC, "-overcommit", "cpu-pm=on"], r"cpu-pm: expected off"),
    ("mem-path missing", [*PC, "-mem-path", "{d}/no/ram"], r"mem-path=.*/no/ram: cannot open"),
    ("mem-path short", [*PC, "-mem-path", "{d}/random", "-m", "64"], r"fewer than"),
    ("pflash missing", [*PC, "-pflash", "{d}/nothing"], r"-pflash .*nothing"),
    ("pflash size", [*PC, "-pflash", "{d}/random"], r"pflash"),
    ("msg unknown key", ["-msg", "timestmap=on"], r"did you mean 'timestamp'"),
    ("msg timestamp", ["-msg", "timestamp=on", "-machine", "vax"],
     r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z quoin: -machine vax"),
    ("msg guest name", [*PC, "-msg", "guest-name=on", "-name", "vm7", "-hda", "{d}/nothing"],
     r"^vm7 quoin: -hda"),
    # what to start
    ("kernel missing", [*PC, "-kernel", "{d}/nothing"], r"kernel.*nothing.*[Nn]o such file"),
    ("kernel is a folder", [*PC, "-kernel", "{d}"], r"kernel"),
    ("kernel empty", [*PC, "-kernel", "{d}/empty"], r"kernel.*empty"),
    ("kernel random", [*PC, "-kernel", "{d}/random"], r"kernel.*random"),
    ("kernel truncated ELF", [*PC, "-kernel", "{d}/elf-cut"], r"kernel.*elf-cut"),
    ("kernel truncated bzImage", [*PC, "-kernel", "{d}/bzimage-cut"], r"kernel.*bzimage-cut"),
    ("initrd missing", [*PC, "-kernel", "{d}/elf", "-initrd", "{d}/nothing"], r"nothing|elf"),
    ("bios missing", [*PC, "-bios", "{d}/nothing"], r"nothing"),
    ("bios empty", [*PC, "-bios", "{d}/empty"], r"empty"),
    ("bios of odd size", [*PC, "-bios", "{d}/random"], r"random"),
    ("firmware folder missing", [*PC, "-L", "{d}/nothing"], r"-L .*no such folder"),
    ("boot order", [*PC, "-boot", "order=xyz"], r"expected letters"),
    ("boot key", [*PC, "-boot", "mneu=on"], r"did you mean 'menu'"),
    ("boot menu value", [*PC, "-boot", "menu=soon"], r"expected on or off"),
    # disks
    ("disk missing", [*PC, "-hda", "{d}/nothing"], r"-hda .*nothing"),
    ("disk is a folder", [*PC, "-hda", "{d}"], r"-hda"),
    ("disk by word", [*PC, "{d}/nothing"], r"nothing"),
    ("cd missing", [*PC, "-cdrom", "{d}/nothing"], r"-cdrom .*nothing"),
    ("drive missing", [*PC, "-drive", "file={d}/nothing,format=raw"], r"nothing"),
    ("drive key", [*PC, "-drive", "fiel={d}/empty"], r"fiel"),
    ("drive interface", [*PC, "-drive", "file={d}/disk,if=tape"], r"tape"),
    ("drive format", [*PC, "-drive", "file={d}/disk,format=vhs"], r"vhs"),
    ("drive place taken", [*PC, "-hda", "{d}/disk", "-drive", "file={d}/disk2,index=0"], r"0"),
    ("drive locked", [*PC, "-hda", "{d}/locked"], r"locked"),
    # character devices
    ("chardev kind", [*NONE, "-chardev", "telepathy,id=a"], r"no chardev back end 'telepathy'"),
    ("chardev without id", [*NONE, "-chardev", "null"], r"id=NAME is missing"),
    ("chardev twice", [*NONE, "-chardev", "null,id=a", "-chardev", "null,id=a"], r"already"),
    ("chardev option", [*NONE, "-chardev", "file,id=a,pth=/x"], r"did you mean 'path'"),
    ("chardev file in no folder", [*NONE, "-chardev", "file,id=a,path={d}/no/x"], r"cannot write"),
    ("socket without server", [*NONE, "-chardev", "socket,id=a,path={d}/no"], r"cannot connect"),
    ("socket in use", [*NONE, "-chardev", "socket,id=a,path={d}/socket,server=on,wait=off"],
     r"in use by another process"),
    ("socket port in use", [*NONE, "-chardev",
                            "socket,id=a,host=127.0.0.1,port={port},server=on,wait=off"],
     r"cannot bind"),
    ("socket path too long", [*NONE, "-chardev", "socket,id=a,path=/" + "x" * 200], r"too long"),
    ("socket host", [*NONE, "-chardev", "socket,id=a,host=no.such.host.invalid,port=1"],
     r"no address"),
    ("serial kind", [*PC, "-serial", "smoke"], r"no character device 'smoke'"),
    ("serial chardev", [*PC, "-serial", "chardev:x"], r"no chardev with id 'x'"),
    ("serial ports", [*PC, *["-serial", "null"] * 5], r"at most 4"),
    ("stdio twice", [*PC, "-serial", "stdio", "-serial", "stdio"], r"stdio is used"),
    ("debugcon kind", [*PC, "-debugcon", "smoke"], r"-debugcon smoke: no character device"),
    ("parallel kind", [*PC, "-parallel", "smoke"], r"no character device 'smoke'"),
    ("parallel ports", [*PC, *["-parallel", "null"] * 4], r"at most 3"),
    ("mon without chardev", [*NONE, "-mon", "chardev=x"], r"no chardev with id 'x'"),
    ("mon mode", [*NONE, "-chardev", "null,id=a", "-mon", "chardev=a,mode=chat"],
     r"readline or control"),
    ("monitor kind", [*NONE, "-monitor", "ouija"], r"ouija"),
    ("qtest kind", [*NONE, "-qtest", "ouija"], r"ouija"),
    ("qtest log", [*NONE, "-qtest", "null", "-qtest-log", "{d}/no/x"], r"cannot write"),
    # objects and devices
    ("object type", [*NONE, "-object", "ghost,id=a"], r"'ghost'"),
    ("object without id", [*NONE, "-object", "iothread"], r"id=NAME is missing"),
    ("object id", [*NONE, "-object", "iothread,id=1x"], r"expected a letter"),
    ("object twice", [*NONE, "-object", "iothread,id=a", "-object", "iothread,id=a"], r"Duplicate ID"),
    ("object property", [*NONE, "-object", "iothread,id=a,pol=1"], r"'pol'"),
    ("object range", [*NONE, "-object", "iothread,id=a,poll-max-ns=-1"], r"poll-max-ns"),
    ("backend without size", [*NONE, "-object", "memory-backend-ram,id=a"], r"size=0"),
    ("backend odd size", [*NONE, "-object", "memory-backend-ram,id=a,size=1000"], r"page size"),
    ("backend too large", [*NONE, "-object", "memory-backend-ram,id=a,size=200T"], r"cannot map"),
    ("backend file missing", [*NONE, "-object", "memory-backend-file,id=a,size=4096"],
     r"mem-path=FILE is missing"),
    ("backend file short", [*NONE, "-object",
                            "memory-backend-file,id=a,size=1M,mem-path={d}/disk"], r"fewer than"),
    ("backend huge page size", [*NONE, "-object",
                                "memory-backend-memfd,id=a,size=4M,hugetlb=on,hugetlbsize=3M"],
     r"power of two"),
    ("device type", [*PC, "-device", "flux-capacitor"], r"'flux-capacitor'"),
    ("device near", [*PC, "-device", "isa-serail"], r"did you mean 'isa-serial'"),
    ("device abstract", [*PC, "-device", "device"], r"'device'"),
    ("device of the board only", [*PC, "-device", "qemu64-x86_64-cpu"], r"socket-id is not set"),
    ("device property", [*PC, "-device", "isa-debugcon,colour=red"], r"'colour'"),
    ("device value", [*PC, "-device", "isa-debugcon,iobase=x"], r"iobase"),
    ("device range", [*PC, "-device", "isa-debugcon,iobase=0x123456789"], r"iobase"),
    ("device bus unknown", [*PC, "-device", "isa-debugcon,bus=pci.9"], r"pci.9"),
    ("device bus kind", [*PC, "-device", "isa-debugcon,bus=pci.0"], r"needs a ISA|needs"),
    ("device without bus", [*NONE, "-accel", "qtest", "-device", "isa-debugcon"], r"ISA"),
    ("device id", [*PC, "-device", "isa-debugcon,id=7"], r"expected a letter"),
    ("device id twice", [*PC, "-device", "isa-debugcon,id=a", "-device",
                         "isa-debugcon,id=a,iobase=0x500"], r"Duplicate ID"),
    ("device chardev", [*PC, "-device", "isa-debugcon,chardev=x"], r"chardev=x"),
    ("device drive", [*PC, "-device", "ide-hd,drive=x"], r"x"),
    ("device slot", [*PC, "-device", "VGA,addr=zz"], r"addr"),
    ("device slot taken", [*PC, "-device", "VGA,addr=1"], r"1"),
    ("device JSON", [*PC, "-device", '{{"driver":'], r"not a JSON object"),
    ("device without driver", [*PC, "-device", '{{"id":"a"}}'], r"driver=TYPE is missing"),
    ("device help unknown", ["-device", "nope,help"], r"'nope'"),
    ("global syntax", [*NONE, "-global", "x"], r"expected TYPE.PROPERTY=VALUE"),
    ("global type", [*NONE, "-global", "nope.x=1"], r"nope"),
    ("global property", [*NONE, "-global", "isa-debugcon.x=1"], r"no property 'x'"),
    ("global value", [*PC, "-global", "mc146818rtc.iobase=x"], r"iobase"),
    # the rest
    ("port too large", [*NONE, "-serial", "tcp::65537,server=on,wait=off"], r"port=65537: .*65535"),
    ("usb device", [*PC, "-usbdevice", "modem"], r"-usbdevice modem: 'modem': expected"),
    ("log item", [*NONE, "-d", "everything"], r"no log item 'everything'"),
    ("log file", [*NONE, "-D", "{d}/no/x"], r"cannot write"),
    ("plugin missing", [*NONE, "-plugin", "{d}/nothing.so"], r"nothing.so"),
    ("plugin is none", [*NONE, "-plugin", "{d}/random"], r"random"),
    ("plugin cut short", [*NONE, "-plugin", "{d}/cut.so"], r"cut.so.*not a whole"),
    ("initrd alone", [*PC, "-initrd", "{d}/disk"], r"-initrd .*only allowed with -kernel"),
    ("append alone", [*PC, "-append", "quiet"], r"-append quiet.*only allowed with -kernel"),
    ("display", ["-display", "gtk"], r"expected none"),
    ("vga", [*PC, "-vga", "cirrus"], r"cirrus"),
    ("net", [*NONE, "-net", "user"], r"expected none"),
    ("rtc base", [*NONE, "-rtc", "base=yesterday"], r"base=yesterday"),
    ("rtc clock", [*NONE, "-rtc", "clock=sun"], r"expected host"),
    ("uuid", [*NONE, "-uuid", "123"], r"expected a UUID"),
    ("fw_cfg", [*PC, "-fw_cfg", "name=opt/x"], r"file=FILE or string"),
    ("fw_cfg file", [*PC, "-fw_cfg", "name=opt/x,file={d}/nothing"], r"nothing"),
    ("smbios", [*PC, "-smbios", "x=1"], r"type=N"),
    ("acpitable", [*PC, "-acpitable", "sig=ABCD"], r"file=FILE"),
    ("daemon with a terminal", [*PC, "-nographic", "-daemonize"], r"-daemonize: not with"),
    ("pidfile in no folder", [*NONE, "-pidfile", "{d}/no/x"], r"cannot write"),
    ("pidfile in use", [*NONE, "-pidfile", "{d}/pid"], r"another process has it"),
]


def make_files(folder):
    """What the cases name; returns what must stay open."""
    rand = random.Random(1)
    folder.file("empty", b"")
    folder.file("random", bytes(rand.randrange(256) for _ in range(70001)))
    with open(sys.argv[1], "rb") as program:
        folder.file("cut.so", program.read(5000))
    folder.file("disk", b"\0" * 65536)
    folder.file("disk2", b"\0" * 65536)
    elf = b"\x7fELF\x02\x01\x01" + b"\0" * 9 + bytes.fromhex("02003e0001000000")
    folder.file("elf-cut", elf)
    folder.file("elf", elf + b"\0" * 40)
    bzimage = bytearray(2048)
    bzimage[0x1f1] = 30
    bzimage[0x1fe:0x206] = b"\x55\xaa\xeb\x66HdrS"
    bzimage[0x206:0x208] = b"\x0f\x02"
    folder.file("bzimage-cut", bytes(bzimage))
    lock = open(folder.file("locked", b"\0" * 65536), "r+b")
    lock_image(lock)
    pid = open(folder.file("pid", b"1\n"), "r+b")
    fcntl.flock(pid, fcntl.LOCK_EX)
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(folder.file("socket"))
    unix.listen(8)
    tcp = socket.socket()
    tcp.bind(("127.0.0.1", 0))
    tcp.listen(1)
    return [lock, pid, unix, tcp], tcp.getsockname()[1]


def lock_image(file):
    """As a writer of images does: open file description locks on the first bytes."""
    import struct
    whole = struct.pack("hhqqhxxxx", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    fcntl.fcntl(file, 37, whole)  # F_OFD_SETLK


def check(arguments, pattern, folder, port):
    arguments = [argument.format(d=folder.path, port=port) for argument in arguments]
    done = subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30,
                          text=True, errors="replace", check=False)
    said = done.stderr
    assert done.returncode == 1, f"status {done.returncode}: {said}"
    lines = [line for line in said.splitlines() if re.match(r"(\S+Z )?(vm7 )?quoin: ", line)]
    assert len(lines) == 1, f"not one line: {said}"
    assert re.search(pattern, lines[0], re.S), f"{lines[0]} does not say {pattern}"


# what is not wrong: printed on stdout, status 0
GOOD = [
    (["-version"], r"quoin version"),
    (["-help"], r"-machine"),
    (["-machine", "help"], r"pc.*default"),
    (["-machine", "pc,help"], r"kernel=<str>"),
    (["-accel", "help"], r"tcg"),
    (["-cpu", "help"], r"max"),
    (["-cpu", "max,help"], r"qemu64"),
    (["-cpu", "help,max"], r"qemu64"),
    (["-vga", "std,help"], r"none"),
    (["-device", "help"], r"isa-serial"),
    (["-device", "isa-serial,help"], r"iobase=<uint32>.*default"),
    (["-object", "help"], r"iothread"),
    (["-object", "iothread,help"], r"poll-max-ns=<int64>"),
    (["-chardev", "help"], r"socket"),
    (["-chardev", "socket,help"], r"reconnect=<uint32>"),
    (["-d", "help"], r"guest_errors"),
]


def check_good(arguments, pattern):
    done = subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=30, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", done.stderr
    assert re.search(pattern, done.stdout, re.S), done.stdout


def check_spared(folder):
    """No option that makes a file takes away one of another kind, or another process's."""
    path = folder.file("spared", b"precious")
    null = folder.file("zero")
    os.symlink("/dev/zero", null)
    for arguments in (["-vnc", f"unix:{path}"], ["-serial", f"unix:{path},server=on,wait=off"]):
        done = subprocess.run([PROGRAM, "-accel", "qtest", *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=30, check=False)
        assert done.returncode == 1, (arguments, done)
        with open(path, "rb") as file:
            assert file.read() == b"precious", arguments
    done = subprocess.run([PROGRAM, "-accel", "qtest", "-display", "none", "-pidfile", null,
                           "-monitor", "stdio"], input=b"quit\n", capture_output=True, timeout=30,
                          check=False)
    assert done.returncode == 1 and os.path.islink(null), done


def check_switches(machine):
    """Each switch of a machine, both ways: it starts, and it ends with nothing to say."""
    listed = subprocess.run([PROGRAM, "-machine", f"{machine},help"], capture_output=True,
                            timeout=30, text=True, check=True).stdout
    names = re.findall(r"^ *([a-z0-9-]+)=<(?:bool|OnOffAuto)>", listed, re.M)
    assert "smm" in names and "hpet" in names, listed
    for switch in [f"{name}={value}" for name in names for value in ("on", "off")]:
        done = subprocess.run([PROGRAM, "-machine", f"{machine},{switch}", "-accel", "qtest",
                               "-display", "none", "-monitor", "stdio"], input="quit\n",
                              capture_output=True, timeout=30, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), (switch, done.returncode, done.stderr)


def main():
    tap = Tap()
    with Folder() as folder:
        kept, port = make_files(folder)
        for name, arguments, pattern in CASES:
            tap.run(name, check, arguments, pattern, folder, port)
        for arguments, pattern in GOOD:
            tap.run(" ".join(arguments), check_good, arguments, pattern)
        tap.run("files spared", check_spared, folder)
        for machine in ("pc", "q35"):
            tap.run(f"switches of {machine}", check_switches, machine)
        for thing in kept:
            thing.close()
    tap.finish()


main()
