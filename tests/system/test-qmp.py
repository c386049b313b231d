# SPDX-License-Identifier: MIT
"""The monitor for programs."""

import json
import os
import sys

from harness import Folder, Tap, Vmm

PROGRAM = sys.argv[1]


def negotiated(*arguments, **options):
    vm = Vmm(PROGRAM, *arguments, **options)
    assert vm.result("qmp_capabilities") == {}
    return vm


def error_class(answer):
    assert "error" in answer, answer
    return answer["error"]["class"]


def test_greeting():
    with Vmm(PROGRAM, "-machine", "none", accel=None) as vm:
        version = vm.greeting["QMP"]["version"]
        assert set(version["qemu"]) == {"major", "minor", "micro"}
        assert error_class(vm.qmp("query-status")) == "CommandNotFound"
        assert vm.qmp("qmp_capabilities") == {"return": {}}
        assert error_class(vm.qmp("qmp_capabilities")) == "CommandNotFound"


def test_line_ends():
    with Vmm(PROGRAM, "-machine", "none", accel=None) as vm:
        vm.qmp_lines.send('{"execute": "qmp_capabilities"}')
        while b"\n" not in vm.qmp_lines.buffer:
            vm.qmp_lines.buffer += vm.qmp_lines.sock.recv(4096)
        assert vm.qmp_lines.buffer.endswith(b"\r\n")


def test_queries():
    with negotiated("-machine", "none", "-name", "box", accel=None) as vm:
        assert vm.result("query-status")["status"] == "running"
        assert vm.result("query-name") == {"name": "box"}
        names = {machine["name"] for machine in vm.result("query-machines")}
        aliases = {machine.get("alias") for machine in vm.result("query-machines")}
        assert "none" in names and "pc" in aliases
        types = {one["name"] for one in vm.result("qom-list-types")}
        assert {"tcg-accel", "isa-serial", "memory-backend-memfd"} <= types, types
        devices = {one["name"] for one in vm.result("qom-list-types", implements="device")}
        assert "isa-serial" in devices and "tcg-accel" not in devices
        commands = {one["name"] for one in vm.result("query-commands")}
        assert {"quit", "qom-get", "device_add"} <= commands
        assert vm.result("query-target") == {"arch": "x86_64"}
        assert vm.result("query-chardev")[0]["label"]


def test_properties():
    with negotiated("-machine", "none", accel=None) as vm:
        assert vm.result("qom-get", path="/machine", property="type") == "none-machine"
        assert error_class(vm.qmp("device-list-properties", typename="device")) == "GenericError"
        assert error_class(vm.qmp("device-list-properties", typename="nope")) == "DeviceNotFound"
        props = {p["name"]: p for p in vm.result("device-list-properties", typename="isa-serial")}
        assert props["iobase"]["description"]
        assert error_class(vm.qmp("device-list-properties", typename="nope")) == "DeviceNotFound"
        assert error_class(vm.qmp("device-list-properties", typename="tcg-accel")) == \
            "GenericError"
        assert vm.result("qom-list-properties", typename="memory-backend-file")


def test_tree():
    with negotiated("-machine", "pc", "-device", "isa-debugcon,id=con", "-object",
                    "iothread,id=io") as vm:
        names = [entry["name"] for entry in vm.result("qom-list", path="/machine/peripheral")]
        assert "con" in names
        assert vm.result("qom-get", path="/objects/io", property="poll-max-ns") == 32768
        assert vm.result("qom-set", path="/objects/io", property="poll-max-ns", value=1000) == {}
        assert vm.result("qom-get", path="/objects/io", property="poll-max-ns") == 1000
        assert error_class(vm.qmp("qom-get", path="/nowhere", property="x")) == "DeviceNotFound"
        assert error_class(vm.qmp("qom-get", path="/objects/io", property="x")) == "GenericError"
        # Frozen once the device is realized.
        assert error_class(vm.qmp("qom-set", path="/machine/peripheral/con", property="iobase",
                                  value=1)) == "GenericError"


def test_objects():
    with negotiated("-machine", "none", accel=None) as vm:
        vm.result("object-add", qom_type="memory-backend-ram", id="ram0", size=1 << 20)
        assert vm.result("qom-get", path="/objects/ram0", property="size") == 1 << 20
        assert "error" in vm.qmp("object-add", qom_type="memory-backend-ram", id="ram0", size=4096)
        assert "error" in vm.qmp("object-add", qom_type="memory-backend-ram", id="r1", size=100)
        assert "error" in vm.qmp("object-add", qom_type="isa-serial", id="r2")
        vm.result("object-del", id="ram0")
        assert "error" in vm.qmp("object-del", id="ram0")
        vm.result("object-add", qom_type="iothread", id="io")
        vm.result("object-del", id="io")


