/* SPDX-License-Identifier: MIT
 *
 * Standard hot-plug controller (SHPC 1.0, 4.8).  Working registers, in BAR 0 and through the DWORD select
 * and data of the capability:
 *
 *   00  base offset            04  slots at 33 MHz          0c  slot configuration
 *   10  bus mode               13  programming interface    14  command, and its slot
 *   16  status of the command  18  who interrupts           1c  who asks for SERR
 *   20  masks 3-0, command completed 16
 *   24 + 4 * (n - 1)  slot n:
 *       1-0 state  3-2 power indicator  5-4 attention indicator  8 latch open  11-10 present (3: not)
 *       16 presence changed  18 button pressed  19 latch changed  24-30 masks of 16-20
 *
 * A slot is connected to the bus while it is enabled.  Commands take no time.
 */
#include <string.h>
#include "hw/pci-bridge/shpc.h"
#include "hw/core/hotplug.h"
#include "hw/pci/pci-internal.h"
#include "system/log.h"

#define CAP         0x40
#define CAP_ID      0x0c
#define CAP_SIZE    8
#define CAP_SELECT  2
#define CAP_PENDING 3
#define CAP_DATA    4
#define CAP_CIP     0x80 /* an interrupt is pending */

#define REG_33MHZ      0x04u
#define REG_CONFIG     0x0cu
#define REG_INTERFACE  0x13u
#define REG_COMMAND    0x14u
#define REG_STATUS     0x16u
#define REG_INTERRUPTS 0x18u
#define REG_MASKS      0x20u
#define REG_SLOT(n)    (0x24u + 4 * ((n) - 1))

/* Slot n is device n and physically numbered n; latch sensor, attention button. */
#define CONFIG (SHPC_SLOTS | 1u << 8 | 1u << 16 | 1u << 29 | 1u << 30 | 1u << 31)

#define MASK_INTERRUPT    (1u << 0)
#define MASK_COMMAND      (1u << 2)
#define MASKS             0xfu
#define COMMAND_COMPLETED (1u << 16)
#define MASKS_W1C         (3u << 16)

#define STATUS_LATCH_OPEN 2
#define STATUS_INVALID    4
#define STATUS_BAD_SPEED  8

#define SLOT_STATE      3u
#define SLOT_POWER_ONLY 1u
#define SLOT_ENABLED    2u
#define SLOT_DISABLED   3u
#define SLOT_POWER_LED  (3u << 2)
#define POWER_LED_ON    (1u << 2)
#define POWER_LED_BLINK (2u << 2)
#define POWER_LED_OFF   (3u << 2)
#define SLOT_LEDS       (0xfu << 2)
#define SLOT_LATCH_OPEN (1u << 8)
#define SLOT_EMPTY      (3u << 10)
#define SLOT_PRESENCE   (SLOT_LATCH_OPEN | SLOT_EMPTY)
#define PRESENCE_EVENT  (1u << 16)
#define BUTTON_EVENT    (1u << 18)
#define LATCH_EVENT     (1u << 19)
#define SLOT_EVENTS     (0x1fu << 16)
#define SLOT_MASKS      (0x7fu << 24)

#define UNPLUG_PATIENCE (5 * NANOSECONDS_PER_SECOND)

static const HotplugOps shpc_hotplug;

static PCIDevice *shpc_device(const SHPCBridge *s)
{
    return (PCIDevice *)&s->parent_obj.parent_obj;
}

static PCIBus *shpc_bus(const SHPCBridge *s)
{
    return s->parent_obj.sec_bus;
}

static PCIDevice *slot_device(const SHPCBridge *s, unsigned slot)
{
    return shpc_bus(s)->devices[PCI_MAKE_DEVFN(slot, 0)];
}

static uint32_t reg_get(const SHPCBridge *s, unsigned reg)
{
    return pci_get_long(s->registers + reg);
}

