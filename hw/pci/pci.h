/* SPDX-License-Identifier: MIT
 *
 * PCI buses and devices.  PCI Local Bus Specification 3.0, chapter 6
 * (configuration space) and appendix D (class codes).
 *
 * Locks: a device's configuration space belongs to its device lock; the INTx
 * wires of a bus to the machine's irq lock, so pci_set_irq() may be called from any
 * thread and under any lock.
 */
#ifndef HW_PCI_PCI_H
#define HW_PCI_PCI_H

#include <linux/pci_regs.h>
#include "hw/core/qdev.h"
#include "hw/pci/pci-ids.h"
#include "system/memory/memory.h"

#define TYPE_PCI_BUS "PCI"
OBJECT_DECLARE_SIMPLE(PCIBus, PCI_BUS, TYPE_PCI_BUS)
/* The same with 4096 bytes of configuration space a function: PCI Express. */
#define TYPE_PCIE_BUS   "PCIE"
#define TYPE_PCI_DEVICE "pci-device"
OBJECT_DECLARE(PCIDevice, PCIDeviceClass, PCI_DEVICE, TYPE_PCI_DEVICE)

#define PCI_DEVFN_MAX    256
#define PCI_SLOT_MAX     32
#define PCI_FUNC_MAX     8
#define PCI_NUM_PINS     4
#define PCI_NUM_BARS     6
#define PCI_ROM_SLOT     6
#define PCI_NUM_REGIONS  7
#define PCI_CONFIG_SIZE  256
#define PCIE_CONFIG_SIZE 4096
#define PCI_BAR_UNMAPPED UINT64_MAX

#define PCI_MAKE_DEVFN(slot, func) ((((slot)&0x1f) << 3) | ((func)&7))
#define PCI_DEVFN_SLOT(devfn)      (((devfn) >> 3) & 0x1f)
#define PCI_DEVFN_FUNC(devfn)      ((devfn)&7)

struct PCIDeviceClass {
    DeviceClass parent_class;

    /* In place of DeviceClass::realize: the header is filled in and the device has its devfn. */
    bool (*realize)(PCIDevice *dev, GError **error);
    /* Optional: before what realize made is undone. */
    void (*exit)(PCIDevice *dev);
    /* Optional: the registers of the device itself; the header has been reset (phase "enter"). */
    void (*reset)(PCIDevice *dev);
    /* Optional: its outputs (phase "hold"). */
    void (*reset_hold)(PCIDevice *dev);
    /* Optional: registers of its own that firmware would set; by pci_assign_resources(). */
    void (*setup)(PCIDevice *dev);
    /*
     * One access of 1, 2 or 4 bytes that does not cross a dword, device lock held.  The defaults
     * are pci_default_{read,write}_config(), which overriders call.
     */
    uint32_t (*config_read)(PCIDevice *dev, uint32_t addr, unsigned len);
    void (*config_write)(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len);

    /* Optional, root ports: what their error registers ask of their interrupt has changed. */
    void (*express_interrupt)(PCIDevice *dev);

    /* Optional, bridges: a function has come to (realized) or left the secondary bus. */
    void (*bus_changed)(PCIDevice *bridge, bool came);

    uint16_t vendor_id, device_id;
    uint8_t revision;
    uint16_t class_id; /* base class and sub-class: PCI_CLASS_* */
    uint8_t prog_if;
    uint16_t subsystem_vendor_id, subsystem_id; /* 0: 1af4:1100, as QEMU gives */
    bool is_bridge;                             /* header type 1 */
    bool is_express;     /* 4096 bytes of configuration space; hw/pci/pcie.h */
    const char *romfile; /* default of the property; NULL: none */
};

typedef struct MSIXState MSIXState;
typedef struct PCIIORegion {
    uint64_t size; /* 0: not there */
    uint64_t addr; /* where it is mapped, PCI_BAR_UNMAPPED: nowhere */
    uint8_t type;  /* PCI_BASE_ADDRESS_* */
    MemoryRegion *memory;
    MemoryRegion *address_space; /* what it is mapped into */
} PCIIORegion;

/* Type 0 header fields for StateField tables: first line of a PCI device's table. */
#define PCI_STATE_FIELDS(S)                                                                        \
    {"pci-config", offsetof(S, parent_obj) + offsetof(PCIDevice, config), PCIE_CONFIG_SIZE},       \
    {                                                                                              \
        "pci-irq", offsetof(S, parent_obj) + offsetof(PCIDevice, irq_state), 1                     \
    }

struct PCIDevice {
    DeviceState parent_obj;

    /* properties */
    int32_t devfn; /* "addr"; -1 until plugged */
    char *romfile;
    uint32_t romsize;
    uint32_t rombar;
    bool multifunction;
    bool lnksta_dllla, extcap_init;

    uint8_t config[PCIE_CONFIG_SIZE];
    uint8_t wmask[PCIE_CONFIG_SIZE];   /* bits the guest may write */
    uint8_t w1cmask[PCIE_CONFIG_SIZE]; /* bits the guest clears by writing 1 */
    bool cap_used[PCI_CONFIG_SIZE];    /* taken by capabilities */
    MachineState *machine;             /* while it is realized */

