/* SPDX-License-Identifier: MIT
 *
 * Which machine has the type on board, or takes it as -device; what its properties need.
 */
#include "fuzz-world.h"

#include <glib/gstdio.h>
#include <string.h>
#include "hw/core/cpu.h"
#include "hw/core/memory-map.h"
#include "system/block/block.h"
#include "system/char/char-ringbuf.h"
#include "system/object-add.h"
#include "system/runstate.h"

#define FUZZ_DISK (4u << 20)

/* ---- machines ---------------------------------------------------------------------------------
 */

static const char *const machine_names[] = {"q35", "pc", NULL};

static char *scratch_file(size_t size)
{
    g_autofree char *zeros = g_malloc0(size);
    char *path = NULL;

    g_close(g_file_open_tmp("fuzz-XXXXXX", &path, NULL), NULL);
    g_assert_true(g_file_set_contents(path, zeros, (gssize)size, NULL));
    return path;
}

static MachineState *machine_begin(const char *name)
{
    MachineClass *mc = machine_find_class(name, NULL);
    MachineState *machine = mc ? machine_new(mc, NULL) : NULL;

    if (machine) {
        cpu_exec_init_all(machine);
        page_size_init();
        machine->ram_size = FUZZ_RAM;
        machine->actions.panic = PANIC_ACTION_NONE;
        machine->actions.watchdog = WATCHDOG_ACTION_NONE;
    }
    return machine;
}

static bool machine_make_board(MachineState *machine)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *bios = scratch_file(65536);
    bool ok;

    machine->firmware = g_strdup(bios);
    ok = do_configure_accelerator(machine, "qtest", &error) &&
         machine_create_ram(machine, &error) && machine_run_board_init(machine, &error);
    g_unlink(bios);
    if (!ok) {
        g_printerr("fuzz: %s\n", error->message);
    }
    return ok;
}

typedef struct Search {
    const char *type;
    Object *found;
} Search;

static bool find_type(Object *obj, const char *name, void *opaque)
{
    Search *search = opaque;

    if (g_str_equal(object_get_typename(obj), search->type)) {
        search->found = obj;
    }
    return search->found;
}

static DeviceState *find_on_board(MachineState *machine, const char *type)
{
    Search search = {type, NULL};

    object_child_foreach_recursive(OBJECT(machine), find_type, &search);
    return (DeviceState *)search.found;
}

/* ---- what a device's properties need ------------------------------------------------------------
 */

static void add_backend(MachineState *machine, const char *text)
{
    g_autoptr(Options) options = options_parse(text, "qom-type", NULL);
    g_autoptr(GError) error = NULL;

    if (!user_object_add(machine, options, &error)) {
        g_printerr("fuzz: %s\n", error->message);
    }
}

static void give_drive(FuzzWorld *w, Options *options)
{
    g_autofree char *path = scratch_file(FUZZ_DISK);
    g_autofree char *text =
        g_strdup_printf("file=%s,if=none,id=fuzz-drive,format=raw,file.locking=off", path);
    g_autoptr(GError) error = NULL;

    if (!blk_drive_add(w->machine, text, &error)) {
        g_clear_error(&error);
        g_free(text);
        text = g_strdup_printf("file=%s,if=none,id=fuzz-drive,format=raw", path);
        blk_drive_add(w->machine, text, &error);
    }
    if (error) {
        g_printerr("fuzz: %s\n", error->message);
    } else {
        options_set(options, "drive", "fuzz-drive");
    }
    g_unlink(path);
}

typedef struct Needs {
    FuzzWorld *w;
    Options *options;
} Needs;

/* Back ends for properties by the names that they have everywhere. */
static void give_property(const Property *prop, ObjectClass *owner, void *opaque)
{
    Needs *n = opaque;
    g_autoptr(GError) error = NULL;

    if (g_str_equal(prop->name, "drive")) {
        give_drive(n->w, n->options);
    } else if (g_str_equal(prop->name, "chardev")) {
        n->w->chr = chardev_new(n->w->machine, "fuzz-chr", "ringbuf,size=4096", &error);
        options_set(n->options, "chardev", "fuzz-chr");
    } else if (g_str_equal(prop->name, "memdev")) {
        add_backend(n->w->machine, "memory-backend-ram,id=fuzz-mem,size=64K");
        options_set(n->options, "memdev", "fuzz-mem");
    }
}

