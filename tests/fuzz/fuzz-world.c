/* SPDX-License-Identifier: MIT
 *
 * Which machine has the type on board, or takes it as -device; what its properties need.
 */
#include "fuzz-world.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include "hw/block/pflash_cfi01.h"
#include "hw/core/cpu.h"
#include "hw/core/memory-map.h"
#include "system/block/block.h"
#include "system/char/char-ringbuf.h"
#include "system/loop/main-loop.h"
#include "system/object-add.h"
#include "system/runstate.h"

#define FUZZ_DISK       (4u << 20)
#define FUZZ_FLASH_BASE 0xc0000000u

/* ---- machines ------------------------------------------------------------------------------- */

static const char *const machine_names[] = {"q35", "pc", NULL};

static char *scratch_file(off_t size)
{
    char *path = NULL;
    int fd = g_file_open_tmp("fuzz-XXXXXX", &path, NULL);

    g_assert_cmpint(ftruncate(fd, size), ==, 0);
    g_close(fd, NULL);
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

static bool machine_make_board(MachineState *machine, GError **error)
{
    g_autofree char *bios = scratch_file(65536);
    bool ok;

    machine->firmware = g_strdup(bios);
    ok = do_configure_accelerator(machine, "qtest", error) && machine_create_ram(machine, error) &&
         machine_run_board_init(machine, error);
    g_unlink(bios);
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

static Object *find_on_board(MachineState *machine, const char *type)
{
    Search search = {type, NULL};

    object_child_foreach_recursive(OBJECT(machine), find_type, &search);
    return search.found;
}

/* ---- what a device's properties need -------------------------------------------------------- */

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
    g_autofree char *id = g_strdup_printf("fuzz-drive%u", w->drives++);
    g_autofree char *text = g_strdup_printf("file=%s,if=none,id=%s,format=raw", path, id);
    g_autoptr(GError) error = NULL;

    if (blk_drive_add(w->machine, text, &error)) {
        options_set(options, "drive", id);
    } else {
        g_printerr("fuzz: %s\n", error->message);
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

/* What a type is no good without: properties (""), the machine with the right one, what plugs in,
 * and the type of a chip on the board that its driver programs too.
 */
static const struct {
    const char *type, *options, *machine, *first, *second, *also;
} wanted[] = {
    {.type = "cfi.pflash01",
     .options = "name=fuzz,width=1,sector-length=4096,num-blocks=1024"},
    {.type = "pci-bridge", .options = "chassis_nr=1", .first = "edu,bus=fuzzed"},
    {.type = "i82801b11-bridge", .first = "edu,bus=fuzzed"},
    {.type = "pcie-root-port", .first = "edu,bus=fuzzed"},
    {.type = "ich9-ahci",
     .machine = "q35",
     .first = "ide-hd,bus=ide.0",
     .second = "ide-cd,bus=ide.1"},
    {.type = "piix3-ide",
     .machine = "pc",
     .first = "ide-hd,bus=ide.0",
     .second = "ide-cd,bus=ide.1"},
    {.type = "piix4-ide",
     .machine = "q35",
     .first = "ide-hd,bus=fuzzed.0",
     .second = "ide-cd,bus=fuzzed.1"},
    {.type = "ide-cd", .machine = "pc"},
    {.type = "ide-hd", .machine = "pc"},
    {.type = "isa-fdc", .machine = "pc", .first = "floppy", .also = "i8257"},
    {.type = "floppy", .machine = "pc", .also = "i8257"},
    {.type = "apic", .also = "apic-bus"},
    {.type = "isa-pcspk", .also = "isa-pit"},
    {.type = "port92", .also = "i8042"},
    {.type = "qemu-xhci", .first = "usb-tablet", .second = "usb-kbd"},
    {.type = "nec-usb-xhci", .first = "usb-kbd", .second = "usb-mouse"},
    {.type = "vmcoreinfo", .also = "fw_cfg_io"},
    {.type = "vmgenid", .also = "fw_cfg_io"},
    {.type = "ramfb", .also = "fw_cfg_io"},
};

/* What brings a bus that no machine has on board. */
static const struct {
    const char *bus, *type;
} providers[] = {
    {TYPE_USB_BUS, "qemu-xhci"},
    {"floppy-bus", "isa-fdc"  },
};

static bool provide_bus(MachineState *machine, const char *bus_type, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(providers); i++) {
        if (g_str_equal(providers[i].bus, bus_type) &&
            !qbus_find_by_type(OBJECT(machine), bus_type)) {
            g_autoptr(Options) options = options_parse(providers[i].type, "driver", NULL);

            return qdev_device_add(machine, options, error);
        }
    }
    return true; /* what is wrong, if it is missing, is said when the device is added */
}

static void give_backends(FuzzWorld *w, ObjectClass *klass, Options *options)
{
    Needs needs = {w, options};

    object_class_property_foreach(klass, give_property, &needs);
}

static Options *device_options(FuzzWorld *w, const char *type)
{
    g_autoptr(GString) text = g_string_new(type);
    Options *options;

    g_string_append(text, ",id=fuzzed");
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        if (g_str_equal(wanted[i].type, type) && wanted[i].options) {
            g_string_append_printf(text, ",%s", wanted[i].options);
        }
    }
    options = options_parse(text->str, "driver", NULL);
    give_backends(w, object_class_by_name(type), options);
    return options;
}

static void set_property(const Property *prop, ObjectClass *owner, void *opaque)
{
    Needs *n = opaque;
    const char *value = options_get(n->options, prop->name);

    if (value) {
        g_assert_true(object_property_parse(OBJECT(n->w->dev), prop->name, value, NULL));
    }
}

/* As a machine makes a flash: not for -device. */
static DeviceState *make_flash(FuzzWorld *w, Options *options, GError **error)
{
    Object *obj = object_new_child(w->machine->peripheral, "fuzzed", TYPE_PFLASH_CFI01, error);
    Needs needs = {w, options};

    w->dev = DEVICE(obj);
    object_class_property_foreach(object_get_class(obj), set_property, &needs);
    if (!qdev_realize(w->dev, NULL, error)) {
        return NULL;
    }
    sysbus_mmio_map(SYS_BUS_DEVICE(obj), 0, FUZZ_FLASH_BASE);
    return w->dev;
}

static DeviceState *add_device(FuzzWorld *w, DeviceClass *dc, GError **error)
{
    const char *type = object_class_get_name(OBJECT_CLASS(dc));
    g_autoptr(Options) options = NULL;

    if (dc->bus_type && !provide_bus(w->machine, dc->bus_type, error)) {
        return NULL;
    }
    options = device_options(w, type);
    return g_str_equal(type, TYPE_PFLASH_CFI01) ? make_flash(w, options, error)
                                                : qdev_device_add(w->machine, options, error);
}

static bool plug(FuzzWorld *w, const char *what, GError **error)
{
    g_autoptr(Options) options = NULL;
    ObjectClass *klass;

    if (!what) {
        return true;
    }
    options = options_parse(what, "driver", NULL);
    klass = object_class_by_name(options_get(options, "driver"));
    give_backends(w, klass, options);
    return qdev_device_add(w->machine, options, error);
}

static bool plug_all(FuzzWorld *w, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        if (g_str_equal(wanted[i].type, object_get_typename(OBJECT(w->dev)))) {
            return plug(w, wanted[i].first, error) && plug(w, wanted[i].second, error);
        }
    }
    return true;
}