    PCIIORegion io_regions[PCI_NUM_REGIONS];
    /* What the device sees when it masters the bus: memory while COMMAND.MASTER is set. */
    AddressSpace bus_master_as;
    MemoryRegion bus_master_container, bus_master_enable;
    MemoryRegion rom;
    uint8_t irq_state; /* the pin is asserted by the device (INTx disable not applied) */
    bool irq_driven;   /* it counts on the bus's wire */
    uint8_t msi_cap, msix_cap, pm_cap, exp_cap; /* offsets, 0: none */
    uint16_t aer_cap, ext_cap_end;
    MSIXState *msix;    /* hw/pci/msix.h; NULL: none */
    bool aer_interrupt; /* a root port: its error registers ask for an interrupt */
    bool powered_off;   /* in a slot whose power is off: not to be seen on the bus */
    gint posted_bytes;  /* writes to other devices not yet delivered */
    gint aer_on_the_way; /* error messages, likewise */
};

/* Wire of the bus that a device's pin (0: INTA#) is connected to. */
typedef int (*PCIMapIrqFunc)(PCIDevice *dev, int pin);
typedef void (*PCISetIrqFunc)(void *opaque, int wire, int level);

struct PCIBus {
    BusState parent_obj;
    uint8_t devfn_min;
    uint8_t bus_nr; /* of a root bus; below a bridge read from its configuration */
    PCIDevice *devices[PCI_DEVFN_MAX];
    PCIDevice *parent_dev; /* the bridge, NULL for a root bus */
    MemoryRegion *address_space_mem, *address_space_io;
    MemoryRegion *dma_memory; /* what bus masters reach; the machine's memory */
    /* Ports cf8-cfb but for dwords: reset control in the south bridge.  Optional. */
    MemoryRegion *config_byte_ports;
    PCIMapIrqFunc map_irq;
    PCISetIrqFunc set_irq;
    void *irq_opaque;
    int nirq;
    uint32_t *irq_count; /* per wire: how many devices assert it */
};

/* ---- buses -------------------------------------------------------------------- */

/* Root bus of a host bridge.  Devices get addresses from devfn_min on. */
PCIBus *pci_root_bus_new(DeviceState *parent, const char *name, MemoryRegion *address_space_mem,
                         MemoryRegion *address_space_io, uint8_t devfn_min);
PCIBus *pcie_root_bus_new(DeviceState *parent, const char *name, MemoryRegion *address_space_mem,
                          MemoryRegion *address_space_io, uint8_t devfn_min);
bool pci_bus_is_express(const PCIBus *bus);
static inline bool pci_bus_is_root(const PCIBus *bus)
{
    return !bus->parent_dev;
}
void pci_bus_irqs(PCIBus *bus, PCISetIrqFunc set_irq, PCIMapIrqFunc map_irq, void *opaque,
                  int nirq);
/* Level of a wire. */
bool pci_bus_get_irq_level(PCIBus *bus, int wire);
PCIBus *pci_get_bus(const PCIDevice *dev);
int pci_bus_num(const PCIBus *bus);
/* By bus number, as bridges below a root bus forward it; NULL: not there. */
PCIBus *pci_find_bus_nr(PCIBus *root, int bus_nr);
PCIDevice *pci_find_device(PCIBus *root, int bus_nr, uint8_t devfn);
typedef void (*PCIDeviceVisitor)(PCIBus *bus, PCIDevice *dev, void *opaque);
void pci_for_each_device(PCIBus *bus, PCIDeviceVisitor fn, void *opaque);
/* A pin rotated by the slot: what PCI-to-PCI bridges do (PCI bridge spec 1.2, 9.1). */
int pci_swizzle(int slot, int pin);
static inline int pci_requester_id(const PCIDevice *dev)
{
    return pci_bus_num(pci_get_bus(dev)) << 8 | dev->devfn;
}

/* Create, plug at devfn (-1: first free) and realize; the bus owns it.  NULL and error. */
PCIDevice *pci_create(PCIBus *bus, int devfn, const char *type, GError **error);
PCIDevice *pci_create_multifunction(PCIBus *bus, int devfn, bool multifunction, const char *type,
                                    GError **error);
/* The same in two steps: made and addressed, not yet realized; one reference. */
PCIDevice *pci_new(int devfn, const char *type, GError **error);
bool pci_realize_and_unref(PCIDevice *dev, PCIBus *bus, GError **error);

/*
 * Configuration cycles as a host bridge issues them: 1, 2 or 4 bytes that do not cross a dword,
 * reg below 4096.  Absent devices and registers read all ones.  Big lock held.
 */
uint32_t pci_host_config_read(PCIBus *root, uint8_t bus_nr, uint8_t devfn, uint32_t reg,
                              unsigned len);
void pci_host_config_write(PCIBus *root, uint8_t bus_nr, uint8_t devfn, uint32_t reg,
                           uint32_t value, unsigned len);
