/* SPDX-License-Identifier: MIT
 *
 * The ACPI registers of PCI devices and of CPUs that come and go, as the AML uses them.
 */
#include "hw/acpi/acpi-pm.h"
#include "hw/acpi/cpu-hotplug.h"
#include "hw/acpi/pci-hotplug.h"
#include "hw/acpi/piix4-pm.h"
#include "hw/core/cpu.h"
#include "hw/core/hotplug.h"
#include "pci-test.h"
#include "system/runstate.h"

/* ---- PCI ------------------------------------------------------------------------------------ */

#define PM_DEVFN PCI_MAKE_DEVFN(1, 3)
#define UP       ACPI_PCI_HOTPLUG_PIIX_BASE
#define DOWN     (ACPI_PCI_HOTPLUG_PIIX_BASE + 4)
#define EJECT    (ACPI_PCI_HOTPLUG_PIIX_BASE + 8)
#define CAN_GO   (ACPI_PCI_HOTPLUG_PIIX_BASE + 12)
#define SELECT   (ACPI_PCI_HOTPLUG_PIIX_BASE + 16)

typedef struct Fixture {
    PCITest *p;
    DeviceTest *t;
    TestLines lines;
    GString *events;
} Fixture;

static void note_event(void *opaque, const char *event, const char *data)
{
    g_string_append_printf(opaque, "<%s>", event);
}

static void start(Fixture *f)
{
    GError *error = NULL;
    PIIX4PMState *pm;

    f->p = pci_test_new();
    f->t = f->p->t;
    f->events = g_string_new(NULL);
    machine_add_event_listener(f->t->machine, note_event, f->events);
    test_lines_init(&f->lines);
    pm = piix4_pm_create(f->p->bus, PM_DEVFN, f->lines.irqs[0], NULL, &error);
    g_assert_no_error(error);
    acpi_pci_hotplug_number_buses(piix4_pm_pci_hotplug(pm));
    test_reset(f->t);
}

static void stop(Fixture *f)
{
    machine_del_event_listener(f->t->machine, note_event, f->events);
    g_string_free(f->events, TRUE);
    pci_test_free(f->p);
    test_lines_finish(&f->lines);
}

static PCIDevice *add(Fixture *f, int devfn, bool hotplugged)
{
    GError *error = NULL;
    PCIDevice *dev = pci_new(devfn, "edu", &error);

    g_assert_no_error(error);
    dev->multifunction = true;
    dev->parent_obj.hotplugged = hotplugged;
    pci_realize_and_unref(dev, f->p->bus, &error);
    g_assert_no_error(error);
    return dev;
}

static uint8_t gpe_status(Fixture *f)
{
    return test_inb(f->t, PIIX4_GPE_BASE);
}

static void expect_events(Fixture *f, const char *events)
{
    test_poll(f->t);
    g_assert_cmpstr(f->events->str, ==, events);
    g_string_truncate(f->events, 0);
}

static void test_pci_plug(void)
{
    Fixture f;

    start(&f);
    add(&f, PCI_MAKE_DEVFN(5, 0), false); /* at the start: nothing to be told */
    g_assert_cmphex(test_inl(f.t, UP), ==, 0);
    g_assert_cmphex(gpe_status(&f) & 2, ==, 0);
    add(&f, PCI_MAKE_DEVFN(6, 1), true); /* not before there is a function 0 */
    g_assert_cmphex(test_inl(f.t, UP), ==, 0);
    add(&f, PCI_MAKE_DEVFN(6, 0), true);
    add(&f, PCI_MAKE_DEVFN(7, 0), true);
    g_assert_cmphex(gpe_status(&f) & 2, ==, 2);
    g_assert_cmphex(test_inl(f.t, UP), ==, 1u << 6 | 1u << 7);
    g_assert_cmphex(test_inl(f.t, UP), ==, 0); /* reading takes it away */
    g_assert_cmphex(test_inl(f.t, DOWN), ==, 0);
    /* The chipset stays; what is empty or was plugged can be changed. */
    g_assert_cmphex(test_inl(f.t, CAN_GO), ==, ~(1u << 0 | 1u << 1));
    /* Another bus than there are. */
    test_outl(f.t, SELECT, 1);
    g_assert_cmphex(test_inl(f.t, SELECT), ==, 1);
    g_assert_cmphex(test_inl(f.t, UP), ==, 0);
    g_assert_cmphex(test_inl(f.t, CAN_GO), ==, UINT32_MAX);
    test_outl(f.t, EJECT, 1u << 6);
    expect_events(&f, "");
    g_assert_nonnull(f.p->bus->devices[PCI_MAKE_DEVFN(6, 0)]);
    g_assert_cmphex(test_inl(f.t, EJECT), ==, 0);
    test_reset(f.t);
    g_assert_cmphex(test_inl(f.t, SELECT), ==, 0);
    stop(&f);
}