static bool machine_suits(const char *machine, const char *type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        if (g_str_equal(wanted[i].type, type) && wanted[i].machine) {
            return g_str_equal(wanted[i].machine, machine);
        }
    }
    return true;
}

/* ---- the world ------------------------------------------------------------------------------ */

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

static void keep(FuzzWorld *w, Object *obj)
{
    if (!g_ptr_array_find(w->kept, obj, NULL)) {
        g_ptr_array_add(w->kept, object_ref(obj));
    }
}

static void keep_all(FuzzWorld *w)
{
    keep(w, OBJECT(w->dev));
    for (guint i = 0; i < w->pci->len; i++) {
        keep(w, g_ptr_array_index(w->pci, i));
    }
    for (guint i = 0; i < w->regions->len; i++) {
        keep(w, ((MemoryRegion *)g_ptr_array_index(w->regions, i))->owner);
    }
}

static void collect_also(FuzzWorld *w)
{
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        if (wanted[i].also && g_str_equal(wanted[i].type, object_get_typename(OBJECT(w->dev)))) {
            Object *also = find_on_board(w->machine, wanted[i].also);

            g_assert_nonnull(also);
            collect(also, NULL, w);
            object_child_foreach_recursive(also, collect, w);
        }
    }
}

/* What has no registers of its own is reached through its controller. */
static void collect_all(FuzzWorld *w)
{
    DeviceState *dev = w->dev;

    do {
        collect(OBJECT(dev), NULL, w);
        object_child_foreach_recursive(OBJECT(dev), collect, w);
        dev = dev->parent_bus ? dev->parent_bus->parent : NULL;
    } while (dev && !w->regions->len && !w->pci->len);
    if (object_dynamic_cast(OBJECT(w->dev), TYPE_USB_DEVICE)) {
        w->usb = USB_DEVICE(w->dev);
    }
    collect_also(w);
    keep_all(w);
}

