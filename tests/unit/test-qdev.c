/* SPDX-License-Identifier: MIT
 *
 * The life of a device: realize, its undoing, buses, lines, reset.
 */
#include "hw/core/machine.h"

#define TYPE_TEST_BUS "test-bus"

typedef struct TestDev {
    SysBusDevice parent_obj;
    MemoryRegion mmio;
    IRQ irq;
    uint32_t value;
    bool fail;
    GString *log;
    int level[4];
} TestDev;
#define TEST_DEV(obj) OBJECT_CHECK(TestDev, obj, "test-dev")

static uint64_t test_read(void *opaque, hwaddr addr, unsigned size)
{
    (void)addr, (void)size;
    return TEST_DEV(opaque)->value;
}

static void test_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    TestDev *d = opaque;

    (void)addr, (void)size;
    d->value = (uint32_t)data;
    irq_set(d->irq, data != 0);
}

static const MemoryRegionOps test_ops = {.read = test_read, .write = test_write};

static void undone(void *opaque)
{
    TEST_DEV(opaque)->value = 77;
}

static bool test_realize(DeviceState *dev, GError **error)
{
    TestDev *d = TEST_DEV(dev);

    memory_region_init_io(&d->mmio, OBJECT(d), &test_ops, d, "test", 16);
    sysbus_init_mmio(SYS_BUS_DEVICE(d), &d->mmio);
    sysbus_init_irq(SYS_BUS_DEVICE(d), &d->irq);
    qdev_on_unrealize(dev, undone, d);
    if (d->fail) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "it was told to fail");
    }
    return !d->fail;
}

static void log_phase(DeviceState *dev, const char *phase)
{
    if (TEST_DEV(dev)->log) {
        g_string_append_printf(TEST_DEV(dev)->log, "%s%s ", dev->id ? dev->id : "", phase);
    }
}

static void test_enter(DeviceState *dev, ResetType type)
{
    (void)type;
    log_phase(dev, "enter");
}

static void test_hold(DeviceState *dev)
{
    log_phase(dev, "hold");
}

static void test_exit(DeviceState *dev)
{
    log_phase(dev, "exit");
}

static void test_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    (void)data;
    dc->realize = test_realize;
    dc->reset_enter = test_enter;
    dc->reset_hold = test_hold;
    dc->reset_exit = test_exit;
}

static const Property test_props[] = {
    DEFINE_PROP_UINT32("value", TestDev, value, 5, "Value"),
    DEFINE_PROP_BOOL("fail", TestDev, fail, false, "Whether realize fails"),
    DEFINE_PROP_END,
};

static void plug_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    DEVICE_CLASS(klass)->bus_type = TYPE_TEST_BUS;
}

static void bus_class_init(ObjectClass *klass, const void *data)
{
    (void)data;
    BUS_CLASS(klass)->max_dev = 1;
}

static const TypeInfo types[] = {
    {.name = "test-dev",
     .parent = TYPE_SYS_BUS_DEVICE,
     .instance_size = sizeof(TestDev),
     .class_init = test_class_init,
     .properties = test_props},
    {.name = "test-plug",
     .parent = TYPE_DEVICE,
     .instance_size = sizeof(DeviceState),
     .class_init = plug_class_init},
    {.name = TYPE_TEST_BUS,
     .parent = TYPE_BUS,
     .instance_size = sizeof(BusState),
     .class_init = bus_class_init},
};
DEFINE_TYPES(types)

static MachineState *machine_for_test(void)
{
    MachineState *m = machine_new(machine_find_class("none", NULL), NULL);

    memory_region_init(m->system_memory = g_new0(MemoryRegion, 1), OBJECT(m), "system", UINT64_MAX);
    address_space_init(&m->address_space_memory, m->system_memory, "memory");
    return m;
}

static TestDev *dev_new(MachineState *m, const char *name)
{
    return TEST_DEV(object_new_child(OBJECT(m), name, "test-dev", NULL));
}

static void on_irq(void *opaque, int n, int level)
{
    (void)n;
    *(int *)opaque = level;
}

static uint64_t load(MachineState *m, hwaddr addr)
{
    uint64_t v;

    address_space_load(&m->address_space_memory, addr, &v, 4, MEMTXATTRS_NONE);
    return v;
}

static void test_life(void)
{
    MachineState *m = machine_for_test();
    TestDev *d = dev_new(m, "d");
    g_autoptr(GError) error = NULL;
    int level = -1;
    IRQ irq = irq_new(on_irq, &level, 0);

    g_assert_true(object_property_set_uint(OBJECT(d), "addr", 0x1000, NULL));
    g_assert_true(qdev_realize(DEVICE(d), NULL, NULL));
    sysbus_connect_irq(SYS_BUS_DEVICE(d), 0, irq);
    g_assert_cmphex(load(m, 0x1000), ==, 5);
    address_space_store(&m->address_space_memory, 0x1004, 9, 4, MEMTXATTRS_NONE);
    g_assert_cmpint(level, ==, 1);
    g_assert_false(object_property_set_uint(OBJECT(d), "value", 1, &error));
    g_assert_nonnull(strstr(error->message, "in use"));

    qdev_unrealize(DEVICE(d));
    g_assert_cmpuint(d->value, ==, 77);
    g_assert_cmphex(load(m, 0x1000), ==, 0xffffffff);
    g_assert_true(qdev_realize(DEVICE(d), NULL, NULL)); /* and again */
    g_assert_cmphex(load(m, 0x1000), ==, 77);
    machine_free(m);
    irq_unref(irq);
}

