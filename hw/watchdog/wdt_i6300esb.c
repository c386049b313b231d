/* SPDX-License-Identifier: MIT
 *
 * Watchdog of the Intel 6300ESB I/O controller hub (data sheet 300641, chapter 16).  Two stages:
 * the first counts preload 1 down and interrupts, the second preload 2 and drives WDT_TOUT#.
 *
 *   configuration  60  16 bits  1-0 interrupt: 0 IRQ 10, 2 SMI, 3 none
 *                               (which leads nowhere: a PC has no second I/O APIC)
 *                               2 a tick is 32 (not 32768) PCI clocks   5 the output is disabled
 *                  68   8 bits  0 lock (until reset)  1 enable  2 free-running: the second stage
 *                               is over and over, and only toggles the output
 *   BAR 0          00  preload 1, 20 bits   04  preload 2, 20 bits
 *                  08  0 interrupt of stage 1, cleared by writing 1
 *                  0c  8 reload   9 timed out, cleared by writing 1
 * 80 and then 86, written to 0c, unlock one write of another register.
 */
#include "hw/core/machine.h"
#include "hw/pci/pci.h"

#define TYPE_I6300ESB "i6300esb"
OBJECT_DECLARE_SIMPLE(I6300State, I6300ESB, TYPE_I6300ESB)

#define ESB_CONFIG_REG 0x60
#define ESB_LOCK_REG   0x68
#define ESB_MMIO_SIZE  16

#define ESB_INT_MASK    0x03u
#define ESB_FAST        0x04u
#define ESB_OUTPUT_OFF  0x20u
#define ESB_LOCK        0x01u
#define ESB_ENABLE      0x02u
#define ESB_FREE_RUN    0x04u
#define ESB_RELOAD      0x100u
#define ESB_TIMEOUT     0x200u
#define ESB_PRELOAD_MAX 0xfffffu
#define ESB_UNLOCK1     0x80u
#define ESB_UNLOCK2     0x86u
#define ESB_PCI_HZ      33333333

struct I6300State {
    PCIDevice parent_obj;
    MemoryRegion mmio;
    Timer *timer;

    uint32_t preload[2];
    uint8_t unlock; /* how much of the sequence has come: 2 is all */
    uint8_t stage;  /* that is counting: 0 or 1 */
    bool irq_active, timed_out;
};

static uint8_t esb_lock(const I6300State *s)
{
    return s->parent_obj.config[ESB_LOCK_REG];
}

static uint16_t esb_config(const I6300State *s)
{
    return pci_get_word(s->parent_obj.config + ESB_CONFIG_REG);
}

/* A preload of n counts n + 1 ticks. */
static void esb_start_stage(I6300State *s, unsigned stage)
{
    uint64_t clocks = ((uint64_t)s->preload[stage] + 1) << (esb_config(s) & ESB_FAST ? 5 : 15);

    s->stage = (uint8_t)stage;
    timer_mod(s->timer, device_clock_ns(DEVICE(s), CLOCK_VIRTUAL) +
                            (int64_t)(clocks * NANOSECONDS_PER_SECOND / ESB_PCI_HZ));
}

static void esb_restart(I6300State *s)
{
    if (esb_lock(s) & ESB_ENABLE) {
        /* Free-running, there is only the second stage. */
        esb_start_stage(s, esb_lock(s) & ESB_FREE_RUN ? 1 : 0);
    } else {
        timer_del(s->timer);
    }
}

static void esb_expired(void *opaque)
{
    I6300State *s = opaque;

    if (s->stage == 0) {
        s->irq_active = true;
        esb_start_stage(s, 1);
        return;
    }
    if (esb_lock(s) & ESB_FREE_RUN) {
        esb_start_stage(s, 1);
        return;
    }
    s->timed_out = true;
    if (!(esb_config(s) & ESB_OUTPUT_OFF)) {
        system_watchdog_expired(s->parent_obj.machine);
    }
}