def test_backends():
    with negotiated("-machine", "pc,memory-backend=ram", "-object",
                    "memory-backend-ram,id=ram,size=48M", "-object", "iothread,id=io") as vm:
        assert vm.result("query-memory-size-summary")["base-memory"] == 48 << 20
        threads = vm.result("query-iothreads")
        assert [one["id"] for one in threads] == ["io"] and threads[0]["thread-id"] > 0


def test_run_state():
    with negotiated("-machine", "pc", "-S") as vm:
        assert vm.result("query-status") == {"status": "prelaunch", "singlestep": False,
                                             "running": False}
        vm.result("cont")
        vm.wait_event("RESUME")
        vm.result("stop")
        vm.wait_event("STOP")
        assert vm.result("query-status")["status"] == "paused"
        vm.result("system_reset")
        assert vm.wait_event("RESET")["data"]["reason"] == "host-qmp-system-reset"
        vm.result("system_powerdown")
        vm.wait_event("POWERDOWN")
        vm.result("quit")
        assert vm.process.wait(30) == 0


def test_no_shutdown():
    """A power-off stops the VM, and only quit ends the process."""
    with negotiated("-machine", "pc", "-no-shutdown") as vm:
        # PIIX4 PM: ports at 0x600, then S5 in PM1a_CNT.
        vm.command("outl 0xcf8 0x80000b40")
        vm.command("outl 0xcfc 0x601")
        vm.command("outl 0xcf8 0x80000b80")
        vm.command("outb 0xcfc 1")
        vm.command("outw 0x604 0x2000")
        event = vm.wait_event("SHUTDOWN")
        assert event["data"]["guest"] is True
        vm.wait_event("STOP")
        assert vm.result("query-status")["status"] == "shutdown"
        assert "error" in vm.qmp("cont")
        vm.result("quit")
        assert vm.process.wait(30) == 0


def test_schema():
    with negotiated("-machine", "none", accel=None) as vm:
        schema = {(one["meta-type"], one["name"]): one for one in vm.result("query-qmp-schema")}
        commands = [one for (kind, _), one in schema.items() if kind == "command"]
        assert {one["name"] for one in commands} == \
            {one["name"] for one in vm.result("query-commands")}
        for one in commands:
            members = schema["object", one["arg-type"]]["members"]
            for member in members:
                assert ("builtin", member["type"]) in schema, one
            if one["name"].startswith("query-") and all("default" in m for m in members):
                refused = one["name"] in ("query-acpi-ospm-status", "query-hotpluggable-cpus",
                                          "query-vm-generation-id")
                answer = vm.qmp(one["name"])
                assert ("error" in answer) == refused, answer
                assert not refused or error_class(answer) == "GenericError"


def test_hmp():
    with negotiated("-machine", "pc") as vm:
        text = vm.result("human-monitor-command", command_line="info status")
        assert text == "VM status: running\r\n"
        assert "memory backend: pc.ram\n  size:  134217728\n" in vm.hmp("info memdev")
        vm.result("stop")
        assert vm.hmp("info status") == "VM status: paused\n"
        vm.result("cont")
        for topic in ("qtree", "qom-tree", "mtree", "flat", "registers", "cpus", "block",
                      "chardev", "version", "name", ""):
            assert vm.result("human-monitor-command", command_line="info " + topic) is not None
        assert "isa-serial" in vm.result("human-monitor-command", command_line="info qtree")
        assert "unknown command" in vm.result("human-monitor-command", command_line="frobnicate")


def test_hmp_status():
    """Which pause it is, where it is not the plain one."""
    with negotiated("-machine", "pc", "-S") as vm:
        assert vm.hmp("info status") == "VM status: paused (prelaunch)\n"


