/* SPDX-License-Identifier: MIT
 *
 * The educational device that driver courses and guest test suites use (the "EDU device" page of
 * QEMU's specifications): factorials, an interrupt to raise at will, and DMA to and from a
 * buffer of its own.  INTx or one MSI vector.
 *
 *   00  R   identification 010000ed       80  RW  DMA source, 64 bits
 *   04  RW  liveness: reads its inverse   88  RW  DMA destination, 64 bits
 *   08  RW  factorial                     90  RW  DMA count, 64 bits
 *   20  RW  01 R computing, 80 interrupt  98  RW  DMA command: 01 start, 02 to RAM, 04 interrupt
 *   24  R   interrupt status
 *   60  W   raise these bits              40000-40fff  the buffer, in addresses that DMA uses
 *   64  W   acknowledge these bits
 * 32-bit accesses below 80, 32- or 64-bit ones from there on.
 */
#include "hw/core/machine.h"
#include "hw/pci/pci.h"
#include "system/log.h"

#define TYPE_EDU "edu"
OBJECT_DECLARE_SIMPLE(EduState, EDU, TYPE_EDU)

#define EDU_BAR_SIZE    (1 << 20)
#define EDU_BUFFER      0x40000u
#define EDU_BUFFER_SIZE 4096u
#define EDU_ID          0x010000edu
#define EDU_REVISION    0x10
#define EDU_DMA_TIME_NS 100000 /* how long a transfer takes */

#define EDU_STATUS_IRQ  0x80u
#define EDU_IRQ_FACT    0x001u
#define EDU_IRQ_DMA     0x100u
#define EDU_DMA_START   0x1u
#define EDU_DMA_TO_RAM  0x2u
#define EDU_DMA_IRQ     0x4u
#define EDU_DMA_COMMAND 0x7u

enum {
    EDU_REG_ID = 0x00,
    EDU_REG_LIVENESS = 0x04,
    EDU_REG_FACTORIAL = 0x08,
    EDU_REG_STATUS = 0x20,
    EDU_REG_IRQ_STATUS = 0x24,
    EDU_REG_IRQ_RAISE = 0x60,
    EDU_REG_IRQ_ACK = 0x64,
    EDU_REG_DMA_SRC = 0x80,
    EDU_REG_DMA_DST = 0x88,
    EDU_REG_DMA_COUNT = 0x90,
    EDU_REG_DMA_COMMAND = 0x98,
};

struct EduState {
    PCIDevice parent_obj;
    MemoryRegion mmio;
    Timer *dma_timer;
    uint64_t dma_mask;

    uint32_t liveness, factorial, status, irq_status;
    uint64_t dma_src, dma_dst, dma_count, dma_command;
    uint8_t buffer[EDU_BUFFER_SIZE];
};

static void edu_raise(EduState *s, uint32_t bits)
{
    s->irq_status |= bits;
    if (!s->irq_status) {
        return;
    }
    if (msi_enabled(&s->parent_obj)) {
        msi_notify(&s->parent_obj, 0);
    } else {
        pci_irq_assert(&s->parent_obj);
    }
}

static void edu_acknowledge(EduState *s, uint32_t bits)
{
    s->irq_status &= ~bits;
    if (!s->irq_status) {
        pci_irq_deassert(&s->parent_obj);
    }
}

/* Modulo 2^32; from 34 on it has more than 31 factors of two. */
static uint32_t edu_factorial(uint32_t n)
{
    uint32_t product = 1;

    if (n >= 34) {
        return 0;
    }
    for (uint32_t i = 2; i <= n; i++) {
        product *= i;
    }
    return product;
}

/* Where in the buffer; false (and logged): it leaves the buffer, nothing moves. */
static bool edu_in_buffer(EduState *s, uint64_t addr, uint32_t *offset)
{
    if (addr < EDU_BUFFER || addr - EDU_BUFFER > EDU_BUFFER_SIZE ||
        s->dma_count > EDU_BUFFER_SIZE - (addr - EDU_BUFFER)) {
        log_guest_error("edu: DMA of %" G_GUINT64_FORMAT " bytes at %#" G_GINT64_MODIFIER
                        "x is outside its buffer\n",
                        s->dma_count, addr);
        return false;
    }
    *offset = (uint32_t)(addr - EDU_BUFFER);
    return true;
}

static uint64_t edu_bus_address(EduState *s, uint64_t addr)
{
    if (addr & ~s->dma_mask) {
        log_guest_error("edu: DMA address %#" G_GINT64_MODIFIER "x is cut to its mask\n", addr);
    }
    return addr & s->dma_mask;
}

static void edu_dma_done(void *opaque)
{
    EduState *s = opaque;
    PCIDevice *dev = &s->parent_obj;
    uint32_t offset;

    if (s->dma_command & EDU_DMA_TO_RAM) {
        if (edu_in_buffer(s, s->dma_src, &offset)) {
            pci_dma_write(dev, edu_bus_address(s, s->dma_dst), s->buffer + offset, s->dma_count);
        }
    } else if (edu_in_buffer(s, s->dma_dst, &offset)) {
        pci_dma_read(dev, edu_bus_address(s, s->dma_src), s->buffer + offset, s->dma_count);
    }
    s->dma_command &= ~(uint64_t)EDU_DMA_START;
    if (s->dma_command & EDU_DMA_IRQ) {
        edu_raise(s, EDU_IRQ_DMA);
    }
}