static void test_pci_unplug(void)
{
    Fixture f;
    PCIDevice *dev;
    BusState *bus;

    start(&f);
    add(&f, PCI_MAKE_DEVFN(6, 1), true);
    dev = add(&f, PCI_MAKE_DEVFN(6, 0), true);
    bus = &f.p->bus->parent_obj;
    g_assert_true(qbus_is_hotpluggable(bus));
    g_assert_true(bus->hotplug->unplug_request(bus->hotplug_opaque, &dev->parent_obj, NULL));
    g_assert_cmphex(test_inl(f.t, DOWN), ==, 1u << 6);
    g_assert_cmphex(test_inl(f.t, DOWN), ==, 1u << 6); /* it stays until it is ejected */
    expect_events(&f, "");
    test_outl(f.t, EJECT, 1u << 6 | 1u << 9);
    expect_events(&f, "<DEVICE_DELETED><DEVICE_DELETED>");
    g_assert_null(f.p->bus->devices[PCI_MAKE_DEVFN(6, 0)]);
    g_assert_null(f.p->bus->devices[PCI_MAKE_DEVFN(6, 1)]);
    g_assert_cmphex(test_inl(f.t, DOWN), ==, 0);
    /* The chipset does not go, whatever is written. */
    test_outl(f.t, EJECT, 3);
    expect_events(&f, "");
    g_assert_nonnull(f.p->bus->devices[PM_DEVFN]);
    /* What was asked for goes with a reset at the latest. */
    dev = add(&f, PCI_MAKE_DEVFN(8, 0), true);
    g_assert_true(bus->hotplug->unplug_request(bus->hotplug_opaque, &dev->parent_obj, NULL));
    test_reset(f.t);
    expect_events(&f, "<DEVICE_DELETED>");
    g_assert_null(f.p->bus->devices[PCI_MAKE_DEVFN(8, 0)]);
    stop(&f);
}

/* ---- CPUs ----------------------------------------------------------------------------------- */

#define CPU_BASE ACPI_CPU_HOTPLUG_PIIX_BASE
#define CPUS     4

enum { SELECTOR = CPU_BASE, FLAGS = CPU_BASE + 4, COMMAND = CPU_BASE + 5, DATA = CPU_BASE + 8 };

static bool test_cpu_realize(DeviceState *dev, GError **error)
{
    return cpu_exec_realizefn(CPU(dev), error);
}

static void test_cpu_class_init(ObjectClass *klass, const void *data)
{
    DEVICE_CLASS(klass)->realize = test_cpu_realize;
}

static const TypeInfo test_cpu_types[] = {
    {.name = "test-hotplug-cpu",
     .parent = TYPE_CPU,
     .instance_size = sizeof(CPUState),
     .class_init = test_cpu_class_init},
};
DEFINE_TYPES(test_cpu_types)

typedef struct CPUFixture {
    DeviceTest *t;
    ACPICPUHotplug hotplug;
    unsigned gpes;
    GString *events;
} CPUFixture;