def test_hmp_memory():
    with negotiated("-machine", "pc") as vm, Folder() as folder:
        def hmp(line):
            return vm.result("human-monitor-command", command_line=line).replace("\r\n", "\n")

        vm.command("write 0x1000 8 0x41ff020304050688")
        assert hmp("xp /2xw 0x1000") == "0000000000001000: 0x0302ff41 0x88060504\n"
        assert hmp("xp/1dg 0x1000") == "0000000000001000: %21d\n" % -0x77f9fafbfcfd00bf
        assert hmp("xp /2c 0x1000") == "0000000000001000: 'A' '\\xff'\n"
        assert hmp("xp /q 0") == "invalid char in format: 'q'\n"
        assert hmp("o /b 0x70 0x0f") == hmp("o /b 0x71 0x5a") == ""
        assert hmp("i /b 0x71") == "portb[0x0071] = 0x5a\n"
        assert hmp("sum 0x1000 1") == "00065\n"
        path = folder.file("dump")
        assert hmp(f'pmemsave 0x1000 8 "{path}"') == ""
        vm.result("pmemsave", val=0x1004, size=2, filename=path + "2")
        with open(path, "rb") as whole, open(path + "2", "rb") as part:
            data = whole.read()
            assert data == bytes.fromhex("41ff020304050688") and part.read() == data[4:6]


def test_hmp_drives():
    with Folder() as folder:
        disk = folder.file("disk", bytes(65536))
        with negotiated("-machine", "pc", "-drive", f"file={disk},format=raw,id=hd") as vm:
            def hmp(line):
                return vm.result("human-monitor-command", command_line=line)

            assert hmp("drive_add 0 if=none,id=more,driver=null-co,size=1M") == "OK\r\n"
            assert "more" in hmp("drive_add 0 if=none,id=more,driver=null-co,size=1M")
            assert hmp("drive_del more") == ""
            assert hmp("drive_del more") == "Device 'more' not found\r\n"
            assert hmp("drive_add 0 if=none,id=more,driver=null-co,size=1M") == "OK\r\n"
            # The disk of a device goes too: what it is asked then fails.
            assert hmp("drive_del hd") == ""
            assert disk not in hmp("info block")
            for port, value in ((0x1f6, 0xe0), (0x1f2, 1), (0x1f7, 0x20)):
                vm.command(f"outb {port} {value}")
            while (status := vm.value("inb 0x1f7")) & 0x80:
                vm.command("clock_step 1000000")
            assert status & 1


def test_device_help():
    with negotiated("-machine", "pc") as vm:
        before = vm.result("human-monitor-command", command_line="info qtree")
        for one in vm.result("qom-list-types", implements="device", abstract=True):
            answer = vm.qmp("device-list-properties", typename=one["name"])
            assert ("error" in answer) == one.get("abstract", False), one
            vm.result("human-monitor-command", command_line=f'device_add "{one["name"]},help"')
        assert "edu" in vm.result("human-monitor-command", command_line="device_add help")
        assert "membar" in vm.result("human-monitor-command",
                                     command_line="device_add pci-testdev,help")
        assert vm.result("human-monitor-command", command_line="info qtree") == before


def test_hotplug():
    with negotiated("-machine", "pc") as vm:
        assert "error" in vm.qmp("device_add", driver="nope", id="x")
        assert "error" in vm.qmp("device_add", id="x")
        answer = vm.qmp("device_add", driver="VGA", id="x", addr="10")
        if "return" in answer:
            vm.qmp("device_del", id="x")
        assert error_class(vm.qmp("device_del", id="nobody")) == "DeviceNotFound"
        assert vm.qmp("device_add", driver="pci-testdev", id="twin") == {"return": {}}
        answer = vm.qmp("device_add", driver="pci-testdev", id="twin")
        assert error_class(answer) == "GenericError" and "twin" in answer["error"]["desc"]


def test_bad_input():
    with negotiated("-machine", "none", accel=None) as vm:
        for text in ("{}\n", "[]\n", "rubbish\n", '{"execute": 1}\n', '{"execute": "stop"]\n',
                     '{"execute": "stop", "arguments": 3}\n',
                     '{"execute": "stop", "arguments": {"x": 1}}\n',
                     '{"execute": "qom-get"}\n',
                     '{"execute": "qom-get", "arguments": {"path": 1, "property": "x"}}\n',
                     "[" * 600 + "\n", "\x00\x01\n"):
            assert "error" in vm.raw_qmp(text), text
            while b"\n" in vm.qmp_lines.buffer:
                vm.qmp_lines.line()
        # A byte that JSON has no place for ends whatever came before it, at once.
        for rubbish in (b'{"execute": "x"\xff', b"{\x01", b"{'bad \xff", b"%p", b'{"id": "\n'):
            vm.qmp_lines.sock.sendall(rubbish)
            assert "error" in json.loads(vm.qmp_lines.line()), rubbish
            assert error_class(vm.qmp("no-such-command")) == "CommandNotFound"
        assert "unexpected" in vm.raw_qmp('{"execute": "query-name", "extra": 1}')["error"]["desc"]
        assert vm.raw_qmp("{'execute': 'query-name', 'id': '}'}")["id"] == "}"
        assert vm.raw_qmp('{"execute": "query-status",\n"id": {"a": [1]}}')["id"] == {"a": [1]}
        assert json.dumps(vm.result("query-status"))


