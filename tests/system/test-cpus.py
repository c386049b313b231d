# SPDX-License-Identifier: MIT
"""CPUs, the places for them, hot-plug registers, NUMA and CPU models, through QMP and qtest."""

import json
import struct
import subprocess
import sys
import tempfile

from harness import Tap, Vmm

PROGRAM = sys.argv[1]
BASE = 0xaf00  # of the hot-plug registers on pc
SELECTOR, FLAGS, COMMAND, DATA = 0, 4, 5, 8
TYPE = "qemu64-x86_64-cpu"


def pc(*options):
    vm = Vmm(PROGRAM, "-machine", "pc", "-m", "256", *options)
    vm.result("qmp_capabilities")
    return vm


def add(vm, name, socket, core=0, thread=0, **more):
    return vm.raw_qmp(json.dumps({"execute": "device_add", "arguments": {
        "driver": TYPE, "id": name, "socket-id": socket, "core-id": core, "thread-id": thread, **more}}))


def error(reply):
    return reply.get("error", {}).get("desc", "no error")


def test_slots():
    with pc("-smp", "2,sockets=2,cores=1,threads=2,maxcpus=4") as vm:
        slots = vm.result("query-hotpluggable-cpus")
        assert [s["props"]["socket-id"] for s in slots] == [1, 1, 0, 0]
        assert ["qom-path" in s for s in slots] == [False, False, True, True]
        assert all(s["type"] == TYPE and "die-id" not in s["props"] for s in slots)
        cpus = vm.result("query-cpus-fast")
        assert [c["cpu-index"] for c in cpus] == [0, 1]
        assert cpus[1]["props"] == {"socket-id": 0, "core-id": 0, "thread-id": 1}
        assert vm.result("qom-get", path=cpus[1]["qom-path"], property="apic-id") == 1


def test_dies():
    with pc("-smp", "1,sockets=1,dies=2,cores=2,threads=2,maxcpus=8") as vm:
        props = vm.result("query-hotpluggable-cpus")[0]["props"]
        assert props == {"socket-id": 0, "die-id": 1, "core-id": 1, "thread-id": 1}


def test_refusals():
    with pc("-smp", "1,sockets=2,cores=2,threads=1,maxcpus=4") as vm:
        assert "socket-id is not set" in error(vm.qmp("device_add", driver=TYPE, id="a"))
        assert "socket-id: 2 must be in range 0:1" in error(add(vm, "a", 2))
        assert "core-id: 2 must be in range 0:1" in error(add(vm, "a", 1, 2))
        assert "APIC ID 0 exists" in error(add(vm, "a", 0))
        wrong = vm.raw_qmp('{"execute": "device_add", "arguments": {"driver": "max-x86_64-cpu", '
                           '"id": "a", "socket-id": 1, "core-id": 0, "thread-id": 0}}')
        assert "expected cpu type: '" + TYPE in error(wrong)
        assert len(vm.result("query-cpus-fast")) == 1
        first = vm.result("query-cpus-fast")[0]["qom-path"]
        assert "Boot CPU" in error(vm.qmp("device_del", id=first))


def test_command_line():
    with pc("-smp", "1,sockets=1,cores=3,maxcpus=3", "-device",
            TYPE + ",id=x,socket-id=0,core-id=2,thread-id=0") as vm:
        assert [c["cpu-index"] for c in vm.result("query-cpus-fast")] == [0, 2]
        vm.command("outb 0x70 0x5f")
        assert vm.value("inb 0x71") == 1  # two
        vm.command("outw 0x510 5")
        assert vm.value("inb 0x511") == 2  # fw_cfg: CPUs there are


def test_old_registers():
    with pc("-smp", "2,maxcpus=10") as vm:
        assert vm.value(f"inb {BASE}") == 0x03
        assert vm.value(f"inb {BASE + 1}") == 0
        assert "return" in add(vm, "a", 0, 9)
        assert vm.value(f"inb {BASE + 1}") == 0x02
        assert "not supported" in error(vm.qmp("device_del", id="a"))
        assert vm.value("inw 0xafe0") & 4  # GPE 2