/* The same by the address of mechanism #1: bus 23-16, devfn 15-8, register 7-0. */
uint32_t pci_data_read(PCIBus *root, uint32_t address, unsigned len);
void pci_data_write(PCIBus *root, uint32_t address, uint32_t value, unsigned len);

/*
 * What firmware does: give every BAR of every device below `root` an address in
 * [mem_base, mem_end) or [io_base, io_end), fill in INTERRUPT_LINE with irq_line[wire & 3], and
 * enable decoding.  For machines that start a kernel with no firmware.
 */
bool pci_assign_resources(PCIBus *root, uint64_t mem_base, uint64_t mem_end, uint32_t io_base,
                          uint32_t io_end, const uint8_t irq_line[4], GError **error);

/* Text of `info pci`: of one bus and what is below it, and of all. */
void pci_bus_print(PCIBus *root, GString *out);
void pci_machine_print(MachineState *machine, GString *out);
/* "PCI bridge"; NULL: a class that has no name here. */
const char *pci_class_name(uint16_t class_id);
typedef void (*PCIRootVisitor)(PCIBus *root, void *opaque);
void pci_for_each_root(MachineState *machine, PCIRootVisitor fn, void *opaque);

/* ---- for devices ---------------------------------------------------------------- */

/* BAR n; size is a power of two, at least 16 (memory) or 4 (ports).  In realize. */
void pci_register_bar(PCIDevice *dev, int n, uint8_t type, MemoryRegion *memory);
uint64_t pci_get_bar_addr(const PCIDevice *dev, int n);
/* Offset of a new capability, its id and link written; offset 0: find room.  0 and error. */
uint8_t pci_add_capability(PCIDevice *dev, uint8_t id, uint8_t offset, uint8_t size,
                           GError **error);
uint8_t pci_find_capability(const PCIDevice *dev, uint8_t id);
/*
 * Power management (PCI PM 1.2, 3.2): version 3, no PME.  In D3hot only the configuration space
 * answers; coming back from it resets the function unless no_soft_reset.
 */
bool pci_pm_init(PCIDevice *dev, uint8_t offset, bool no_soft_reset, GError **error);

uint32_t pci_default_read_config(PCIDevice *dev, uint32_t addr, unsigned len);
void pci_default_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len);

/* The pin of INTERRUPT_PIN, as a level.  Any thread, any lock. */
void pci_set_irq(PCIDevice *dev, int level);
static inline void pci_irq_assert(PCIDevice *dev)
{
    pci_set_irq(dev, 1);
}
static inline void pci_irq_deassert(PCIDevice *dev)
{
    pci_set_irq(dev, 0);
}
/* The same as an IRQ to hand to a core; freed with the device. */
IRQ pci_allocate_irq(PCIDevice *dev);

/* MSI capability with 1, 2, 4 .. 32 vectors, 64-bit addresses, optional masking. */
bool msi_init(PCIDevice *dev, uint8_t offset, unsigned nr_vectors, bool per_vector_mask,
              GError **error);
bool msi_enabled(const PCIDevice *dev);
void msi_notify(PCIDevice *dev, unsigned vector);
/* The same with 32-bit addresses only, for chips whose data sheet says so. */
bool msi_init_32bit(PCIDevice *dev, uint8_t offset, unsigned nr_vectors, bool per_vector_mask,
                    GError **error);

/*
 * Bus mastering.  MEMTX_DECODE_ERROR while COMMAND.MASTER is clear.  What is not RAM is
 * another device (or the caller itself): writes to it are posted, that is done
 * from the machine's event loop with no lock held, and reads of it fail; both are logged.
 */
MemTxResult pci_dma_read(PCIDevice *dev, hwaddr addr, void *buf, size_t len);
MemTxResult pci_dma_write(PCIDevice *dev, hwaddr addr, const void *buf, size_t len);
static inline AddressSpace *pci_get_address_space(PCIDevice *dev)
{
    return &dev->bus_master_as;
}

/* Little-endian fields of the configuration space. */
static inline uint8_t pci_get_byte(const uint8_t *p)
{
    return *p;
}
static inline uint16_t pci_get_word(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}
static inline uint32_t pci_get_long(const uint8_t *p)
{
    return pci_get_word(p) | (uint32_t)pci_get_word(p + 2) << 16;
}
static inline uint64_t pci_get_quad(const uint8_t *p)
{
    return pci_get_long(p) | (uint64_t)pci_get_long(p + 4) << 32;
}
static inline void pci_set_byte(uint8_t *p, uint8_t v)
{
    *p = v;
}
static inline void pci_set_word(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}
static inline void pci_set_long(uint8_t *p, uint32_t v)
{
    pci_set_word(p, (uint16_t)v);
    pci_set_word(p + 2, (uint16_t)(v >> 16));
}
static inline void pci_set_quad(uint8_t *p, uint64_t v)
{
    pci_set_long(p, (uint32_t)v);
    pci_set_long(p + 4, (uint32_t)(v >> 32));
}

/* "3.1" or "3"; the field is an int32_t devfn. */
extern const PropertyType property_type_pci_devfn;

#endif