static void config_write(PCIDevice *dev, uint16_t reg, uint32_t value, unsigned size)
{
    device_lock(DEVICE(dev));
    PCI_DEVICE_GET_CLASS(dev)->config_write(dev, reg, value, size);
    device_unlock(DEVICE(dev));
}

/* As a driver leaves it: decoding and mastering the bus. */
static void start_pci_devices(FuzzWorld *w)
{
    for (guint i = 0; i < w->pci->len; i++) {
        config_write(g_ptr_array_index(w->pci, i), PCI_COMMAND,
                     PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    }
}

/* The registers that say what a function or a bridge decodes. */
typedef struct SavedHeader {
    uint32_t words[16];
} SavedHeader;

static const uint8_t saved_from = PCI_BASE_ADDRESS_0, saved_to = 0x34;

static void save_headers(FuzzWorld *w)
{
    g_array_set_size(w->headers, w->pci->len);
    for (guint i = 0; i < w->pci->len; i++) {
        PCIDevice *dev = g_ptr_array_index(w->pci, i);

        memcpy(g_array_index(w->headers, SavedHeader, i).words, dev->config, sizeof(SavedHeader));
    }
}

static void restore_headers(FuzzWorld *w)
{
    for (guint i = 0; i < w->pci->len; i++) {
        for (uint16_t reg = saved_from; reg < saved_to; reg += 4) {
            config_write(g_ptr_array_index(w->pci, i), reg,
                         g_array_index(w->headers, SavedHeader, i).words[reg / 4], 4);
        }
    }
}

/* As firmware leaves it. */
static void enable_pci(FuzzWorld *w)
{
    g_autoptr(GError) error = NULL;
    static const uint8_t lines[4] = {10, 11, 10, 11};
    BusState *root = qbus_find_by_type(OBJECT(w->machine), TYPE_PCI_BUS);

    memory_region_transaction_begin();
    if (root) {
        pci_assign_resources((PCIBus *)root, 0xd0000000, 0xfec00000, 0xc000, 0xffff, lines, &error);
    }
    start_pci_devices(w);
    memory_region_transaction_commit();
    save_headers(w);
}

static void clear_memory(FuzzWorld *w)
{
    static const uint8_t zeros[FUZZ_DMA_SIZE];

    address_space_write(&w->machine->address_space_memory, FUZZ_DMA_BASE, MEMTXATTRS_NONE, zeros,
                        sizeof(zeros));
    memset(w->rings, 0, sizeof(w->rings));
}

void fuzz_world_reset(FuzzWorld *w)
{
    main_loop_lock();
    system_reset(w->machine, SHUTDOWN_CAUSE_NONE);
    enable_pci(w);
    main_loop_unlock();
    clear_memory(w);
}

void fuzz_device_reset(FuzzWorld *w)
{
    main_loop_lock();
    memory_region_transaction_begin();
    for (guint i = 0; i < w->kept->len; i++) {
        Object *obj = g_ptr_array_index(w->kept, i);

        if (object_dynamic_cast(obj, TYPE_DEVICE)) {
            device_cold_reset(DEVICE(obj));
        }
    }
    restore_headers(w);
    start_pci_devices(w);
    memory_region_transaction_commit();
    main_loop_unlock();
    memset(w->rings, 0, sizeof(w->rings));
}

bool fuzz_world_intact(FuzzWorld *w)
{
    for (guint i = 0; i < w->kept->len; i++) {
        Object *obj = g_ptr_array_index(w->kept, i);

        if (object_dynamic_cast(obj, TYPE_DEVICE) && !qdev_is_realized(DEVICE(obj))) {
            return false;
        }
    }
    return true;
}

static bool world_build(FuzzWorld *w, DeviceClass *dc, GError **error)
{
    const char *type = object_class_get_name(OBJECT_CLASS(dc));

    if (!machine_make_board(w->machine, error)) {
        return false;
    }
    w->dev = (DeviceState *)find_on_board(w->machine, type);
    if (!w->dev && !dc->user_creatable && !g_str_equal(type, TYPE_PFLASH_CFI01)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_TYPE, "%s is no part of this machine", type);
        return false;
    }
    w->dev = w->dev ? w->dev : add_device(w, dc, error);
    if (!w->dev || !plug_all(w, error) || !machine_done(w->machine, error)) {
        return false;
    }
    collect_all(w);
    fuzz_world_reset(w);
    w->driver = fuzz_driver_for(w);
    return true;
}