def test_new_registers():
    with pc("-smp", "1,maxcpus=3") as vm:
        def out(reg, value, width="l"):
            vm.command(f"out{width} {BASE + reg} {value}")

        def select(n):
            out(SELECTOR, n)
            return vm.value(f"inb {BASE + FLAGS}")

        out(SELECTOR, 0)
        assert vm.value(f"inl {BASE}") == 0
        assert [select(n) for n in range(4)] == [1, 0, 0, 0]
        assert "return" in add(vm, "a", 0, 2)
        assert vm.value("inw 0xafe0") & 4
        out(SELECTOR, 0)
        out(COMMAND, 0, "b")
        assert vm.value(f"inl {BASE + DATA}") == 2
        assert vm.value(f"inb {BASE + FLAGS}") == 3
        out(FLAGS, 2, "b")
        assert vm.value(f"inb {BASE + FLAGS}") == 1
        out(COMMAND, 3, "b")
        assert vm.value(f"inl {BASE + DATA}") == 2  # its APIC ID
        out(COMMAND, 1, "b")
        out(DATA, 0x103)
        out(COMMAND, 2, "b")
        out(DATA, 0)
        info = vm.wait_event("ACPI_DEVICE_OST")["data"]["info"]
        assert info == {"device": "a", "slot": "2", "slot-type": "CPU", "source": 0x103, "status": 0}
        status = vm.result("query-acpi-ospm-status")
        assert status[2] == info and len(status) == 3
        assert "return" in vm.qmp("device_del", id="a")
        assert vm.value(f"inb {BASE + FLAGS}") == 5
        out(FLAGS, 4, "b")
        out(FLAGS, 8, "b")
        assert vm.wait_event("DEVICE_DELETED")["data"]["device"] == "a"
        assert [select(n) for n in range(3)] == [1, 0, 0]
        assert len(vm.result("query-cpus-fast")) == 1
        assert "return" in add(vm, "a", 0, 1)
        # Nobody ejects the first, and none is where there is no slot.
        out(SELECTOR, 0)
        out(FLAGS, 8, "b")
        out(SELECTOR, 77)
        out(FLAGS, 8, "b")
        assert vm.value(f"inl {BASE + DATA}") == 0
        assert len(vm.result("query-cpus-fast")) == 2


NODES = ["-object", "memory-backend-ram,id=m0,size=128M", "-object", "memory-backend-ram,id=m1,size=128M",
         "-numa", "node,nodeid=0,memdev=m0"]


def test_numa():
    with pc("-smp", "4,sockets=4", *NODES, "-numa", "node,nodeid=1,memdev=m1",
            "-numa", "cpu,node-id=1,socket-id=3", "-numa", "cpu,node-id=1,socket-id=2",
            "-numa", "cpu,node-id=0,socket-id=0", "-numa", "cpu,node-id=0,socket-id=1") as vm:
        nodes = [c["props"]["node-id"] for c in vm.result("query-cpus-fast")]
        assert nodes == [0, 0, 1, 1]
        text = vm.result("human-monitor-command", command_line="info numa")
        assert "2 nodes" in text and "node 1 cpus: 2 3" in text and "node 0 size: 128 MB" in text
        assert {m["id"]: m["size"] for m in vm.result("query-memdev")} == {"m0": 128 << 20, "m1": 128 << 20}
        assert vm.command(f"writeb {0x8000010:#x} 0x5a") == "OK"  # in the second
        assert vm.value(f"readb {0x8000010:#x}") == 0x5a


def refused(*options):
    run = subprocess.run([PROGRAM, "-machine", "pc", "-accel", "qtest", "-m", "256", "-display", "none",
                          "-smp", "4", *options], capture_output=True, text=True, timeout=30)
    assert run.returncode == 1, run
    return run.stderr