static void count_gpe(void *opaque, unsigned n)
{
    g_assert_cmpuint(n, ==, ACPI_CPU_HOTPLUG_GPE);
    ((CPUFixture *)opaque)->gpes++;
}

static CPUState *add_cpu(CPUFixture *f, unsigned n, bool hotplugged)
{
    CPUState *cpu = CPU(qdev_new("test-hotplug-cpu", NULL));
    GError *error = NULL;

    object_add_child(f->t->machine->unattached, "cpu[*]", OBJECT(cpu), NULL);
    cpu->cpu_index = (int)n;
    DEVICE(cpu)->hotplugged = hotplugged;
    f->t->machine->cpu_slots[n].cpu = cpu;
    qdev_realize_and_unref(DEVICE(cpu), NULL, &error);
    g_assert_no_error(error);
    acpi_cpu_hotplug_plugged(&f->hotplug, cpu);
    return cpu;
}

/* Four slots whose APIC IDs are 0, 2, 4 and 9; the first two have a CPU. */
static void cpu_start(CPUFixture *f)
{
    static const uint32_t ids[CPUS] = {0, 2, 4, 9};
    MachineState *machine;

    *f = (CPUFixture){.t = device_test_new(), .events = g_string_new(NULL)};
    machine = f->t->machine;
    machine->cpu_slots = g_new0(CPUSlot, CPUS);
    machine->nr_cpu_slots = CPUS;
    for (unsigned i = 0; i < CPUS; i++) {
        machine->cpu_slots[i].arch_id = ids[i];
    }
    machine_add_event_listener(machine, note_event, f->events);
    acpi_cpu_hotplug_init(&f->hotplug, machine, f->t->bridge, machine->system_io, CPU_BASE,
                          count_gpe, f);
    add_cpu(f, 0, false);
    add_cpu(f, 1, false);
    g_assert_cmpuint(f->gpes, ==, 0);
}

static void cpu_stop(CPUFixture *f)
{
    machine_del_event_listener(f->t->machine, note_event, f->events);
    g_string_free(f->events, TRUE);
    memory_region_del_subregion(f->t->machine->system_io, &f->hotplug.mr);
    acpi_cpu_hotplug_finish(&f->hotplug);
    memory_region_finish(&f->hotplug.mr);
    device_test_free(f->t);
}

static void go_modern(CPUFixture *f)
{
    test_outl(f->t, SELECTOR, 0);
}

/* The older interface: a bit for each APIC ID there is. */
static void test_cpu_bitmap(void)
{
    CPUFixture f;
    CPUState *cpu;
    g_autoptr(GError) error = NULL;

    cpu_start(&f);
    g_assert_cmphex(test_inb(f.t, CPU_BASE), ==, 0x05);
    g_assert_cmphex(test_inb(f.t, CPU_BASE + 1), ==, 0x00);
    cpu = add_cpu(&f, 3, true);
    g_assert_cmpuint(f.gpes, ==, 1);
    g_assert_cmphex(test_inb(f.t, CPU_BASE), ==, 0x05);
    g_assert_cmphex(test_inb(f.t, CPU_BASE + 1), ==, 0x02);
    test_outb(f.t, CPU_BASE, 5); /* only a 0 turns the newer one on */
    g_assert_cmphex(test_inb(f.t, CPU_BASE), ==, 0x05);
    /* Nobody would take it away. */
    g_assert_false(acpi_cpu_hotplug_request_unplug(&f.hotplug, cpu, &error));
    g_assert_nonnull(error);
    cpu_stop(&f);
}

