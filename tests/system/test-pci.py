# SPDX-License-Identifier: MIT
"""PCI devices that come and go, as the guest's firmware and the monitors see them."""

import sys

from harness import Tap, Vmm

PROGRAM = sys.argv[1]

UP, DOWN, EJECT, REMOVABLE, SELECT = 0xae00, 0xae04, 0xae08, 0xae0c, 0xae10
GPE_STATUS = 0xafe0


def negotiated(*arguments):
    vm = Vmm(PROGRAM, *arguments)
    assert vm.result("qmp_capabilities") == {}
    return vm


def says(answer):
    assert "error" in answer, answer
    return answer["error"]["desc"]


def outl(vm, port, value):
    assert vm.command(f"outl {port:#x} {value:#x}") == "OK"


def inl(vm, port):
    return vm.value(f"inl {port:#x}")


def config_read(vm, bus, slot, reg):
    outl(vm, 0xcf8, 0x80000000 | bus << 16 | slot << 11 | reg)
    return inl(vm, 0xcfc)


def config_write(vm, bus, slot, reg, value):
    outl(vm, 0xcf8, 0x80000000 | bus << 16 | slot << 11 | reg)
    outl(vm, 0xcfc, value)


def devices(vm):
    return vm.result("query-pci")[0]["devices"]


def test_refusals():
    with negotiated("-machine", "pc", "-nodefaults") as vm:
        def add(**arguments):
            return vm.qmp("device_add", **arguments)

        assert "slot 1 function 0 not available for edu, in use by PIIX3" in says(
            add(driver="edu", id="a", addr="1"))
        assert add(driver="edu", id="a", addr="6.1") == {"return": {}}
        assert "6.0 indicates single function" in says(add(driver="edu", id="b", addr="6"))
        assert add(driver="edu", id="b", addr="6", multifunction=True) == {"return": {}}
        assert "cannot be exposed to guest" in says(add(driver="edu", id="c", addr="6.2"))
        assert "Bus 'nope' not found" in says(add(driver="edu", id="c", bus="nope"))
        assert "Bus 'isa.0' does not support hotplugging" in says(
            add(driver="isa-debug-exit", id="c"))
        assert "addr" in says(add(driver="edu", id="c", addr="20"))
        assert "Device 'c' not found" in says(vm.qmp("device_del", id="c"))


def test_eject():
    with negotiated("-machine", "pc", "-nodefaults") as vm:
        assert inl(vm, REMOVABLE) == 0xfffffffc  # not the host bridge, not the south bridge
        vm.result("device_add", driver="edu", id="e", addr="5")
        assert inl(vm, GPE_STATUS) & 2
        assert inl(vm, UP) == 1 << 5
        assert inl(vm, UP) == 0  # reading clears it
        vm.result("device_del", id="e")
        assert "already in the process of unplug" in says(vm.qmp("device_del", id="e"))
        assert inl(vm, DOWN) == 1 << 5
        assert inl(vm, DOWN) == 1 << 5
        outl(vm, SELECT, 1)  # no such bus
        outl(vm, EJECT, 1 << 5)
        assert inl(vm, REMOVABLE) == 0xffffffff
        outl(vm, SELECT, 0)
        outl(vm, EJECT, 1 << 1)  # stays, whatever the guest wants
        assert config_read(vm, 0, 5, 0) == 0x11e81234
        outl(vm, EJECT, 1 << 5)
        event = vm.wait_event("DEVICE_DELETED")
        assert event["data"] == {"device": "e", "path": "/machine/peripheral/e"}
        assert config_read(vm, 0, 5, 0) == 0xffffffff
        assert config_read(vm, 0, 1, 0) == 0x70008086
        assert inl(vm, DOWN) == 0
        vm.result("device_add", driver="edu", id="e", addr="5")


def test_functions():
    with negotiated("-machine", "pc", "-nodefaults") as vm:
        vm.result("device_add", driver="edu", id="f1", addr="5.1")
        assert inl(vm, UP) == 0  # not to be found yet
        vm.result("device_add", driver="edu", id="f0", addr="5", multifunction=True)
        assert inl(vm, UP) == 1 << 5
        vm.result("device_del", id="f0")
        outl(vm, EJECT, 1 << 5)
        gone = {vm.wait_event("DEVICE_DELETED")["data"]["device"] for _ in range(2)}
        assert gone == {"f0", "f1"}


def test_reset_unplugs():
    with negotiated("-machine", "pc", "-nodefaults") as vm:
        vm.result("device_add", driver="edu", id="e")
        vm.result("device_add", driver="edu", id="stays")
        vm.result("device_del", id="e")
        vm.result("system_reset")
        vm.wait_event("RESET")
        assert vm.wait_event("DEVICE_DELETED")["data"]["device"] == "e"
        assert [d["qdev_id"] for d in devices(vm)][-1] == "stays"


