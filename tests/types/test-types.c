/* SPDX-License-Identifier: MIT
 *
 * Every registered type, known only by what the registry says of it: it is
 * made, each property is read, printed, set and set wrongly; a device is realized on the
 * bus it asks for, reset, unrealized, realized again and dropped.  Run it
 * under ASan and UBSan (-Db_sanitize=address,undefined): a leak is a failure there.
 */
#include "device-test.h"

#include <string.h>

#include "hw/core/cpu.h"
#include "hw/pci/pci.h"
#include "hw/timer/i8254.h"

/* ---- a place for devices to live --------------------------------------------------- */

typedef struct World {
    DeviceTest *t;
    MemoryRegion pci_memory, ram;
    TestLines gsi;
    PCIBus *pci;
} World;

static void world_init(World *w)
{
    memset(w, 0, sizeof(*w));
    w->t = device_test_new();
    MachineState *m = w->t->machine;
    memory_region_init(&w->pci_memory, OBJECT(m), "pci", UINT64_MAX);
    memory_region_add_subregion_overlap(m->system_memory, 0, &w->pci_memory, -1);
    memory_region_init_ram(&w->ram, OBJECT(m), "ram", 2 * 1024 * 1024, NULL);
    memory_region_add_subregion(m->system_memory, 0, &w->ram);
    m->ram = &w->ram;
    m->ram_size = memory_region_size(&w->ram);
    test_lines_init(&w->gsi);
    m->gsi = w->gsi.irqs;
    m->nr_gsi = 24;
    w->pci = pci_root_bus_new(w->t->bridge, "pci.0", &w->pci_memory, m->system_io, 0);
}

static void world_finish(World *w)
{
    object_unparent(OBJECT(w->t->bridge));
    w->t->bridge = DEVICE(object_new_child(OBJECT(w->t->machine), "gone", "test-bridge", NULL));
    memory_region_finish(&w->pci_memory);
    memory_region_finish(&w->ram);
    w->t->machine->gsi = NULL;
    device_test_free(w->t);
    test_lines_finish(&w->gsi);
}

static Object *give_pit(World *w, Object *obj)
{
    object_property_set_link(obj, "pit", OBJECT(i8254_create(w->t->isa, 0x40, 0, NULL, NULL)),
                             NULL);
    return obj;
}

/* IDE drives need a controller's bus, and a disk something to read. */
static Object *give_ide_bus(World *w, Object *obj)
{
    pci_create(w->pci, -1, "piix3-ide", NULL);
    return obj;
}

static Object *give_floppy_bus(World *w, Object *obj)
{
    isa_create_simple(w->t->isa, "isa-fdc", NULL);
    return obj;
}

static Object *give_smbus(World *w, Object *obj)
{
    pci_create(w->pci, -1, "ICH9-SMB", NULL);
    return obj;
}

static Object *give_chassis(World *w, Object *obj)
{
    object_property_parse(obj, "chassis_nr", "1", NULL);
    return obj;
}

static Object *give_usb_bus(World *w, Object *obj)
{
    pci_create(w->pci, -1, "qemu-xhci", NULL);
    return obj;
}

static Object *give_memory(World *w, Object *obj)
{
    Object *backend = object_new("memory-backend-ram", NULL);

    object_property_parse(backend, "size", "1M", NULL);
    g_assert_true(user_creatable_complete(backend, NULL));
    object_property_set_link(obj, "memdev", backend, NULL);
    object_unref(backend);
    return obj;
}

/* What VMware's pointer is behind. */
static Object *give_ps2(World *w, Object *obj)
{
    object_property_set_link(obj, "i8042", OBJECT(isa_create_simple(w->t->isa, "i8042", NULL)),
                             NULL);
    object_property_set_link(obj, "vmport", OBJECT(isa_create_simple(w->t->isa, "vmport", NULL)),
                             NULL);
    return obj;
}

static Object *give_flash_geometry(World *w, Object *obj)
{
    object_property_set_str(obj, "name", "flash", NULL);
    object_property_set_uint(obj, "width", 1, NULL);
    object_property_set_uint(obj, "sector-length", 4096, NULL);
    object_property_set_uint(obj, "num-blocks", 16, NULL);
    return obj;
}

/* What some types cannot be realized without. */
static const struct {
    const char *type;
    Object *(*give)(World *w, Object *obj);
} needs[] = {
    {TYPE_PCSPK,      give_pit           },
    {"ide-device",    give_ide_bus       },
    {"floppy",        give_floppy_bus    },
    {"i2c-slave",     give_smbus         },
    {"usb-device",    give_usb_bus       },
    {"ivshmem-plain", give_memory        },
    {"cfi.pflash01",  give_flash_geometry},
    {"pci-bridge",    give_chassis       },
    {"vmmouse",       give_ps2           },
};

/*
 * Types that rightly refuse to be realized in this world; they must say why.
 * Anything else that refuses is a failure.
 */
