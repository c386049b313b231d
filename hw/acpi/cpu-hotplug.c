/* SPDX-License-Identifier: MIT
 *
 * CPU hot-plug registers ("QEMU<->ACPI BIOS CPU hotplug interface"):
 *
 *          read                                     write
 *   00     of command 3: upper half of the ID       selector: the CPU that all others are of
 *   04     0 enabled 1 insert event 2 remove event  1, 2 clear that event 3 eject
 *   05     -                                        command
 *   08     data: 0 the CPU selected 3 APIC ID       data: 1 _OST event 2 _OST status
 *
 * Command 0 selects the next CPU that has an event.  Until a 0 is first written to port 0, the
 * block is the older one: a bitmap of the CPUs there are, by APIC ID.
 */
#include "hw/acpi/cpu-hotplug.h"
#include <string.h>
#include "hw/core/hotplug.h"
#include "system/loop/event-loop.h"

enum {
    REG_SELECTOR = 0,
    REG_FLAGS = 4,
    REG_COMMAND = 5,
    REG_DATA = 8,
};

enum { CMD_NEXT = 0, CMD_OST_EVENT = 1, CMD_OST_STATUS = 2, CMD_ID = 3, CMD_COUNT };

#define FLAG_ENABLED 0x01u
#define FLAG_INSERT  0x02u
#define FLAG_REMOVE  0x04u
#define FLAG_EJECT   0x08u

/* ---- reading ---------------------------------------------------------------------- */

static uint64_t read_bitmap(ACPICPUHotplug *s, hwaddr addr)
{
    uint8_t bits = 0;

    for (unsigned i = 0; i < s->machine->nr_cpu_slots; i++) {
        const CPUSlot *slot = &s->machine->cpu_slots[i];

        if (slot->cpu && slot->arch_id / 8 == addr) {
            bits |= (uint8_t)(1u << slot->arch_id % 8);
        }
    }
    return bits;
}

static uint8_t read_flags(const ACPICPUHotplug *s)
{
    const ACPICPUEvents *e = &s->events[s->selector];

    return (s->machine->cpu_slots[s->selector].cpu ? FLAG_ENABLED : 0) |
           (e->inserting ? FLAG_INSERT : 0) | (e->removing ? FLAG_REMOVE : 0);
}

static uint32_t read_data(const ACPICPUHotplug *s)
{
    switch (s->command) {
    case CMD_NEXT:
        return s->selector;
    case CMD_ID:
        return s->machine->cpu_slots[s->selector].arch_id;
    default:
        return 0;
    }
}

static uint64_t hotplug_read(void *opaque, hwaddr addr, unsigned size)
{
    ACPICPUHotplug *s = opaque;

    if (!s->modern) {
        return size == 1 ? read_bitmap(s, addr) : 0;
    }
    if (s->selector >= s->machine->nr_cpu_slots) {
        return 0;
    }
    switch (addr) {
    case REG_FLAGS:
        return read_flags(s);
    case REG_DATA:
        return read_data(s);
    default:
        return 0; /* the upper half of an APIC ID too */
    }
}

/* ---- writing ------------------------------------------------------------------------ */

static void select_next(ACPICPUHotplug *s)
{
    unsigned n = s->machine->nr_cpu_slots;

    for (unsigned i = 0; i < n; i++) {
        unsigned at = (s->selector + i) % n;

        if (s->events[at].inserting || s->events[at].removing) {
            s->selector = at;
            return;
        }
    }
}

/* In the main thread: the CPU's own thread may be the one that ejected it. */
static void eject_cpus(void *opaque)
{
    ACPICPUHotplug *s = opaque;

    for (;;) {
        device_lock(s->dev);
        unsigned slot = s->ejected->len ? g_array_index(s->ejected, unsigned, 0) : UINT_MAX;
        if (s->ejected->len) {
            g_array_remove_index(s->ejected, 0);
        }
        device_unlock(s->dev);
        if (slot == UINT_MAX) {
            return;
        }
        CPUState *cpu = s->machine->cpu_slots[slot].cpu;
        if (cpu) {
            qdev_finish_unplug(DEVICE(cpu));
        }
    }
}

static void write_flags(ACPICPUHotplug *s, uint8_t value)
{
    ACPICPUEvents *e = &s->events[s->selector];

    if (value & FLAG_INSERT) {
        e->inserting = false;
    } else if (value & FLAG_REMOVE) {
        e->removing = false;
    } else if ((value & FLAG_EJECT) && s->selector != 0 &&
               s->machine->cpu_slots[s->selector].cpu) {
        unsigned slot = s->selector;

        e->inserting = e->removing = false;
        g_array_append_val(s->ejected, slot);
        bh_schedule(s->eject_bh);
    }
}