static void esb_config_write(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    I6300State *s = I6300ESB(dev);
    uint8_t before = esb_lock(s);

    pci_default_write_config(dev, addr, value, len);
    if (before & ESB_LOCK) {
        dev->config[ESB_LOCK_REG] = before;
    }
    if (esb_lock(s) != before) {
        esb_restart(s);
    }
}

static uint64_t esb_read(void *opaque, hwaddr addr, unsigned size)
{
    const I6300State *s = opaque;

    switch (addr) {
    case 0x0:
    case 0x4:
        return s->preload[addr / 4];
    case 0x8:
        return s->irq_active;
    case 0xc:
        return s->timed_out ? ESB_TIMEOUT : 0;
    default:
        return 0;
    }
}

static void esb_write_unlocked(I6300State *s, hwaddr addr, uint32_t value)
{
    switch (addr) {
    case 0x0:
    case 0x4:
        s->preload[addr / 4] = value & ESB_PRELOAD_MAX;
        break;
    case 0x8:
        s->irq_active &= !(value & 1);
        break;
    case 0xc:
        if (value & ESB_TIMEOUT) {
            s->timed_out = false;
        }
        if (value & ESB_RELOAD) {
            esb_restart(s);
        }
        break;
    }
}

static void esb_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    I6300State *s = opaque;

    if (addr == 0xc && value == ESB_UNLOCK1) {
        s->unlock = 1;
    } else if (addr == 0xc && value == ESB_UNLOCK2 && s->unlock == 1) {
        s->unlock = 2;
    } else if (s->unlock == 2) {
        s->unlock = 0;
        esb_write_unlocked(s, addr, (uint32_t)value);
    } else {
        s->unlock = 0;
    }
}

static const MemoryRegionOps esb_ops = {
    .read = esb_read,
    .write = esb_write,
    .valid = {1, 4},
    .impl = {1, 4},
};

static bool esb_realize(PCIDevice *dev, GError **error)
{
    I6300State *s = I6300ESB(dev);

    s->timer = device_timer_new(DEVICE(dev), CLOCK_VIRTUAL, esb_expired, s);
    memory_region_init_io(&s->mmio, OBJECT(s), &esb_ops, s, "i6300esb", ESB_MMIO_SIZE);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->mmio);
    pci_set_word(dev->wmask + ESB_CONFIG_REG, ESB_INT_MASK | ESB_FAST | ESB_OUTPUT_OFF);
    dev->wmask[ESB_LOCK_REG] = ESB_LOCK | ESB_ENABLE | ESB_FREE_RUN;
    return true;
}

static void esb_reset(PCIDevice *dev)
{
    I6300State *s = I6300ESB(dev);

    timer_del(s->timer);
    pci_set_word(dev->config + ESB_CONFIG_REG, 0);
    dev->config[ESB_LOCK_REG] = 0;
    s->preload[0] = s->preload[1] = ESB_PRELOAD_MAX;
    s->unlock = s->stage = 0;
    s->irq_active = s->timed_out = false;
}

static const StateField esb_state[] = {
    PCI_STATE_FIELDS(I6300State),
    STATE_FIELD(I6300State, preload),
    STATE_FIELD(I6300State, unlock),
    STATE_FIELD(I6300State, stage),
    STATE_FIELD(I6300State, irq_active),
    STATE_FIELD(I6300State, timed_out),
    STATE_END,
};

static void esb_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = esb_realize;
    pc->reset = esb_reset;
    pc->config_write = esb_config_write;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = PCI_DEVICE_ID_INTEL_ESB_9;
    pc->class_id = PCI_CLASS_SYSTEM_OTHER;
    DEVICE_CLASS(klass)->category = DEVICE_CATEGORY_MISC;
    DEVICE_CLASS(klass)->state = esb_state;
}

static const TypeInfo esb_types[] = {
    {.name = TYPE_I6300ESB,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(I6300State),
     .class_init = esb_class_init,
     .doc = "Intel 6300ESB watchdog"},
};
DEFINE_TYPES(esb_types)