static void reg_set(SHPCBridge *s, unsigned reg, uint32_t bits, uint32_t value)
{
    pci_set_long(s->registers + reg, (reg_get(s, reg) & ~bits) | (value & bits));
}

static unsigned selected(const SHPCBridge *s)
{
    return 4u * shpc_device(s)->config[s->cap + CAP_SELECT];
}

/* The data register of the capability shows the selected one. */
static void update_window(SHPCBridge *s)
{
    pci_set_long(shpc_device(s)->config + s->cap + CAP_DATA,
                 selected(s) < SHPC_REGISTERS ? reg_get(s, selected(s)) : 0);
}

/* ---- interrupts ---------------------------------------------------------------------------- */

/* Masked events do not count. */
static uint32_t interrupters(const SHPCBridge *s)
{
    uint32_t masks = reg_get(s, REG_MASKS), who = 0;

    who |= (masks & COMMAND_COMPLETED) && !(masks & MASK_COMMAND);
    for (unsigned slot = 1; slot <= SHPC_SLOTS; slot++) {
        uint32_t reg = reg_get(s, REG_SLOT(slot));

        if (reg & SLOT_EVENTS & ~(reg >> 8)) {
            who |= 1u << slot;
        }
    }
    return who;
}

static void update_interrupt(SHPCBridge *s)
{
    uint32_t who = interrupters(s);
    bool level = who && !(reg_get(s, REG_MASKS) & MASK_INTERRUPT);

    pci_set_long(s->registers + REG_INTERRUPTS, who);
    shpc_device(s)->config[s->cap + CAP_PENDING] = who ? CAP_CIP : 0;
    if (level && !s->interrupt && msi_enabled(shpc_device(s))) {
        msi_notify(shpc_device(s), 0);
    }
    s->interrupt = level;
    pci_set_irq(shpc_device(s), level && !msi_enabled(shpc_device(s)));
    update_window(s);
}

/* ---- slots ----------------------------------------------------------------------------------- */

static bool slot_is_off(uint32_t reg)
{
    return (reg & (SLOT_STATE | SLOT_POWER_LED)) == (SLOT_DISABLED | POWER_LED_OFF);
}

static void slot_update_power(SHPCBridge *s, unsigned slot)
{
    bool on = (reg_get(s, REG_SLOT(slot)) & SLOT_STATE) == SLOT_ENABLED;

    for (int func = 0; func < PCI_FUNC_MAX; func++) {
        PCIDevice *dev = shpc_bus(s)->devices[PCI_MAKE_DEVFN(slot, func)];

        if (dev) {
            pci_set_power(dev, on);
        }
    }
}

/* All functions go, the first one last. */
static void slot_eject(SHPCBridge *s, unsigned slot, void (*finish)(DeviceState *))
{
    for (int func = PCI_FUNC_MAX - 1; func >= 0; func--) {
        PCIDevice *dev = shpc_bus(s)->devices[PCI_MAKE_DEVFN(slot, func)];

        if (dev && DEVICE_GET_CLASS(dev)->hotpluggable) {
            finish(&dev->parent_obj);
        }
    }
}

/* ---- commands (4.8.1) ------------------------------------------------------------------------ */

/* Fields of a command that are 0 leave things as they are. */
static uint8_t slot_command(SHPCBridge *s, unsigned slot, uint8_t command)
{
    uint32_t old = slot >= 1 && slot <= SHPC_SLOTS ? reg_get(s, REG_SLOT(slot)) : 0, bits = 0;
    unsigned state = command & SLOT_STATE;

    if (!old || (state == SLOT_POWER_ONLY && (old & SLOT_STATE) == SLOT_ENABLED)) {
        return STATUS_INVALID;
    }
    if ((state == SLOT_POWER_ONLY || state == SLOT_ENABLED) && (old & SLOT_LATCH_OPEN)) {
        return STATUS_LATCH_OPEN;
    }
    for (unsigned field = 0; field < 6; field += 2) {
        bits |= (command & 3u << field) ? 3u << field : 0;
    }
    reg_set(s, REG_SLOT(slot), bits, command);
    slot_update_power(s, slot);
    if (slot_is_off(reg_get(s, REG_SLOT(slot))) && !slot_is_off(old) && slot_device(s, slot)) {
        log_if(LOG_PCI, "pci: the guest turns slot %u of bus '%s' off\n", slot,
               OBJECT(shpc_bus(s))->name);
        slot_eject(s, slot, qdev_finish_unplug_later);
    }
    return 0;
}

