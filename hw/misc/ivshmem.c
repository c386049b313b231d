/* SPDX-License-Identifier: MIT
 *
 * Inter-VM shared memory without interrupts (the "Device Specification for Inter-VM shared
 * memory device", revision 1): BAR 2 is the memory of a memory-backend.
 *
 *   BAR 0  00 interrupt mask   04 interrupt status, cleared by reading; without INTx no effect
 *          08 R  position of this VM: 0              0c W doorbell: nobody is there to hear it
 */
#include "hw/core/machine.h"
#include "hw/pci/pci.h"
#include "system/memory/backend.h"

#define TYPE_IVSHMEM_PLAIN "ivshmem-plain"
OBJECT_DECLARE_SIMPLE(IVShmemState, IVSHMEM_PLAIN, TYPE_IVSHMEM_PLAIN)

#define IVSHMEM_REG_BAR_SIZE 0x100
enum { IVSHMEM_INTR_MASK = 0, IVSHMEM_INTR_STATUS = 4 };

struct IVShmemState {
    PCIDevice parent_obj;
    Object *memdev;
    int master;
    MemoryRegion mmio;
    uint32_t intr_mask, intr_status;
};

static uint64_t ivshmem_read(void *opaque, hwaddr addr, unsigned size)
{
    IVShmemState *s = opaque;
    uint32_t value;

    switch (addr) {
    case IVSHMEM_INTR_MASK:
        return s->intr_mask;
    case IVSHMEM_INTR_STATUS: /* reading clears it */
        value = s->intr_status;
        s->intr_status = 0;
        return value;
    default:
        return 0;
    }
}

static void ivshmem_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    IVShmemState *s = opaque;

    if (addr == IVSHMEM_INTR_MASK) {
        s->intr_mask = (uint32_t)value;
    } else if (addr == IVSHMEM_INTR_STATUS) {
        s->intr_status = (uint32_t)value;
    }
}

static const MemoryRegionOps ivshmem_ops = {
    .read = ivshmem_read,
    .write = ivshmem_write,
    .impl = {4, 4},
};

static void ivshmem_release(void *opaque)
{
    memory_backend_release(MEMORY_BACKEND(((IVShmemState *)opaque)->memdev));
}

static bool ivshmem_realize(PCIDevice *dev, GError **error)
{
    IVShmemState *s = IVSHMEM_PLAIN(dev);
    MemoryRegion *memory;

    if (!s->memdev) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "memdev= is missing: expected the id of a memory-backend object");
        return false;
    }
    memory = memory_backend_claim(MEMORY_BACKEND(s->memdev), error);
    if (!memory) {
        return false;
    }
    qdev_on_unrealize(DEVICE(dev), ivshmem_release, s);
    if (memory_region_size(memory) & (memory_region_size(memory) - 1)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "the size of memdev is %" G_GUINT64_FORMAT ": expected a power of two",
                    memory_region_size(memory));
        return false;
    }
    memory_region_init_io(&s->mmio, OBJECT(s), &ivshmem_ops, s, "ivshmem-mmio",
                          IVSHMEM_REG_BAR_SIZE);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->mmio);
    pci_register_bar(dev, 2, PCI_BASE_ADDRESS_MEM_PREFETCH | PCI_BASE_ADDRESS_MEM_TYPE_64, memory);
    return true;
}

static void ivshmem_reset(PCIDevice *dev)
{
    IVSHMEM_PLAIN(dev)->intr_mask = IVSHMEM_PLAIN(dev)->intr_status = 0;
}

static const Property ivshmem_properties[] = {
    DEFINE_PROP_LINK("memdev", IVShmemState, memdev, TYPE_MEMORY_BACKEND, "the shared memory"),
    DEFINE_PROP_ON_OFF_AUTO("master", IVShmemState, master, ON_OFF_AUTO_OFF,
                            "migrates with the content of the memory"),
    DEFINE_PROP_END,
};

static const StateField ivshmem_state[] = {
    PCI_STATE_FIELDS(IVShmemState),
    STATE_FIELD(IVShmemState, intr_mask),
    STATE_FIELD(IVShmemState, intr_status),
    STATE_END,
};

static void ivshmem_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = ivshmem_realize;
    pc->reset = ivshmem_reset;
    pc->vendor_id = PCI_VENDOR_ID_REDHAT_QUMRANET;
    pc->device_id = PCI_DEVICE_ID_IVSHMEM;
    pc->revision = 1;
    pc->class_id = PCI_CLASS_MEMORY_RAM;
    DEVICE_CLASS(klass)->category = DEVICE_CATEGORY_MISC;
    DEVICE_CLASS(klass)->state = ivshmem_state;
}

static const TypeInfo ivshmem_types[] = {
    {.name = TYPE_IVSHMEM_PLAIN,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(IVShmemState),
     .class_init = ivshmem_class_init,
     .properties = ivshmem_properties,
     .doc = "memory shared with other VMs or programs"},
};
DEFINE_TYPES(ivshmem_types)