static const struct {
    const char *type, *why;
} refusers[] = {
    {"ide-hd",         "a disk needs an image"                            },
    {"usb-storage",    "a disk needs an image"                            },
    {"vmgenid",        "this machine has no fw_cfg"                       },
    {"vmcoreinfo",     "this machine has no fw_cfg"                       },
    {"i440FX-pcihost", "made by a machine, with its memory"               },
    {"q35-pcihost",    "made by a machine, with its memory"               },
    {"ramfb",          "firmware sets it up through fw_cfg"               },
    {TYPE_CPU,         "CPUs are made by a machine, after its accelerator"},
};

static bool may_refuse(Object *obj)
{
    for (size_t i = 0; i < G_N_ELEMENTS(refusers); i++) {
        if (object_dynamic_cast(obj, refusers[i].type)) {
            return true;
        }
    }
    return false;
}

/* ---- properties ------------------------------------------------------------------------ */

static bool is_settable(const Property *prop)
{
    return (prop->kind == PROP_CONFIG || prop->kind == PROP_RUNTIME) &&
           (prop->type != &property_type_custom || prop->set);
}

static void expect_same(Object *obj, const char *name, const char *want)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *now = object_property_print(obj, name, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(now, ==, want);
}

/* Rubbish gets an error that names the property, and changes nothing. */
static void try_rubbish(Object *obj, const Property *prop, const char *original)
{
    static const char *const rubbish[] = {"",
                                          "maybe",
                                          "-99999999999999999999",
                                          "1e99",
                                          "0x",
                                          "99999999999999999999999",
                                          "no/such/thing",
                                          "\x80"};

    if (prop->type == &property_type_string || prop->type == &property_type_custom) {
        return; /* any text may do */
    }
    for (size_t i = 0; i < G_N_ELEMENTS(rubbish); i++) {
        g_autoptr(GError) error = NULL;
        if (prop->type == &property_type_link && !*rubbish[i]) {
            continue; /* takes the link away */
        }
        g_assert_false(object_property_parse(obj, prop->name, rubbish[i], &error));
        g_assert_nonnull(error);
        g_assert_nonnull(strstr(error->message, prop->name));
        expect_same(obj, prop->name, original);
    }
}

static bool try_text(Object *obj, const Property *prop, const char *text)
{
    g_autoptr(GError) error = NULL;
    bool ok = object_property_parse(obj, prop->name, text, &error);

    g_assert_true(ok == !error);
    if (ok) {
        g_autofree char *now = object_property_print(obj, prop->name, NULL);
        g_assert_nonnull(now);
    }
    return ok;
}

static void try_values(Object *obj, const Property *prop)
{
    if (prop->type == &property_type_bool || prop->type == &property_type_bit32 ||
        prop->type == &property_type_bit64) {
        try_text(obj, prop, "on");
        try_text(obj, prop, "off");
    } else if (prop->enum_info) {
        for (const char *const *v = prop->enum_info->values; *v; v++) {
            /* Only a check of the property's own may refuse one of its names. */
            if (try_text(obj, prop, *v) || !prop->check) {
                expect_same(obj, prop->name, *v);
            }
        }
    } else if (prop->type == &property_type_string) {
        if (try_text(obj, prop, "some text") || !prop->check) {
            expect_same(obj, prop->name, "some text");
        }
    } else if (prop->type == &property_type_macaddr) {
        try_text(obj, prop, "52:54:00:12:34:56");
        expect_same(obj, prop->name, "52:54:00:12:34:56");
    } else {
        try_text(obj, prop, "0");
        try_text(obj, prop, "1");
        try_text(obj, prop, "0x7f");
        try_text(obj, prop, "18446744073709551615");
    }
}

/* A default may stand for "unset", which need not be a value that can be set. */
static void put_back(Object *obj, const Property *prop, GVariant *original)
{
    g_autoptr(GError) error = NULL;

    if (prop->type == &property_type_link) {
        object_property_set_link(obj, prop->name, NULL, &error);
    } else {
        object_property_set(obj, prop->name, original, &error);
    }
    g_assert_true(!error || strstr(error->message, prop->name));
}

static void check_property(const Property *prop, ObjectClass *owner, void *opaque)
{
    Object *obj = opaque;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) original = object_property_get(obj, prop->name, &error);
    g_autofree char *text = original ? object_property_print(obj, prop->name, &error) : NULL;
    g_autofree char *type = property_type_name(prop);

    g_test_message("%s.%s (%s) = %s", object_get_typename(obj), prop->name, type, text);
    g_assert_no_error(error);
    g_assert_nonnull(text);
    g_assert_nonnull(type);
    g_assert_true(prop->kind == PROP_INTERNAL || (prop->doc && *prop->doc));
    if (is_settable(prop)) {
        try_rubbish(obj, prop, text);
        try_values(obj, prop);
        put_back(obj, prop, original);
    } else {
        g_assert_true(prop->kind == PROP_INTERNAL ||
                      !object_property_parse(obj, prop->name, text, &error));
    }
}