static uint8_t all_slots(SHPCBridge *s, uint8_t command)
{
    for (unsigned slot = 1; slot <= SHPC_SLOTS; slot++) {
        if (slot_device(s, slot)) {
            slot_command(s, slot, command);
        }
    }
    return 0;
}

static uint8_t run_command(SHPCBridge *s, uint8_t command, unsigned slot)
{
    if (command < 0x40) {
        return slot_command(s, slot, command);
    }
    if (command < 0x48) { /* bus speed and mode: conventional, 33 MHz */
        return command == 0x40 ? 0 : STATUS_BAD_SPEED;
    }
    return command == 0x48   ? all_slots(s, SLOT_POWER_ONLY | POWER_LED_ON)
           : command == 0x49 ? all_slots(s, SLOT_ENABLED | POWER_LED_ON)
                             : STATUS_INVALID;
}

/* ---- registers -------------------------------------------------------------------------------- */

static uint8_t writable(unsigned reg)
{
    static const uint32_t masks = MASKS, slot = SLOT_MASKS;
    unsigned shift = 8 * (reg & 3);

    if (reg >= REG_SLOT(1)) {
        return (uint8_t)(slot >> shift);
    }
    return (reg & ~3u) == REG_MASKS ? (uint8_t)(masks >> shift) : (reg & ~1u) == REG_COMMAND ? 0xff : 0;
}

static uint8_t cleared_by_1(unsigned reg)
{
    uint32_t bits = reg >= REG_SLOT(1) ? SLOT_EVENTS : (reg & ~3u) == REG_MASKS ? MASKS_W1C : 0;

    return (uint8_t)(bits >> 8 * (reg & 3));
}

static void write_registers(SHPCBridge *s, unsigned reg, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size && reg + i < SHPC_REGISTERS; i++) {
        uint8_t *byte = &s->registers[reg + i], data = (uint8_t)(value >> 8 * i);
        uint8_t mask = writable(reg + i);

        *byte = (uint8_t)((*byte & ~mask) | (data & mask));
        *byte &= (uint8_t)~(data & cleared_by_1(reg + i));
    }
    if (pci_range_covers(reg, size, REG_COMMAND, 1)) {
        pci_set_word(s->registers + REG_STATUS,
                     run_command(s, s->registers[REG_COMMAND], s->registers[REG_COMMAND + 1] & 0x1f));
        reg_set(s, REG_MASKS, COMMAND_COMPLETED, COMMAND_COMPLETED);
    }
    update_interrupt(s);
}

static uint64_t shpc_read(void *opaque, hwaddr addr, unsigned size)
{
    SHPCBridge *s = opaque;
    uint64_t value = 0;

    for (unsigned i = 0; i < size && addr + i < SHPC_REGISTERS; i++) {
        value |= (uint64_t)s->registers[addr + i] << 8 * i;
    }
    return value;
}

static void shpc_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    SHPCBridge *s = opaque;

    device_lock(DEVICE(s));
    write_registers(s, (unsigned)addr, value, size);
    device_unlock(DEVICE(s));
}

/* Slots come and go under the big lock. */
static const MemoryRegionOps shpc_ops = {
    .read = shpc_read,
    .write = shpc_write,
    .valid = {1, 4, true},
    .impl = {1, 4, true},
    .lock = MR_LOCK_BIG,
};