def test_chardevs():
    """Character devices come and go while the machine runs."""
    with Folder() as folder, Vmm(PROGRAM, "-machine", "none") as vm:
        vm.result("qmp_capabilities")

        def add(name, kind, **data):
            return vm.qmp("chardev-add", id=name, backend={"type": kind, "data": data})

        path = folder.file("a,b")
        assert add("s", "socket", addr={"type": "unix", "data": {"path": path}}, wait=False) == {
            "return": {}}
        assert os.path.exists(path)
        assert add("f", "file", out=folder.file("out")) == {"return": {}}
        assert add("m", "memory", size=4096) == {"return": {}}
        assert add("p", "pty")["return"]["pty"].startswith("/dev/pts/")
        assert "error" in add("p", "null")
        assert "error" in add("x", "carrier-pigeon")
        labels = [c["label"] for c in vm.result("query-chardev")]
        assert {"s", "f", "m", "p"} < set(labels), labels
        for name in "sfmp":
            vm.result("chardev-remove", id=name)
        assert "not found" in vm.qmp("chardev-remove", id="p")["error"]["desc"]
        assert "busy" in vm.qmp("chardev-remove", id="char0")["error"]["desc"]
        assert vm.hmp("chardev-add null,id=n") == "" == vm.hmp("chardev-remove n")


def test_ringbuf():
    """What is kept is read once; an empty buffer is an empty string."""
    with Vmm(PROGRAM, "-machine", "none", "-chardev", "ringbuf,id=r,size=8",
             "-chardev", "null,id=n") as vm:
        vm.result("qmp_capabilities")
        for options in ({}, {"format": "base64"}, {"format": "utf8"}):
            assert vm.result("ringbuf-read", device="r", size=10, **options) == "", options
        vm.result("ringbuf-write", device="r", data="0123456789")
        assert vm.result("ringbuf-read", device="r", size=3) == "234"
        vm.result("ringbuf-write", device="r", data="YWI=", format="base64")
        assert vm.result("ringbuf-read", device="r", size=10, format="base64") == "NTY3ODlhYg=="
        for command, arguments in (("ringbuf-read", {"size": 0}), ("ringbuf-read", {"size": -1}),
                                   ("ringbuf-read", {"device": "n", "size": 1}),
                                   ("ringbuf-write", {"device": "n", "data": "x"})):
            assert "error" in vm.qmp(command, **{"device": "r", **arguments}), (command, arguments)


def test_introspection():
    """Defaults are values, not texts; queries about what there is none of are answered."""
    with Vmm(PROGRAM, "-machine", "pc", "-m", "64") as vm:
        vm.result("qmp_capabilities")
        listed = vm.result("device-list-properties", typename="qemu-xhci")
        properties = {p["name"]: p for p in listed}
        defaults = {name: p.get("default-value") for name, p in properties.items()}
        assert defaults["addr"] == -1 and properties["addr"]["type"] == "int32"
        assert defaults["multifunction"] is False and defaults["p2"] == 4
        (ram,) = vm.result("query-memdev")
        assert (ram["id"], ram["size"]) == ("pc.ram", 64 << 20), ram
        for name in ("query-dump", "query-migrate", "query-replay", "query-display-options",
                     "query-migrate-capabilities", "query-yank", "query-stats-schemas"):
            vm.result(name)
        options = vm.result("query-command-line-options", option="device")
        assert [o["option"] for o in options] == ["device"]
        answer = vm.qmp("query-command-line-options", option="x")
        assert "invalid option name" in answer["error"]["desc"]
        topics = vm.hmp("help info").splitlines()
        assert topics and all(t.startswith("info ") for t in topics)
        for topic in topics:
            assert "unknown" not in vm.hmp(" ".join(topic.split()[:2])), topic
        assert vm.hmp("help nmi").startswith("nmi ") and vm.hmp("help nmi").count("\n") == 1
        assert vm.hmp("info block floppy0").startswith("floppy0: [not inserted]")