static FuzzWorld *world_try(const char *machine, DeviceClass *dc, GError **error)
{
    FuzzWorld *w = g_new0(FuzzWorld, 1);

    w->regions = g_ptr_array_new();
    w->pci = g_ptr_array_new();
    w->headers = g_array_new(false, true, sizeof(SavedHeader));
    w->kept = g_ptr_array_new_with_free_func(object_unref);
    w->machine = machine_begin(machine);
    if (w->machine && world_build(w, dc, error)) {
        return w;
    }
    fuzz_world_free(w);
    return NULL;
}

FuzzWorld *fuzz_world_new(const char *type, GError **error)
{
    ObjectClass *klass = object_class_by_name(type);

    if (!klass || !object_class_dynamic_cast(klass, TYPE_DEVICE) ||
        object_class_is_abstract(klass) || object_class_dynamic_cast(klass, TYPE_CPU)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_TYPE, "'%s' is no type of device", type);
        return NULL;
    }
    for (const char *const *name = machine_names; *name; name++) {
        FuzzWorld *w;

        if (!machine_suits(*name, type)) {
            continue;
        }
        g_clear_error(error);
        w = world_try(*name, DEVICE_CLASS(klass), error);
        if (w) {
            return w;
        }
    }
    return NULL;
}

void fuzz_world_free(FuzzWorld *w)
{
    g_ptr_array_unref(w->kept);
    if (w->machine) {
        /* The device lets go of its disk before this is closed. */
        object_ref(OBJECT(w->machine));
        machine_free(w->machine);
        blk_drives_free(w->machine);
        object_unref(OBJECT(w->machine));
    }
    g_ptr_array_unref(w->regions);
    g_ptr_array_unref(w->pci);
    g_array_unref(w->headers);
    g_free(w);
}

/* ---- types ---------------------------------------------------------------------------------- */

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *fuzz_types(void)
{
    GPtrArray *names = g_ptr_array_new();
    g_autoptr(GSList) all = object_class_get_list(TYPE_DEVICE, false);

    for (GSList *l = all; l; l = l->next) {
        const DeviceClass *dc = DEVICE_CLASS(l->data);
        bool settings = !dc->realize && !dc->user_creatable; /* of what is not ours (kvm-pit) */

        if (!object_class_dynamic_cast(l->data, TYPE_CPU) && !settings) {
            g_ptr_array_add(names, (char *)object_class_get_name(l->data));
        }
    }
    g_ptr_array_sort(names, compare_names);
    return names;
}