/* What is written to the data register goes to the selected one. */
static void shpc_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    SHPCBridge *s = SHPC_BRIDGE(dev);
    uint32_t data = s->cap + CAP_DATA, from = MAX(addr, data), to = MIN(addr + len, data + 4);

    pci_bridge_write_config(dev, addr, value, len);
    if (!s->cap || !pci_range_covers(addr, len, s->cap, CAP_SIZE)) {
        return;
    }
    if (from < to && selected(s) < SHPC_REGISTERS) {
        write_registers(s, selected(s) + from - data,
                        pci_get_long(dev->config + data) >> 8 * (from - data), to - from);
    }
    update_window(s);
}

/* ---- coming and going -------------------------------------------------------------------------- */

/* Of those that come to a running machine, the guest is told: they wait for it. */
static bool slot_waits_for_guest(const SHPCBridge *s, unsigned slot)
{
    return shpc_bus(s)->parent_obj.hotplug == &shpc_hotplug &&
           slot_device(s, slot)->parent_obj.hotplugged;
}

static void shpc_bus_changed(PCIDevice *dev, bool came)
{
    SHPCBridge *s = SHPC_BRIDGE(dev);

    for (unsigned slot = 1; s->cap && slot <= SHPC_SLOTS; slot++) {
        bool was = !(reg_get(s, REG_SLOT(slot)) & SLOT_LATCH_OPEN), is = slot_device(s, slot);

        if (was != is) {
            bool on = is && !slot_waits_for_guest(s, slot);

            reg_set(s, REG_SLOT(slot), SLOT_PRESENCE | SLOT_STATE | SLOT_POWER_LED,
                    (is ? 0 : SLOT_PRESENCE) |
                        (on ? SLOT_ENABLED | POWER_LED_ON : SLOT_DISABLED | POWER_LED_OFF));
        }
        slot_update_power(s, slot);
    }
}

static void slot_event(SHPCBridge *s, DeviceState *dev, uint32_t events)
{
    device_lock(DEVICE(s));
    reg_set(s, REG_SLOT(PCI_DEVFN_SLOT(PCI_DEVICE(dev)->devfn)), events, events);
    update_interrupt(s);
    device_unlock(DEVICE(s));
}

static bool shpc_pre_plug(void *opaque, DeviceState *dev, GError **error)
{
    if (PCI_DEVFN_SLOT(PCI_DEVICE(dev)->devfn) == 0) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "Unsupported PCI slot 0 for standard hotplug controller. Valid slots are between "
                    "1 and %d.",
                    SHPC_SLOTS);
        return false;
    }
    return true;
}

/* Function 0 comes last: with it the guest can find all of them. */
static void shpc_plug(void *opaque, DeviceState *dev)
{
    if (dev->hotplugged && PCI_DEVFN_FUNC(PCI_DEVICE(dev)->devfn) == 0) {
        slot_event(opaque, dev, PRESENCE_EVENT | BUTTON_EVENT | LATCH_EVENT);
    }
}

static bool shpc_unplug_request(void *opaque, DeviceState *dev, GError **error)
{
    SHPCBridge *s = opaque;
    uint32_t reg = reg_get(s, REG_SLOT(PCI_DEVFN_SLOT(PCI_DEVICE(dev)->devfn)));

    if (slot_is_off(reg)) { /* the guest has not taken it */
        qdev_finish_unplug(dev);
        return true;
    }
    if ((reg & SLOT_POWER_LED) == POWER_LED_BLINK) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "Hot-unplug failed: guest is busy (power indicator blinking)");
        return false;
    }
    dev->pending_deleted = true;
    dev->pending_deleted_until = device_clock_ns(dev, CLOCK_REALTIME_NS) + UNPLUG_PATIENCE;
    slot_event(s, dev, BUTTON_EVENT);
    return true;
}

