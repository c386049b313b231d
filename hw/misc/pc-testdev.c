/* SPDX-License-Identifier: MIT
 *
 * The test device of guests that test a PC's CPU and interrupt controllers:
 *
 *   port 00e0, 4 bytes    keeps what is written, in accesses of 1, 2 and 4 bytes
 *   port 00e4, 4 bytes    W  the page of guest memory at this address is taken from the page
 *                         tables of the host, so that its next access faults there
 *   port 00e8, 4 bytes    the same bytes as 00e0's; handled one by one
 *   port 2000 + n, n < 16 W  level of ISA interrupt n
 *   ff000000, 64 KiB      memory behind a device: keeps what is written
 */
#include <string.h>
#include <sys/mman.h>
#include "hw/core/machine.h"
#include "hw/isa/isa.h"

#define TYPE_PC_TESTDEV "pc-testdev"
OBJECT_DECLARE_SIMPLE(PCTestDev, PC_TESTDEV, TYPE_PC_TESTDEV)

#define TESTDEV_PORT       0xe0
#define TESTDEV_FLUSH_PORT 0xe4
#define TESTDEV_BYTE_PORT  0xe8
#define TESTDEV_IRQ_PORT   0x2000
#define TESTDEV_IRQ_PORTS  24
#define TESTDEV_IOMEM      0xff000000u
#define TESTDEV_IOMEM_SIZE 0x10000u
#define TESTDEV_PAGE       4096u
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

struct PCTestDev {
    ISADevice parent_obj;
    MachineState *machine;
    MemoryRegion port, flush, byte_port, irq, iomem;
    uint8_t port_data[4];
    uint8_t memory[TESTDEV_IOMEM_SIZE];
};

/* Little-endian, within `room` bytes; what is beyond reads zero and is dropped. */
static uint64_t bytes_read(const uint8_t *bytes, size_t room, hwaddr addr, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, bytes + addr, MIN(size, room - addr));
    return value;
}

static void bytes_write(uint8_t *bytes, size_t room, hwaddr addr, uint64_t value, unsigned size)
{
    memcpy(bytes + addr, &value, MIN(size, room - addr));
}

static uint64_t port_read(void *opaque, hwaddr addr, unsigned size)
{
    return bytes_read(opaque, 4, addr, size);
}

static void port_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    bytes_write(opaque, 4, addr, value, size);
}

static const MemoryRegionOps port_ops = {
    .read = port_read,
    .write = port_write,
    .valid = {1, 4, true},
    .impl = {1, 4, true},
    .lock = MR_LOCK_NONE, /* bytes, of which none says anything of another */
};

static const MemoryRegionOps byte_port_ops = {
    .read = port_read,
    .write = port_write,
    .valid = {1, 4, true},
    .impl = {1, 1 },
    .lock = MR_LOCK_NONE, /* bytes, of which none says anything of another */
};

static uint64_t nothing_read(void *opaque, hwaddr addr, unsigned size)
{
    return 0;
}

/* The page keeps its content: it is written out, or stays where it is if the host will not. */
static void flush_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    MachineState *machine = ((PCTestDev *)opaque)->machine;
    hwaddr page = value & ~(uint64_t)(TESTDEV_PAGE - 1);
    uint8_t *host;

    if (!machine->ram || page >= memory_region_size(machine->ram)) {
        return;
    }
    host = memory_region_get_ram_ptr(machine->ram);
    madvise(host + page, TESTDEV_PAGE, MADV_PAGEOUT);
}

static const MemoryRegionOps flush_ops = {
    .read = nothing_read,
    .write = flush_write,
    .valid = {4, 4},
    .impl = {4, 4},
};

static void irq_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    PCTestDev *s = opaque;

    if (addr < ISA_NUM_IRQS) {
        irq_set(isa_get_irq(&s->parent_obj, (uint32_t)addr), (int)(value & 1));
    }
}

static const MemoryRegionOps irq_ops = {
    .read = nothing_read,
    .write = irq_write,
    .valid = {1, 4},
    .impl = {1, 4},
};

static uint64_t iomem_read(void *opaque, hwaddr addr, unsigned size)
{
    return bytes_read(((PCTestDev *)opaque)->memory, TESTDEV_IOMEM_SIZE, addr, size);
}

static void iomem_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    bytes_write(((PCTestDev *)opaque)->memory, TESTDEV_IOMEM_SIZE, addr, value, size);
}

static const MemoryRegionOps iomem_ops = {
    .read = iomem_read,
    .write = iomem_write,
    .valid = {1, 8, true},
    .impl = {1, 8, true},
    .lock = MR_LOCK_NONE, /* bytes, of which none says anything of another */
};

static void iomem_unmap(void *opaque)
{
    MemoryRegion *mr = &((PCTestDev *)opaque)->iomem;

    memory_region_del_subregion(mr->container, mr);
}

static bool pc_testdev_realize(DeviceState *dev, GError **error)
{
    PCTestDev *s = PC_TESTDEV(dev);
    ISADevice *isa = &s->parent_obj;

    s->machine = qdev_get_machine(dev);
    memory_region_init_io(&s->port, OBJECT(s), &port_ops, s->port_data, "pc-testdev-ioport", 4);
    memory_region_init_io(&s->flush, OBJECT(s), &flush_ops, s, "pc-testdev-flush-page", 4);
    memory_region_init_io(&s->byte_port, OBJECT(s), &byte_port_ops, s->port_data,
                          "pc-testdev-ioport-byte", 4);
    memory_region_init_io(&s->irq, OBJECT(s), &irq_ops, s, "pc-testdev-irq-line",
                          TESTDEV_IRQ_PORTS);
    memory_region_init_io(&s->iomem, OBJECT(s), &iomem_ops, s, "pc-testdev-iomem",
                          TESTDEV_IOMEM_SIZE);
    isa_register_ioport(isa, &s->port, TESTDEV_PORT);
    isa_register_ioport(isa, &s->flush, TESTDEV_FLUSH_PORT);
    isa_register_ioport(isa, &s->byte_port, TESTDEV_BYTE_PORT);
    isa_register_ioport(isa, &s->irq, TESTDEV_IRQ_PORT);
    /* Above what an ISA bus decodes: it is on the system's. */
    memory_region_add_subregion(s->machine->system_memory, TESTDEV_IOMEM, &s->iomem);
    qdev_on_unrealize(dev, iomem_unmap, s);
    return true;
}

static const StateField pc_testdev_state[] = {
    STATE_FIELD(PCTestDev, port_data),
    STATE_FIELD(PCTestDev, memory),
    STATE_END,
};

static void pc_testdev_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = pc_testdev_realize;
    dc->category = DEVICE_CATEGORY_MISC;
    dc->state = pc_testdev_state;
}

static const TypeInfo pc_testdev_types[] = {
    {.name = TYPE_PC_TESTDEV,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(PCTestDev),
     .class_init = pc_testdev_class_init,
     .doc = "ports, interrupts and memory for guests that test the PC"},
};
DEFINE_TYPES(pc_testdev_types)