def test_numa_refusals():
    cases = [(["-numa", "foo"], "does not accept value 'foo'"),
             (["-numa", "node,cpus=0-9"], "CPU index (4) should be smaller than maxcpus (4)"),
             (["-numa", "node,cpus=0", "-numa", "node,cpus=0"], "already assigned to node-id: 0"),
             (["-numa", "node,nodeid=1"], "Node ID missing: 0"),
             (["-numa", "node,nodeid=200"], "Max number of NUMA nodes reached: 200"),
             (["-numa", "node", "-numa", "node,nodeid=0"], "Duplicate NUMA nodeid: 0"),
             (["-numa", "node,memdev=no"], "no memory backend"),
             (["-numa", "node,mem=512M"], "node,mem is not supported by this machine type"),
             (["-numa", "node", "-numa", "node"], "total memory for NUMA nodes (0x0) should equal RAM size"),
             (["-numa", "node", "-numa", "dist,src=0,dst=1,val=20"], "NUMA node is missing"),
             (["-numa", "node", "-numa", "dist,src=0,dst=0,val=20"], "Local distance of node 0 should be 10"),
             (["-numa", "node", "-numa", "cpu,socket-id=0"], "Missing mandatory node-id"),
             (["-numa", "node", "-numa", "cpu,node-id=0,socket-id=99"], "no match found"),
             (["-numa", "node", "-numa", "cpu,node-id=7,socket-id=0"], "Invalid node-id=7"),
             (["-numa", "hmat-lb,initiator=0"], "HMAT")]
    for options, words in cases:
        said = refused(*options)
        assert words in said, f"{options}: {said}"


def test_models():
    with pc() as vm:
        models = {m["name"]: m for m in vm.result("query-cpu-definitions")}
        for name in ("qemu64", "qemu32", "kvm64", "max", "host", "base", "486", "pentium3", "core2duo",
                     "Nehalem", "Haswell-noTSX", "Skylake-Server-v5", "Icelake-Server", "EPYC-Rome"):
            assert models[name]["typename"] == name + "-x86_64-cpu"
        assert models["EPYC-IBPB"]["alias-of"] == "EPYC-v2"
        assert "monitor" not in models["max"]["unavailable-features"]
        full = vm.result("query-cpu-model-expansion", type="full",
                         model={"name": "qemu64", "props": {"sse4.1": True}})["model"]
        assert full["name"] == "qemu64" and full["props"]["sse4.1"] and not full["props"]["avx"]
        static = vm.result("query-cpu-model-expansion", type="static", model={"name": "max"})["model"]
        assert static["name"] == "base" and static["props"]["lm"]
        assert "not found" in error(vm.qmp("query-cpu-model-expansion", type="full", model={"name": "z80"}))
        assert "type" in error(vm.qmp("query-cpu-model-expansion", type="odd", model={"name": "max"}))


def test_cpu_options():
    for options, words in [("max,hv-relaxed=on", "Hyper-V"), ("max,phys-bits=99", "phys-bits"),
                           ("qemu64,enforce,+vmx", "vmx")]:
        said = refused("-cpu", options)
        assert words in said, f"{options}: {said}"
    with pc("-cpu", "max,-vmx-ept,hv-time=off,l3-cache=off,pmu=off,-npt") as vm:
        assert vm.result("query-cpus-fast")


def test_feature_words():
    with pc("-cpu", "486,+arat") as vm:
        path = vm.result("query-cpus-fast")[0]["qom-path"]

        def bits(name, leaf, register):
            return [word["features"] for word in vm.result("qom-get", path=path, property=name)
                    if word["cpuid-input-eax"] == leaf and word["cpuid-register"] == register]

        assert bits("feature-words", 6, "EAX") == [4] and bits("filtered-features", 6, "EAX") == [0]
        assert len(bits("feature-words", 7, "ECX")) == 1
        assert vm.result("qom-get", path=path, property="level") == 6
        assert vm.result("qom-get", path=path, property="xlevel2") == 0


def test_as_many_cpus_as_there_can_be_and_a_kernel():
    """What is put below 1 MiB for a kernel without firmware has room beside their MP table."""
    magic, flags, address = 0x1badb002, 0x10000, 0x100000
    header = struct.pack("<8I", magic, flags, -(magic + flags) & 0xffffffff, address, address,
                         address + 34, address + 34, address + 32)
    with tempfile.NamedTemporaryFile() as kernel:
        kernel.write(header + b"\xeb\xfe")
        kernel.flush()
        with pc("-smp", "255", "-kernel", kernel.name) as vm:
            assert len(vm.result("query-cpus-fast")) == 255


def main():
    tap = Tap()
    for name, function in sorted(globals().items()):
        if name.startswith("test_"):
            tap.run(name[5:].replace("_", " "), function)
    tap.finish()


main()