def test_reset_keeps_bridges():
    """As an ejection does: what is behind them may go."""
    with negotiated("-machine", "pc", "-nodefaults", "-device",
                    "pci-bridge,id=br,chassis_nr=1") as vm:
        vm.result("device_add", driver="edu", bus="br", id="e", addr="1")
        vm.result("device_del", id="br")
        vm.result("device_del", id="e")
        vm.result("system_reset")
        vm.wait_event("RESET")
        assert vm.wait_event("DEVICE_DELETED")["data"]["device"] == "e"
        vm.result("device_add", driver="edu", bus="br", id="e", addr="1")


def test_behind_bridge():
    with negotiated("-machine", "pc", "-nodefaults", "-device",
                    "pci-bridge,chassis_nr=1,id=b,addr=4") as vm:
        assert "Bus 'pci.0'" not in str(vm.qmp("device_add", driver="edu", id="e", bus="b", addr="3"))
        assert inl(vm, REMOVABLE) == 0xffffffec
        assert inl(vm, UP) == 0
        outl(vm, SELECT, 1)
        assert inl(vm, UP) == 1 << 3
        config_write(vm, 0, 4, 0x18, 0x00010100)
        assert config_read(vm, 1, 3, 0) == 0x11e81234
        vm.result("device_del", id="e")
        assert inl(vm, DOWN) == 1 << 3
        outl(vm, EJECT, 1 << 3)
        vm.wait_event("DEVICE_DELETED")
        assert config_read(vm, 1, 3, 0) == 0xffffffff


def test_turned_off():
    with negotiated("-machine", "pc", "-nodefaults", "-global",
                    "PIIX4_PM.acpi-root-pci-hotplug=off", "-device",
                    "pci-bridge,chassis_nr=1,id=b") as vm:
        assert "does not support hotplugging" in says(vm.qmp("device_add", driver="edu", id="e"))
        vm.result("device_add", driver="edu", id="e", bus="b")


def test_root_port():
    check_root_port()


def test_root_port_native():
    check_root_port("-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off")


def check_root_port(*options):
    with negotiated("-machine", "q35", "-nodefaults", *options, "-device",
                    "pcie-root-port,id=rp,chassis=1,addr=4", "-device",
                    "pcie-root-port,id=fixed,chassis=2,addr=5,hotplug=off") as vm:
        assert "Bus 'pcie.0' does not support hotplugging" in says(
            vm.qmp("device_add", driver="edu", id="e", bus="pcie.0"))
        assert "Bus 'fixed' does not support hotplugging" in says(
            vm.qmp("device_add", driver="edu", id="e", bus="fixed"))
        vm.result("device_add", driver="edu", id="e", bus="rp")
        vm.result("device_del", id="e")
        vm.result("system_reset")
        vm.wait_event("RESET")
        assert vm.wait_event("DEVICE_DELETED")["data"]["device"] == "e"


def test_query():
    with negotiated("-machine", "pc", "-nodefaults", "-device",
                    "pci-bridge,chassis_nr=1,id=b,addr=4", "-device", "edu,bus=b,addr=3,id=e") as vm:
        bridge = next(d for d in devices(vm) if d["qdev_id"] == "b")
        assert bridge["class_info"] == {"class": 0x604, "desc": "PCI bridge"}
        assert bridge["id"] == {"vendor": 0x1b36, "device": 1}
        assert "devices" not in bridge["pci_bridge"]  # its bus has no number
        config_write(vm, 0, 4, 0x18, 0x00010100)
        config_write(vm, 0, 4, 0x20, 0xe000e000)
        config_write(vm, 0, 4, 4, 7)
        config_write(vm, 1, 3, 0x10, 0xe0000000)
        config_write(vm, 1, 3, 4, 7)
        bridge = next(d for d in devices(vm) if d["qdev_id"] == "b")["pci_bridge"]
        assert bridge["bus"]["secondary"] == 1
        assert bridge["bus"]["memory_range"] == {"base": 0xe0000000, "limit": 0xe00fffff}
        assert bridge["devices"][0]["regions"][0] == {
            "bar": 0, "type": "memory", "address": 0xe0000000, "size": 0x100000,
            "prefetch": False, "mem_type_64": False}
        assert vm.value("readl 0xe0000000") == 0x010000ed  # through the window
        config_write(vm, 0, 4, 4, 0)
        assert vm.value("readl 0xe0000000") != 0x010000ed
        text = vm.result("human-monitor-command", command_line="info pci")
        assert "memory range [0xe0000000, 0xe00fffff]" in text
        assert "BAR0: 32 bit memory at 0xe0000000 [0xe00fffff]." in text


def main():
    tap = Tap()
    for name, test in sorted(globals().items()):
        if name.startswith("test_"):
            tap.run(name, test)
    tap.finish()


main()
