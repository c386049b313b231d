/* SPDX-License-Identifier: MIT
 *
 * PCI-to-PCI bridges: header type 1, a secondary bus, windows.
 * PCI-to-PCI Bridge Architecture Specification 1.2, 3.2 (registers), 4 (address decoding);
 * PCI Express Base Specification 4.0, 7.5.1.3.
 */
#ifndef HW_PCI_PCI_BRIDGE_H
#define HW_PCI_PCI_BRIDGE_H

#include "hw/pci/pci.h"

/* Abstract base of all of them.  Its class sets is_bridge. */
#define TYPE_PCI_BRIDGE "base-pci-bridge"
OBJECT_DECLARE_SIMPLE(PCIBridge, PCI_BRIDGE, TYPE_PCI_BRIDGE)

typedef enum PCIBridgeWindow {
    BRIDGE_IO,
    BRIDGE_MEMORY,
    BRIDGE_PREFETCH,
    BRIDGE_VGA_MEMORY,
    BRIDGE_VGA_IO_LOW,
    BRIDGE_VGA_IO_HIGH,
    BRIDGE_WINDOWS,
} PCIBridgeWindow;

struct PCIBridge {
    PCIDevice parent_obj;
    PCIBus *sec_bus;
    /* What the secondary bus's BARs are mapped into. */
    MemoryRegion memory, io;
    /* Aliases of it on the primary bus. */
    MemoryRegion windows[BRIDGE_WINDOWS];
    MemoryRegion subtractive_memory, subtractive_io;
    GPtrArray *isa_windows; /* of MemoryRegion: in place of BRIDGE_IO while ISA enable is set */
    bool closed_at_reset;   /* base above limit in the reset values */
};

/*
 * First step of a bridge's realize: the bus (of type TYPE_PCI_BUS or TYPE_PCIE_BUS), named by the
 * device's id or by type and number, and the header.  Undone with the device.
 */
bool pci_bridge_init(PCIDevice *dev, const char *bus_type, GError **error);
/* For classes with a config_write and a reset of their own. */
void pci_bridge_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len);
void pci_bridge_reset(PCIDevice *dev);

/* First and last address of a window as the registers have it; empty if base is above limit. */
uint64_t pci_bridge_window_base(const PCIDevice *dev, PCIBridgeWindow window);
uint64_t pci_bridge_window_limit(const PCIDevice *dev, PCIBridgeWindow window);

/* Capability 0dh: subsystem of a bridge (bridge spec 1.2, 3.2.5.13). */
bool pci_bridge_ssvid_init(PCIDevice *dev, uint8_t offset, uint16_t vendor, uint16_t device,
                           GError **error);
/*
 * Vendor capability by which firmware learns what to reserve for what will be plugged in later;
 * sizes in bytes, UINT64_MAX (buses: UINT32_MAX): nothing said.  None is made if all are.
 */
typedef struct PCIReserve {
    uint32_t buses;
    uint64_t io, memory, prefetch32, prefetch64;
} PCIReserve;
bool pci_bridge_reserve_init(PCIDevice *dev, const PCIReserve *reserve, GError **error);
/* What the capability says; 0 where it says nothing. */
PCIReserve pci_bridge_get_reserve(const PCIDevice *dev);
#define DEFINE_PCI_RESERVE_PROPERTIES(S, f)                                                        \
    DEFINE_PROP_UINT32("bus-reserve", S, f.buses, UINT32_MAX,                                      \
                       "buses that firmware keeps free; 4294967295: its own choice"),              \
        DEFINE_PROP_SIZE("io-reserve", S, f.io, UINT64_MAX, "ports that firmware keeps free"),     \
        DEFINE_PROP_SIZE("mem-reserve", S, f.memory, UINT64_MAX,                                   \
                         "bytes of memory space that firmware keeps free"),                        \
        DEFINE_PROP_SIZE("pref32-reserve", S, f.prefetch32, UINT64_MAX,                            \
                         "bytes of prefetchable space below 4 GiB that firmware keeps free"),      \
        DEFINE_PROP_SIZE("pref64-reserve", S, f.prefetch64, UINT64_MAX,                            \
                         "bytes of prefetchable space above 4 GiB that firmware keeps free")

#define PCI_BRIDGE_STATE_FIELDS(S) PCI_STATE_FIELDS(S)

#endif