static DeviceState *add_device(FuzzWorld *w, const char *type, bool loud)
{
    g_autofree char *text = g_strdup_printf("%s,id=fuzzed", type);
    g_autoptr(Options) options = options_parse(text, "driver", NULL);
    g_autoptr(GError) error = NULL;
    Needs needs = {w, options};
    DeviceState *dev;

    object_class_property_foreach(object_class_by_name(type), give_property, &needs);
    dev = qdev_device_add(w->machine, options, &error);
    if (!dev && loud) {
        g_printerr("fuzz: %s\n", error->message);
    }
    return dev;
}

/* ---- the world ----------------------------------------------------------------------------------
 */

static bool collect(Object *obj, const char *name, void *opaque)
{
    FuzzWorld *w = opaque;

    if (object_dynamic_cast(obj, TYPE_MEMORY_REGION)) {
        MemoryRegion *mr = (MemoryRegion *)obj;

        if (mr->ops && !g_ptr_array_find(w->regions, mr, NULL)) {
            g_ptr_array_add(w->regions, mr);
        }
    } else if (object_dynamic_cast(obj, TYPE_PCI_DEVICE) && PCI_DEVICE(obj)->parent_obj.realized) {
        g_ptr_array_add(w->pci, obj);
    }
    return false;
}

static void enable_pci(FuzzWorld *w)
{
    g_autoptr(GError) error = NULL;
    static const uint8_t lines[4] = {10, 11, 10, 11};
    BusState *root = qbus_find_by_type(OBJECT(w->machine), TYPE_PCI_BUS);

    if (root) {
        pci_assign_resources((PCIBus *)root, 0xd0000000, 0xfec00000, 0xc000, 0xffff, lines, &error);
    }
}

static FuzzWorld *world_try(const char *machine, const char *type, bool loud)
{
    FuzzWorld *w = g_new0(FuzzWorld, 1);
    DeviceClass *dc = DEVICE_CLASS(object_class_by_name(type));

    w->regions = g_ptr_array_new();
    w->pci = g_ptr_array_new();
    w->machine = machine_begin(machine);
    if (w->machine && machine_make_board(w->machine)) {
        w->dev = find_on_board(w->machine, type);
        if (!w->dev && dc->user_creatable) {
            w->dev = add_device(w, type, loud);
        }
        if (w->dev && w->dev->realized && machine_done(w->machine, NULL)) {
            collect(OBJECT(w->dev), NULL, w);
            object_child_foreach_recursive(OBJECT(w->dev), collect, w);
            system_reset(w->machine, SHUTDOWN_CAUSE_NONE);
            enable_pci(w);
            return w;
        }
    }
    fuzz_world_free(w);
    return NULL;
}

FuzzWorld *fuzz_world_new(const char *type, bool loud)
{
    for (const char *const *name = machine_names; *name; name++) {
        FuzzWorld *w = world_try(*name, type, loud);

        if (w) {
            return w;
        }
    }
    return NULL;
}

void fuzz_world_free(FuzzWorld *w)
{
    if (w->machine) {
        machine_free(w->machine);
    }
    g_ptr_array_unref(w->regions);
    g_ptr_array_unref(w->pci);
    g_free(w);
}

/* ---- types
 * ---------------------------------------------------------------------------------------- */

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *fuzz_types(void)
{
    GPtrArray *names = g_ptr_array_new();
    g_autoptr(GSList) all = object_class_get_list(TYPE_DEVICE, false);

    for (GSList *l = all; l; l = l->next) {
        if (!object_class_dynamic_cast(l->data, TYPE_CPU)) {
            g_ptr_array_add(names, (char *)object_class_get_name(l->data));
        }
    }
    g_ptr_array_sort(names, compare_names);
    return names;
}