typedef struct OstReport {
    MachineState *machine;
    char *data;
} OstReport;

static void send_ost(void *opaque)
{
    OstReport *report = opaque;

    machine_emit_event(report->machine, "ACPI_DEVICE_OST", report->data);
    g_free(report->data);
    g_free(report);
}

static void report_ost(ACPICPUHotplug *s)
{
    const ACPICPUEvents *e = &s->events[s->selector];
    CPUState *cpu = s->machine->cpu_slots[s->selector].cpu;
    const char *id = cpu ? DEVICE(cpu)->id : NULL;
    g_autofree char *device = id ? g_strdup_printf("\"device\": \"%s\", ", id) : g_strdup("");
    OstReport *report = g_new(OstReport, 1);

    *report = (OstReport){
        s->machine,
        g_strdup_printf("{\"info\": {%s\"slot\": \"%u\", \"slot-type\": \"CPU\", \"source\": %u, "
                        "\"status\": %u}}",
                        device, s->selector, e->ost_event, e->ost_status),
    };
    event_loop_call(s->machine->loop, send_ost, report);
}

static void write_data(ACPICPUHotplug *s, uint32_t value)
{
    if (s->command == CMD_OST_EVENT) {
        s->events[s->selector].ost_event = value;
    } else if (s->command == CMD_OST_STATUS) {
        s->events[s->selector].ost_status = value;
        report_ost(s);
    }
}

static void hotplug_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    ACPICPUHotplug *s = opaque;

    if (!s->modern) {
        s->modern = addr == 0 && value == 0;
        return;
    }
    if (addr == REG_SELECTOR) {
        s->selector = (uint32_t)value;
        return;
    }
    if (s->selector >= s->machine->nr_cpu_slots) {
        return;
    }
    switch (addr) {
    case REG_FLAGS:
        write_flags(s, (uint8_t)value);
        break;
    case REG_COMMAND:
        if (value < CMD_COUNT) {
            s->command = (uint8_t)value;
            if (value == CMD_NEXT) {
                select_next(s);
            }
        }
        break;
    case REG_DATA:
        write_data(s, (uint32_t)value);
        break;
    default:
        break;
    }
}

static const MemoryRegionOps hotplug_ops = {
    .read = hotplug_read,
    .write = hotplug_write,
    .valid = {1, 4, true},
    .impl = {1, 4, true},
};

/* ---- for machines ---------------------------------------------------------------------- */

void acpi_cpu_hotplug_plugged(ACPICPUHotplug *s, CPUState *cpu)
{
    if (!s->dev || !DEVICE(cpu)->hotplugged) {
        return;
    }
    device_lock(s->dev);
    s->events[cpu->cpu_index].inserting = s->modern;
    device_unlock(s->dev);
    s->raise_gpe(s->opaque, ACPI_CPU_HOTPLUG_GPE);
}

bool acpi_cpu_hotplug_request_unplug(ACPICPUHotplug *s, CPUState *cpu, GError **error)
{
    bool modern = false;

    if (s->dev) {
        device_lock(s->dev);
        modern = s->modern;
        if (modern) {
            s->events[cpu->cpu_index].removing = true;
        }
        device_unlock(s->dev);
    }
    if (!modern) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "acpi: device unplug request for not supported device type: %s (the guest has "
                    "not turned CPU hot-unplug on)",
                    object_get_typename(OBJECT(cpu)));
        return false;
    }
    s->raise_gpe(s->opaque, ACPI_CPU_HOTPLUG_GPE);
    return true;
}

void acpi_cpu_hotplug_init(ACPICPUHotplug *s, MachineState *machine, DeviceState *dev,
                           MemoryRegion *io, uint16_t base,
                           void (*raise_gpe)(void *opaque, unsigned n), void *opaque)
{
    s->machine = machine;
    s->dev = dev;
    s->raise_gpe = raise_gpe;
    s->opaque = opaque;
    s->events = g_new0(ACPICPUEvents, machine->nr_cpu_slots);
    s->ejected = g_array_new(FALSE, FALSE, sizeof(unsigned));
    s->eject_bh = bh_new(machine->loop, eject_cpus, s);
    memory_region_init_io(&s->mr, OBJECT(dev), &hotplug_ops, s, "acpi-cpu-hotplug",
                          ACPI_CPU_HOTPLUG_SIZE);
    memory_region_add_subregion(io, base, &s->mr);
}

void acpi_cpu_hotplug_finish(ACPICPUHotplug *s)
{
    if (s->events) {
        bh_free(s->eject_bh);
        g_array_unref(s->ejected);
        g_clear_pointer(&s->events, g_free);
    }
}