static void test_failure(void)
{
    MachineState *m = machine_for_test();
    TestDev *d = dev_new(m, "d");
    g_autoptr(GError) error = NULL;

    object_property_set_uint(OBJECT(d), "addr", 0x1000, NULL);
    object_property_set_bool(OBJECT(d), "fail", true, NULL);
    g_assert_false(qdev_realize(DEVICE(d), NULL, &error));
    g_assert_cmpstr(error->message, ==, "it was told to fail");
    g_clear_error(&error);
    g_assert_cmpuint(d->value, ==, 77);
    g_assert_cmphex(load(m, 0x1000), ==, 0xffffffff);
    object_property_set_bool(OBJECT(d), "fail", false, NULL);
    object_property_set_int(OBJECT(d), "irq", 3, NULL);
    g_assert_false(qdev_realize(DEVICE(d), NULL, &error));
    g_assert_nonnull(strstr(error->message, "interrupt lines"));
    machine_free(m);
}

static void test_bus(void)
{
    MachineState *m = machine_for_test();
    TestDev *d = dev_new(m, "d");
    g_autoptr(GError) error = NULL;

    g_assert_true(qdev_realize(DEVICE(d), NULL, NULL));
    BusState *bus = qbus_new(TYPE_TEST_BUS, DEVICE(d), "test.0");
    DeviceState *a = qdev_new("test-plug", NULL), *b = qdev_new("test-plug", NULL);
    g_assert_false(qdev_realize(a, NULL, &error));
    g_assert_nonnull(strstr(error->message, "needs a bus of type 'test-bus'"));
    g_clear_error(&error);
    g_assert_true(qdev_realize(a, bus, NULL));
    g_autofree char *path = object_get_path(OBJECT(a));
    g_assert_cmpstr(path, ==, "/machine/unattached/device[0]");
    g_assert_false(qdev_realize(b, bus, &error));
    g_assert_nonnull(strstr(error->message, "is full"));
    g_assert_true(qbus_find(OBJECT(m), "test.0", NULL) == bus);
    g_assert_null(qbus_find_by_type(OBJECT(m), TYPE_TEST_BUS)); /* no room */
    object_unparent(OBJECT(a));
    g_assert_true(qbus_find_by_type(OBJECT(m), TYPE_TEST_BUS) == bus);
    g_assert_true(qdev_realize_and_unref(b, bus, NULL));
    machine_free(m);
    g_assert_false(a->realized);
    object_unref(OBJECT(a));
}

static void test_reset(void)
{
    MachineState *m = machine_for_test();
    TestDev *a = dev_new(m, "a"), *b = TEST_DEV(object_new_child(OBJECT(a), "b", "test-dev", NULL));
    TestDev *c = dev_new(m, "c");

    DEVICE(a)->id = g_strdup("a-");
    DEVICE(b)->id = g_strdup("b-");
    DEVICE(c)->id = g_strdup("c-");
    a->log = b->log = c->log = g_string_new(NULL);
    qdev_realize(DEVICE(a), NULL, NULL);
    qdev_realize(DEVICE(b), NULL, NULL);
    resettable_reset(OBJECT(m), RESET_COLD); /* c is not realized */
    g_assert_cmpstr(a->log->str, ==, "b-enter a-enter b-hold a-hold b-exit a-exit ");
    g_string_free(a->log, TRUE);
    a->log = b->log = c->log = NULL;
    machine_free(m);
}

static void input(void *opaque, int n, int level)
{
    TEST_DEV(opaque)->level[n] = level;
}

static void test_gpio(void)
{
    MachineState *m = machine_for_test();
    TestDev *a = dev_new(m, "a"), *b = dev_new(m, "b");
    int seen = -1;

    qdev_init_gpio_in(DEVICE(b), input, 4);
    qdev_init_gpio_out_named(DEVICE(a), &a->irq, "out", 1);
    qdev_connect_gpio_out_named(DEVICE(a), "out", 0, qdev_get_gpio_in(DEVICE(b), 2));
    irq_raise(a->irq);
    g_assert_true(b->level[2] == 1 && b->level[1] == 0);
    qdev_intercept_gpio(DEVICE(b), NULL, false, on_irq, &seen);
    irq_lower(a->irq);
    g_assert_true(seen == 0 && b->level[2] == 0);
    IRQ both = irq_split(qdev_get_gpio_in(DEVICE(b), 0), qdev_get_gpio_in(DEVICE(b), 3));
    IRQ not = irq_invert(both);
    irq_lower(not);
    g_assert_true(b->level[0] == 1 && b->level[3] == 1);
    irq_unref(not);
    irq_unref(both);
    machine_free(m);
}

static void test_two_machines(void)
{
    MachineState *m = machine_for_test(), *n = machine_for_test();
    TestDev *a = dev_new(m, "d"), *b = dev_new(n, "d");

    object_property_set_uint(OBJECT(a), "addr", 0x1000, NULL);
    object_property_set_uint(OBJECT(b), "addr", 0x2000, NULL);
    g_assert_true(qdev_realize(DEVICE(a), NULL, NULL) && qdev_realize(DEVICE(b), NULL, NULL));
    g_assert_true(qdev_get_machine(a) == m && qdev_get_machine(b) == n);
    g_assert_cmphex(load(m, 0x2000), ==, 0xffffffff);
    machine_free(m);
    g_assert_cmphex(load(n, 0x2000), ==, 5);
    machine_free(n);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qdev/life", test_life);
    g_test_add_func("/qdev/failure", test_failure);
    g_test_add_func("/qdev/bus", test_bus);
    g_test_add_func("/qdev/reset", test_reset);
    g_test_add_func("/qdev/gpio", test_gpio);
    g_test_add_func("/qdev/two-machines", test_two_machines);
    return g_test_run();
}