static void test_cpu_plug(void)
{
    CPUFixture f;

    cpu_start(&f);
    go_modern(&f);
    g_assert_cmphex(test_inb(f.t, FLAGS), ==, 1);
    add_cpu(&f, 2, true);
    g_assert_cmpuint(f.gpes, ==, 1);
    /* Command 0 finds the CPU with an event; command 3 tells its APIC ID. */
    test_outb(f.t, COMMAND, 0);
    g_assert_cmphex(test_inl(f.t, DATA), ==, 2);
    g_assert_cmphex(test_inb(f.t, FLAGS), ==, 3);
    test_outb(f.t, COMMAND, 3);
    g_assert_cmphex(test_inl(f.t, DATA), ==, 4);
    g_assert_cmphex(test_inl(f.t, CPU_BASE), ==, 0); /* the ID's upper half */
    test_outb(f.t, FLAGS, 2);
    g_assert_cmphex(test_inb(f.t, FLAGS), ==, 1);
    /* There is no other: the selector stays. */
    test_outb(f.t, COMMAND, 0);
    g_assert_cmphex(test_inl(f.t, DATA), ==, 2);
    test_outb(f.t, COMMAND, 4); /* no such command: 0 goes on */
    g_assert_cmphex(test_inl(f.t, DATA), ==, 2);
    test_outb(f.t, COMMAND, 1);
    g_assert_cmphex(test_inl(f.t, DATA), ==, 0);
    test_outl(f.t, SELECTOR, 3);
    g_assert_cmphex(test_inb(f.t, FLAGS), ==, 0); /* a slot that is empty */
    test_outl(f.t, SELECTOR, CPUS);
    g_assert_cmphex(test_inb(f.t, FLAGS), ==, 0);
    test_outb(f.t, COMMAND, 3);
    g_assert_cmphex(test_inl(f.t, DATA), ==, 0);
    cpu_stop(&f);
}

static void test_cpu_unplug(void)
{
    CPUFixture f;
    CPUState *cpu;

    cpu_start(&f);
    go_modern(&f);
    cpu = add_cpu(&f, 3, true);
    test_outl(f.t, SELECTOR, 3);
    test_outb(f.t, FLAGS, 2);
    g_assert_true(acpi_cpu_hotplug_request_unplug(&f.hotplug, cpu, NULL));
    g_assert_cmpuint(f.gpes, ==, 2);
    test_outl(f.t, SELECTOR, 0);
    test_outb(f.t, COMMAND, 0);
    g_assert_cmphex(test_inl(f.t, DATA), ==, 3);
    g_assert_cmphex(test_inb(f.t, FLAGS), ==, 5);
    test_outb(f.t, FLAGS, 4);
    g_assert_cmphex(test_inb(f.t, FLAGS), ==, 1);
    /* What the guest says of it goes to the management: _OST. */
    test_outb(f.t, COMMAND, 1);
    test_outl(f.t, DATA, 3);
    test_outb(f.t, COMMAND, 2);
    test_outl(f.t, DATA, 0x84);
    test_poll(f.t);
    g_assert_cmpstr(f.events->str, ==, "<ACPI_DEVICE_OST>");
    g_string_truncate(f.events, 0);
    test_outb(f.t, FLAGS, 8);
    g_assert_cmphex(test_inb(f.t, FLAGS), ==, 1); /* not within the guest's access */
    test_poll(f.t);
    g_assert_cmphex(test_inb(f.t, FLAGS), ==, 0);
    g_assert_null(f.t->machine->cpu_slots[3].cpu);
    test_poll(f.t);
    g_assert_cmpstr(f.events->str, ==, "<DEVICE_DELETED>");
    /* The first CPU stays. */
    test_outl(f.t, SELECTOR, 0);
    test_outb(f.t, FLAGS, 8);
    test_poll(f.t);
    g_assert_cmphex(test_inb(f.t, FLAGS), ==, 1);
    cpu_stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hotplug/pci/plug", test_pci_plug);
    g_test_add_func("/hotplug/pci/unplug", test_pci_unplug);
    g_test_add_func("/hotplug/cpu/bitmap", test_cpu_bitmap);
    g_test_add_func("/hotplug/cpu/plug", test_cpu_plug);
    g_test_add_func("/hotplug/cpu/unplug", test_cpu_unplug);
    return g_test_run();
}