static void shpc_unplugged(void *opaque, DeviceState *dev)
{
    slot_event(opaque, dev, PRESENCE_EVENT | LATCH_EVENT);
}

static const HotplugOps shpc_hotplug = {
    .pre_plug = shpc_pre_plug,
    .plug = shpc_plug,
    .unplug_request = shpc_unplug_request,
    .unplugged = shpc_unplugged,
};

/* ---- life ----------------------------------------------------------------------------------- */

/* Of the registers; the bridge's own are reset before. */
static void reset_registers(SHPCBridge *s)
{
    memset(s->registers, 0, sizeof(s->registers));
    pci_set_long(s->registers + REG_33MHZ, SHPC_SLOTS);
    pci_set_long(s->registers + REG_CONFIG, CONFIG);
    s->registers[REG_INTERFACE] = 1;
    pci_set_long(s->registers + REG_MASKS, MASKS);
    for (unsigned slot = 1; slot <= SHPC_SLOTS; slot++) {
        bool is = slot_device(s, slot);

        pci_set_long(s->registers + REG_SLOT(slot),
                     SLOT_MASKS | (is ? SLOT_ENABLED | POWER_LED_ON
                                      : SLOT_DISABLED | POWER_LED_OFF | SLOT_PRESENCE));
        slot_update_power(s, slot);
    }
    update_interrupt(s);
}

static void shpc_reset(PCIDevice *dev)
{
    pci_bridge_reset(dev);
    if (SHPC_BRIDGE(dev)->cap) {
        reset_registers(SHPC_BRIDGE(dev));
    }
}

/* What waits for the guest to let go of it goes. */
static void shpc_reset_exit(DeviceState *bridge)
{
    SHPCBridge *s = SHPC_BRIDGE(bridge);

    for (unsigned slot = 1; s->cap && slot <= SHPC_SLOTS; slot++) {
        PCIDevice *dev = slot_device(s, slot);

        if (dev && dev->parent_obj.pending_deleted &&
            shpc_bus(s)->parent_obj.hotplug == &shpc_hotplug) {
            slot_eject(s, slot, qdev_finish_unplug);
        }
    }
}

bool shpc_init(SHPCBridge *s, GError **error)
{
    PCIDevice *dev = shpc_device(s);

    if (!pci_add_capability(dev, CAP_ID, CAP, CAP_SIZE, error)) {
        return false;
    }
    s->cap = CAP;
    dev->wmask[CAP + CAP_SELECT] = 0xff;
    pci_set_long(dev->wmask + CAP + CAP_DATA, UINT32_MAX);
    dev->config[PCI_INTERRUPT_PIN] = 1;
    memory_region_init_io(&s->mmio, OBJECT(s), &shpc_ops, s, "shpc", 256);
    pci_register_bar(dev, 0, PCI_BASE_ADDRESS_MEM_TYPE_64, &s->mmio);
    shpc_bus(s)->devfn_min = PCI_MAKE_DEVFN(1, 0);
    qbus_set_hotplug(&shpc_bus(s)->parent_obj, &shpc_hotplug, s);
    reset_registers(s);
    return true;
}

static void shpc_bridge_class_init(ObjectClass *klass, const void *data)
{
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->config_write = shpc_write_config;
    pc->reset = shpc_reset;
    pc->bus_changed = shpc_bus_changed;
    DEVICE_CLASS(klass)->reset_exit = shpc_reset_exit;
}

static const TypeInfo shpc_bridge_types[] = {
    {
     .name = TYPE_SHPC_BRIDGE,
     .parent = TYPE_PCI_BRIDGE,
     .instance_size = sizeof(SHPCBridge),
     .abstract = true,
     .class_init = shpc_bridge_class_init,
     .doc = "A bridge to conventional PCI, with or without a standard hot-plug controller",
     },
};

DEFINE_TYPES(shpc_bridge_types)