def test_cpu_levels():
    """The last leaf of CPUID follows what is asked for; a number that is given stays."""
    cases = (("486", "arat=on", "level", 6), ("phenom", "xsaveopt=on", "level", 0xd),
             ("486", "svm=on,npt=on", "xlevel", 0x8000000a),
             ("phenom", "xstore=on", "xlevel2", 0xc0000001),
             ("486", "level=2,arat=on,fsgsbase=on", "level", 2),
             ("486", "xlevel=0,3dnow=on,sse4a=on", "xlevel", 0),
             ("486", "xlevel2=0xc0000002,xstore=on", "xlevel2", 0xc0000002),
             ("pentium", "-fpu,+fpu", "fpu", False), ("pentium", "-mce,mce=on", "mce", False),
             ("486", "+sse4_1", "sse4.1", True), ("486", "lahf-lm=on", "lahf_lm", True))
    for model, features, name, expected in cases:
        with Vmm(PROGRAM, "-machine", "pc", "-cpu", f"{model},{features}") as vm:
            vm.result("qmp_capabilities")
            path = vm.result("query-cpus-fast")[0]["qom-path"]
            value = vm.result("qom-get", path=path, property=name)
            assert value == expected, (model, features, name, value)


def test_panic():
    """One event, that says what comes of it."""
    for options, action, status in (([], "poweroff", None), (["-no-shutdown"], "pause",
                                                            "guest-panicked"),
                                    (["-action", "panic=pause"], "pause", "guest-panicked"),
                                    (["-action", "panic=none"], "run", "running")):
        with Vmm(PROGRAM, "-machine", "pc", "-device", "pvpanic", *options) as vm:
            vm.result("qmp_capabilities")
            vm.qtest.send("outb 0x505 1\n")
            assert vm.wait_event("GUEST_PANICKED")["data"] == {"action": action}
            if status:
                assert vm.result("query-status")["status"] == status
                assert not [e for e in vm.events if e["event"] == "GUEST_PANICKED"]
            else:
                assert vm.wait_event("SHUTDOWN")["data"]["reason"] == "guest-panic"


def test_smp_of_machine():
    """-machine smp.cpus= is -smp."""
    with Vmm(PROGRAM, "-machine", "pc", "-machine", "smp.cpus=8,smp.sockets=2,smp.cores=2",
             "-object", "memory-backend-ram,id=ram,size=128M", "-numa",
             "node,cpus=0-3,memdev=ram", "-numa", "node,cpus=4-7") as vm:
        vm.result("qmp_capabilities")
        places = [cpu["props"] for cpu in vm.result("query-cpus-fast")]
        assert len(places) == 8 and places[7] == {
            "node-id": 1, "socket-id": 1, "core-id": 1, "thread-id": 1}, places


def test_boot_order():
    """What CMOS says of -boot, at power-on and after a reset."""
    cases = (("", 0x3012, 0x3012), ("-no-fd-bootchk", 0x3112, 0x3112), ("-boot c", 2, 2),
             ("-boot nda", 0x1034, 0x1034), ("-boot order=", 0, 0),
             ("-boot order= -boot order=c", 2, 2), ("-boot once=a", 1, 0x3012),
             ("-boot once=d -boot order=nda", 3, 0x1034))

    def order(vm):
        value = 0
        for register in (0x38, 0x3d):
            vm.command(f"outb 0x70 {register}")
            value = value << 8 | vm.value("inb 0x71")
        return value

    for options, first, later in cases:
        with Vmm(PROGRAM, "-nodefaults", "-machine", "pc", *options.split()) as vm:
            vm.result("qmp_capabilities")
            assert order(vm) == first, (options, hex(order(vm)))
            vm.result("system_reset")
            vm.wait_event("RESET")
            assert order(vm) == later, (options, hex(order(vm)))


def main():
    tap = Tap()
    for test in (test_greeting, test_line_ends, test_queries, test_properties, test_tree,
                 test_objects, test_backends, test_run_state, test_no_shutdown, test_schema, test_hmp,
                 test_hmp_status,
                 test_hmp_memory, test_hmp_drives, test_device_help,
                 test_hotplug, test_chardevs, test_ringbuf, test_introspection, test_cpu_levels,
                 test_boot_order, test_panic, test_smp_of_machine, test_bad_input):
        tap.run(test.__name__, test)
    tap.finish()


main()