static void edu_dma_start(EduState *s, uint64_t command)
{
    if (!(command & EDU_DMA_START)) {
        return;
    }
    s->dma_command = command & EDU_DMA_COMMAND;
    timer_mod(s->dma_timer, device_clock_ns(DEVICE(s), CLOCK_VIRTUAL) + EDU_DMA_TIME_NS);
}

static uint64_t *edu_dma_register(EduState *s, hwaddr addr)
{
    switch (addr) {
    case EDU_REG_DMA_SRC:
        return &s->dma_src;
    case EDU_REG_DMA_DST:
        return &s->dma_dst;
    case EDU_REG_DMA_COUNT:
        return &s->dma_count;
    case EDU_REG_DMA_COMMAND:
        return &s->dma_command;
    default:
        return NULL;
    }
}

static bool edu_size_ok(hwaddr addr, unsigned size)
{
    return size == 4 || (size == 8 && addr >= EDU_REG_DMA_SRC);
}

static uint64_t edu_read(void *opaque, hwaddr addr, unsigned size)
{
    EduState *s = opaque;
    const uint64_t *dma = edu_dma_register(s, addr);

    if (!edu_size_ok(addr, size)) {
        return UINT64_MAX;
    }
    switch (addr) {
    case EDU_REG_ID:
        return EDU_ID;
    case EDU_REG_LIVENESS:
        return s->liveness;
    case EDU_REG_FACTORIAL:
        return s->factorial;
    case EDU_REG_STATUS:
        return s->status;
    case EDU_REG_IRQ_STATUS:
        return s->irq_status;
    default:
        return dma ? *dma : UINT64_MAX;
    }
}

static void edu_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    EduState *s = opaque;
    uint64_t *dma = edu_dma_register(s, addr);

    if (!edu_size_ok(addr, size)) {
        return;
    }
    switch (addr) {
    case EDU_REG_LIVENESS:
        s->liveness = ~(uint32_t)value;
        break;
    case EDU_REG_FACTORIAL:
        s->factorial = edu_factorial((uint32_t)value);
        if (s->status & EDU_STATUS_IRQ) {
            edu_raise(s, EDU_IRQ_FACT);
        }
        break;
    case EDU_REG_STATUS:
        s->status = value & EDU_STATUS_IRQ;
        break;
    case EDU_REG_IRQ_RAISE:
        edu_raise(s, (uint32_t)value);
        break;
    case EDU_REG_IRQ_ACK:
        edu_acknowledge(s, (uint32_t)value);
        break;
    default:
        if (!dma || (s->dma_command & EDU_DMA_START)) {
            break; /* not while a transfer is under way */
        }
        if (dma == &s->dma_command) {
            edu_dma_start(s, value);
        } else {
            *dma = value;
        }
    }
}

static const MemoryRegionOps edu_ops = {
    .read = edu_read,
    .write = edu_write,
    .valid = {4, 8},
    .impl = {4, 8},
};

static bool edu_realize(PCIDevice *dev, GError **error)
{
    EduState *s = EDU(dev);

    dev->config[PCI_INTERRUPT_PIN] = 1;
    if (!msi_init(dev, 0, 1, false, error)) {
        return false;
    }
    s->dma_timer = device_timer_new(DEVICE(dev), CLOCK_VIRTUAL, edu_dma_done, s);
    memory_region_init_io(&s->mmio, OBJECT(s), &edu_ops, s, "edu-mmio", EDU_BAR_SIZE);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->mmio);
    return true;
}

static void edu_reset(PCIDevice *dev)
{
    EduState *s = EDU(dev);

    timer_del(s->dma_timer);
    s->liveness = s->factorial = s->status = s->irq_status = 0;
    s->dma_src = s->dma_dst = s->dma_count = s->dma_command = 0;
    memset(s->buffer, 0, sizeof(s->buffer));
}

static const Property edu_properties[] = {
    DEFINE_PROP_UINT64("dma_mask", EduState, dma_mask, 0x0fffffff,
                       "the address bits that it drives"),
    DEFINE_PROP_END,
};

static const StateField edu_state[] = {
    PCI_STATE_FIELDS(EduState),
    STATE_FIELD(EduState, liveness),
    STATE_FIELD(EduState, factorial),
    STATE_FIELD(EduState, status),
    STATE_FIELD(EduState, irq_status),
    STATE_FIELD(EduState, dma_src),
    STATE_FIELD(EduState, dma_dst),
    STATE_FIELD(EduState, dma_count),
    STATE_FIELD(EduState, dma_command),
    STATE_FIELD(EduState, buffer),
    STATE_END,
};

static void edu_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = edu_realize;
    pc->reset = edu_reset;
    pc->vendor_id = PCI_VENDOR_ID_BOCHS;
    pc->device_id = PCI_DEVICE_ID_BOCHS_EDU;
    pc->revision = EDU_REVISION;
    pc->class_id = PCI_CLASS_OTHERS;
    DEVICE_CLASS(klass)->category = DEVICE_CATEGORY_MISC;
    DEVICE_CLASS(klass)->state = edu_state;
}

static const TypeInfo edu_types[] = {
    {.name = TYPE_EDU,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(EduState),
     .class_init = edu_class_init,
     .properties = edu_properties,
     .doc = "educational device: factorials, interrupts and DMA"},
};
DEFINE_TYPES(edu_types)