/* After realize a CONFIG property is frozen. */
static void check_frozen(const Property *prop, ObjectClass *owner, void *opaque)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = object_property_print(opaque, prop->name, &error);

    g_assert_no_error(error);
    if (prop->kind == PROP_CONFIG && is_settable(prop) && prop->type != &property_type_link) {
        g_assert_false(object_property_parse(opaque, prop->name, text, &error));
        g_assert_nonnull(error);
    }
}

/* ---- devices --------------------------------------------------------------------------- */

static void check_state_table(DeviceClass *dc)
{
    for (const StateField *f = dc->state; f && f->name; f++) {
        g_assert_cmpuint(f->size, >, 0);
        for (const StateField *g = f + 1; g->name; g++) {
            g_assert_cmpstr(f->name, !=, g->name);
            g_assert_true(f->offset + f->size <= g->offset || g->offset + g->size <= f->offset);
        }
    }
}

static BusState *bus_for(World *w, DeviceState *dev)
{
    const char *type = DEVICE_GET_CLASS(dev)->bus_type;

    return type ? qbus_find_by_type(OBJECT(w->t->machine), type) : NULL;
}

static void use_device(World *w, DeviceState *dev)
{
    object_class_property_foreach(object_get_class(OBJECT(dev)), check_frozen, dev);
    device_cold_reset(dev);
    test_clock_step(w->t, 1000000);
    test_poll(w->t);
    device_cold_reset(dev);
    qdev_unrealize(dev);
}

static void check_device(World *w, DeviceState *dev)
{
    BusState *bus = bus_for(w, dev);

    if (DEVICE_GET_CLASS(dev)->bus_type && !bus) {
        g_test_message("no bus of type %s here", DEVICE_GET_CLASS(dev)->bus_type);
        g_assert_not_reached();
    }
    for (int round = 0; round < 2; round++) {
        g_autoptr(GError) error = NULL;
        if (!qdev_realize(dev, bus, &error)) {
            g_assert_nonnull(error);
            g_test_message("refuses: %s", error->message);
            g_assert_true(may_refuse(OBJECT(dev)));
            return;
        }
        use_device(w, dev);
    }
}

/* ---- every type ------------------------------------------------------------------------- */

static Object *make(World *w, const char *type)
{
    g_autoptr(GError) error = NULL;
    Object *obj = object_new(type, &error);

    g_assert_no_error(error);
    object_add_child(w->t->machine->unattached, "it", obj, &error);
    g_assert_no_error(error);
    return obj;
}

static void drop(Object *obj)
{
    object_unparent(obj);
    object_unref(obj);
}

static void test_properties(const void *data)
{
    World w;

    world_init(&w);
    Object *obj = make(&w, data);
    object_class_property_foreach(object_get_class(obj), check_property, obj);
    drop(obj);
    world_finish(&w);
}

static void test_life(const void *data)
{
    World w;

    world_init(&w);
    Object *obj = make(&w, data);
    for (size_t i = 0; i < G_N_ELEMENTS(needs); i++) {
        if (object_dynamic_cast(obj, needs[i].type)) {
            needs[i].give(&w, obj);
        }
    }
    check_state_table(DEVICE_GET_CLASS(obj));
    check_device(&w, DEVICE(obj));
    drop(obj);
    world_finish(&w);
}

/* What a version of a machine has otherwise: values that some type takes. */
static void test_versions(const void *data)
{
    GPtrArray *lists = MACHINE_CLASS(object_class_by_name(data))->compat_globals;

    for (guint i = 0; lists && i < lists->len; i++) {
        for (const GlobalProperty *g = lists->pdata[i]; g->type; g++) {
            g_autoptr(GSList) classes = object_class_get_list(g->type, false);
            g_autoptr(GError) error = NULL;

            g_assert_nonnull(classes);
            g_autoptr(Object) obj = object_new_with_class(classes->data);
            object_property_parse(obj, g->prop, g->value, &error);
            g_assert_no_error(error);
        }
    }
}

static void add_tests(ObjectClass *klass)
{
    const char *name = object_class_get_name(klass);
    g_autofree char *properties = g_strdup_printf("/types/%s/properties", name);
    g_autofree char *life = g_strdup_printf("/types/%s/life", name);

    g_test_add_data_func(properties, name, test_properties);
    if (object_class_dynamic_cast(klass, TYPE_MACHINE)) {
        g_autofree char *versions = g_strdup_printf("/types/%s/versions", name);

        g_test_add_data_func(versions, name, test_versions);
    }
    if (object_class_dynamic_cast(klass, TYPE_DEVICE)) {
        g_test_add_data_func(life, name, test_life);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autoptr(GSList) all = object_class_get_list(TYPE_OBJECT, false);
    for (GSList *l = all; l; l = l->next) {
        add_tests(l->data);
    }
    return g_test_run();
}
