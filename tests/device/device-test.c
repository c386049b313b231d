/* SPDX-License-Identifier: MIT */
#include "device-test.h"

#include <stdarg.h>
#include <string.h>

#include "hw/core/memory-map.h"

static const TypeInfo test_bridge_types[] = {
    {.name = "test-bridge", .parent = TYPE_DEVICE, .instance_size = sizeof(DeviceState)},
};
DEFINE_TYPES(test_bridge_types)

/* ---- lines ----------------------------------------------------------------------- */

static void test_line_handler(void *opaque, int n, int level)
{
    TestLines *lines = opaque;

    lines->sets[n]++;
    lines->rises[n] += level && !lines->level[n];
    lines->level[n] = level;
}

void test_lines_init(TestLines *lines)
{
    memset(lines, 0, sizeof(*lines));
    lines->irqs = irq_new_array(test_line_handler, lines, DEVICE_TEST_LINES);
}

void test_lines_finish(TestLines *lines)
{
    irq_free_array(lines->irqs, DEVICE_TEST_LINES);
}

/* ---- machine --------------------------------------------------------------------- */

DeviceTest *device_test_new(void)
{
    DeviceTest *t = g_new0(DeviceTest, 1);
    GError *error = NULL;

    vmm_thread_register();
    t->machine = machine_new(machine_find_class("none", NULL), &error);
    g_assert_no_error(error);
    vm_clock_set_manual(t->machine->clock);
    cpu_exec_init_all(t->machine);
    test_lines_init(&t->lines);
    t->bridge = DEVICE(object_new_child(OBJECT(t->machine), "bridge", "test-bridge", NULL));
    qdev_realize(t->bridge, NULL, &error);
    g_assert_no_error(error);
    t->isa = isa_bus_new(t->bridge, t->machine->system_memory, t->machine->system_io, &error);
    g_assert_no_error(error);
    isa_bus_register_input_irqs(t->isa, t->lines.irqs);
    return t;
}

void device_test_free(DeviceTest *t)
{
    object_unparent(OBJECT(t->bridge));
    machine_free(t->machine);
    test_lines_finish(&t->lines);
    g_free(t);
    vmm_thread_unregister();
}

static void realize(DeviceTest *t, DeviceState *dev)
{
    const char *bus_type = DEVICE_GET_CLASS(dev)->bus_type;
    BusState *bus = NULL;
    GError *error = NULL;

    if (bus_type) { /* not the ISA bus of a PCI bridge that a test adds */
        bus = g_str_equal(bus_type, TYPE_ISA_BUS) ? BUS(t->isa)
                                                  : qbus_find_by_type(OBJECT(t->machine), bus_type);
    }
    qdev_realize_and_unref(dev, bus, &error);
    g_assert_no_error(error);
}

DeviceState *device_test_add(DeviceTest *t, const char *type)
{
    return device_test_add_with(t, type, NULL);
}

DeviceState *device_test_add_with(DeviceTest *t, const char *type, ...)
{
    GError *error = NULL;
    DeviceState *dev = qdev_new(type, &error);
    const char *setting;
    va_list args;

    g_assert_no_error(error);
    /* In the tree first: links are looked up from where the device is. */
    object_add_child(t->machine->unattached, "test-device[*]", OBJECT(dev), &error);
    g_assert_no_error(error);
    va_start(args, type);
    while ((setting = va_arg(args, const char *))) {
        g_auto(GStrv) pair = g_strsplit(setting, "=", 2);
        object_property_parse(OBJECT(dev), pair[0], pair[1], &error);
        g_assert_no_error(error);
    }
    va_end(args);
    realize(t, dev);
    return dev;
}

/* ---- accesses -------------------------------------------------------------------- */

static uint64_t load(AddressSpace *as, uint64_t addr, unsigned size)
{
    uint64_t value = 0;

    address_space_load(as, addr, &value, size, MEMTXATTRS_NONE);
    return value;
}

uint8_t test_inb(DeviceTest *t, uint16_t port)
{
    return load(&t->machine->address_space_io, port, 1);
}

uint16_t test_inw(DeviceTest *t, uint16_t port)
{
    return load(&t->machine->address_space_io, port, 2);
}

uint32_t test_inl(DeviceTest *t, uint16_t port)
{
    return load(&t->machine->address_space_io, port, 4);
}

void test_outb(DeviceTest *t, uint16_t port, uint8_t value)
{
    address_space_store(&t->machine->address_space_io, port, value, 1, MEMTXATTRS_NONE);
}

void test_outw(DeviceTest *t, uint16_t port, uint16_t value)
{
    address_space_store(&t->machine->address_space_io, port, value, 2, MEMTXATTRS_NONE);
}

void test_outl(DeviceTest *t, uint16_t port, uint32_t value)
{
    address_space_store(&t->machine->address_space_io, port, value, 4, MEMTXATTRS_NONE);
}

uint64_t test_read(DeviceTest *t, uint64_t addr, unsigned size)
{
    return load(&t->machine->address_space_memory, addr, size);
}

void test_write(DeviceTest *t, uint64_t addr, uint64_t value, unsigned size)
{
    address_space_store(&t->machine->address_space_memory, addr, value, size, MEMTXATTRS_NONE);
}

/* ---- time ------------------------------------------------------------------------ */

void test_clock_set(DeviceTest *t, int64_t ns)
{
    vm_clock_advance_to(t->machine->clock, t->machine->loop, ns);
}

void test_clock_step(DeviceTest *t, int64_t ns)
{
    test_clock_set(t, test_clock(t) + ns);
}

int64_t test_clock(DeviceTest *t)
{
    return vm_clock_get_ns(t->machine->clock, CLOCK_VIRTUAL);
}

/* A loop that has no timers lets the time go by. */
void test_clock_jump(DeviceTest *t, int64_t ns)
{
    EventLoop *idle = event_loop_new(NULL, t->machine->clock);

    vm_clock_advance_to(t->machine->clock, idle, test_clock(t) + ns);
    event_loop_free(idle);
    event_loop_run_timers(t->machine->loop);
}

void test_poll(DeviceTest *t)
{
    while (g_main_context_iteration(event_loop_context(t->machine->loop), FALSE)) {
    }
}

void test_reset(DeviceTest *t)
{
    resettable_reset(object_get_root(OBJECT(t->machine)), RESET_COLD);
}

/* ---- random accesses --------------------------------------------------------------- */

static void poke(DeviceTest *t, AddressSpace *as, uint64_t first, uint64_t count, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        unsigned size = 1u << g_test_rand_int_range(0, 3);
        uint64_t addr = first + (uint64_t)g_test_rand_int_range(0, (int)count) / size * size;
        uint64_t value = (uint32_t)g_test_rand_int();

        switch (g_test_rand_int_range(0, 8)) {
        case 0:
            test_clock_step(t, value % 1000000);
            break;
        case 1 ... 3:
            address_space_load(as, addr, &value, size, MEMTXATTRS_NONE);
            break;
        default:
            address_space_store(as, addr, value, size, MEMTXATTRS_NONE);
            break;
        }
    }
}

void test_poke_ports(DeviceTest *t, uint16_t first, unsigned count, unsigned rounds)
{
    poke(t, &t->machine->address_space_io, first, count, rounds);
}

void test_poke_memory(DeviceTest *t, uint64_t first, uint64_t count, unsigned rounds)
{
    poke(t, &t->machine->address_space_memory, first, count, rounds);
}
