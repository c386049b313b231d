/* SPDX-License-Identifier: MIT */
#include "hw/core/machine.h"

#include <string.h>

#include "hw/core/memory-map.h"
#include "hw/core/numa.h"
#include "hw/core/qdev.h"

#include "system/loop/main-loop.h"

/* ---- finding and making ------------------------------------------------------------ */

static char *machine_list_names(void)
{
    g_autoptr(GString) names = g_string_new(NULL);
    g_autoptr(GSList) all = object_class_get_list(TYPE_MACHINE, false);

    for (GSList *l = all; l; l = l->next) {
        MachineClass *mc = MACHINE_CLASS(l->data);

        if (mc->alias || !mc->compat_globals) { /* of versions, the newest */
            g_string_append_printf(names, "%s%s", names->len ? ", " : "",
                                   mc->alias ? mc->alias : mc->name);
        }
    }
    return g_string_free(g_steal_pointer(&names), FALSE);
}

MachineClass *machine_find_class(const char *name, GError **error)
{
    g_autoptr(GSList) all = object_class_get_list(TYPE_MACHINE, false);

    for (GSList *l = all; l; l = l->next) {
        MachineClass *mc = MACHINE_CLASS(l->data);
        if (!g_strcmp0(mc->name, name) || !g_strcmp0(mc->alias, name)) {
            return mc;
        }
    }
    /* One that a module carries. */
    g_autofree char *type = g_strdup_printf("%s" MACHINE_SUFFIX, name);
    ObjectClass *klass = object_class_by_name(type);
    if (klass && object_class_dynamic_cast(klass, TYPE_MACHINE)) {
        return MACHINE_CLASS(klass);
    }
    g_autofree char *names = machine_list_names();
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_TYPE,
                "unsupported machine type '%s': there are %s, and the versions that -machine help lists",
                name, names);
    return NULL;
}

MachineState *machine_new(MachineClass *mc, GError **error)
{
    Object *root = object_new(TYPE_CONTAINER, error);
    g_autoptr(Object) obj = NULL;

    if (!root) {
        return NULL;
    }
    object_set_compat_globals(mc->compat_globals);
    obj = object_new_with_class(&mc->parent_class);
    MachineState *machine = MACHINE(obj);
    if (!object_apply_globals(obj, error) || !object_add_child(root, "machine", obj, error)) {
        object_unref(root);
        return NULL;
    }
    machine->peripheral = container_get(obj, "peripheral");
    machine->peripheral_anon = container_get(obj, "peripheral-anon");
    machine->unattached = container_get(obj, "unattached");
    container_get(root, "objects");
    container_get(root, "chardevs");
    machine->clock = vm_clock_new();
    machine->loop = event_loop_new(g_main_context_default(), machine->clock);
    machine->phase = PHASE_MACHINE_CREATED;
    return machine;
}

void machine_free(MachineState *machine)
{
    if (machine) {
        Object *root = object_get_root(OBJECT(machine));
        /* Chardevs and objects beside the machine use its loop to their end. */
        object_ref(OBJECT(machine));
        object_unparent(OBJECT(machine));
        object_unref(root);
        object_unref(OBJECT(machine));
    }
}

/* The models of -cpu are the siblings of the machine's default. */
static bool machine_choose_cpu(MachineState *machine, GError **error)
{
    const char *otherwise = MACHINE_GET_CLASS(machine)->default_cpu_type;
    ObjectClass *klass = otherwise ? object_class_by_name(otherwise) : NULL;

    if (!machine->cpu_type_option || !klass) {
        return true;
    }
    machine->cpu_type = cpu_parse_option(object_class_get_name(object_class_get_parent(klass)),
                                         machine->cpu_type_option, error);
    return machine->cpu_type != NULL;
}

/* What only means something beside a kernel. */
static bool machine_check_kernel(const MachineState *machine, GError **error)
{
    const char *initrd = machine->initrd_filename, *append = machine->kernel_cmdline;

    if (machine->kernel_filename || (!initrd && !append)) {
        return true;
    }
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "-%s %s: only allowed with -kernel",
                initrd ? "initrd" : "append", initrd ? initrd : append);
    return false;
}

bool machine_run_board_init(MachineState *machine, GError **error)
{
    MachineClass *mc = MACHINE_GET_CLASS(machine);

    if (!machine_check_kernel(machine, error)) {
        return false;
    }
    if (!machine_choose_cpu(machine, error)) {
        return false;
    }
    if (!machine_configure_cpus(machine, error)) {
        return false;
    }
    if (machine->accelerator) {
        accel_init_interfaces(ACCEL_GET_CLASS(machine->accelerator), machine);
    }
    if (mc->init && !mc->init(machine, error)) {
        return false;
    }
    machine->phase = PHASE_MACHINE_INITIALIZED;
    return true;
}

bool machine_done(MachineState *machine, GError **error)
{
    MachineClass *mc = MACHINE_GET_CLASS(machine);

    if (mc->done && !mc->done(machine, error)) {
        return false;
    }
    machine->phase = PHASE_MACHINE_READY;
    return true;
}

bool machine_irq_edge(MachineState *machine, IRQ irq)
{
    machine_irq_lock(machine);
    uint32_t taken = machine->irq_taken, merged = machine->irq_merged;
    irq_lower(irq);
    irq_raise(irq);
    bool lost = machine->irq_taken == taken && machine->irq_merged != merged;
    machine_irq_unlock(machine);
    return !lost;
}

CPUState *machine_get_cpu(MachineState *machine, int n)
{
    g_mutex_lock(&machine->cpus_lock);
    CPUState *cpu =
        n >= 0 && n < (int)machine->cpus->len ? g_ptr_array_index(machine->cpus, n) : NULL;
    g_mutex_unlock(&machine->cpus_lock);
    return cpu;
}

void machine_smi(MachineState *machine, bool broadcast)
{
    CPUState *asking = current_cpu && current_cpu->machine == machine ? current_cpu : NULL;

    if (!machine->smram) {
        return;
    }
    if (!broadcast) {
        CPUState *cpu = asking ? asking : machine_get_cpu(machine, 0);

        if (cpu) {
            cpu_interrupt(cpu, CPU_INTERRUPT_SMI);
        }
        return;
    }
    g_mutex_lock(&machine->cpus_lock);
    for (guint i = 0; i < machine->cpus->len; i++) {
        cpu_interrupt(g_ptr_array_index(machine->cpus, i), CPU_INTERRUPT_SMI);
    }
    g_mutex_unlock(&machine->cpus_lock);
}

bool machine_configure_cpus(MachineState *machine, GError **error)
{
    const MachineClass *mc = MACHINE_GET_CLASS(machine);

    if (mc->init_cpu_slots && !machine->cpu_slots) {
        mc->init_cpu_slots(machine);
    }
    return numa_configure(machine, error);
}

CPUSlot *machine_find_cpu_slot(MachineState *machine, uint32_t arch_id)
{
    for (unsigned i = 0; i < machine->nr_cpu_slots; i++) {
        if (machine->cpu_slots[i].arch_id == arch_id) {
            return &machine->cpu_slots[i];
        }
    }
    return NULL;
}

/* ---- the type ---------------------------------------------------------------------- */

OptionROM *option_rom_new(const char *file, int32_t bootindex)
{
    OptionROM *rom = g_new(OptionROM, 1);

    *rom = (OptionROM){g_strdup(file), bootindex};
    return rom;
}

void option_rom_free(OptionROM *rom)
{
    if (rom) {
        g_free(rom->file);
        g_free(rom);
    }
}

static void boot_options_finish(BootOptions *boot)
{
    g_free(boot->order);
    g_free(boot->once);
    g_free(boot->splash);
}

static const Property machine_properties[] = {
    DEFINE_PROP_STRING("kernel", MachineState, kernel_filename, NULL, "Kernel image file"),
    DEFINE_PROP_STRING("initrd", MachineState, initrd_filename, NULL, "Initial RAM disk file"),
    DEFINE_PROP_STRING("append", MachineState, kernel_cmdline, NULL, "Kernel command line"),
    DEFINE_PROP_STRING("firmware", MachineState, firmware, NULL, "Firmware image"),
    DEFINE_PROP_STRING("firmware-dirs", MachineState, firmware_dirs, NULL,
                       "Folders to look for firmware in first, separated by colons"),
    DEFINE_PROP_STRING("memory-backend", MachineState, memory_backend_id, NULL,
                       "Id of the memory backend that is the machine's RAM"),
    DEFINE_PROP_BOOL("usb", MachineState, usb, false, "Whether to add a USB controller"),
    DEFINE_PROP_BOOL("graphics", MachineState, graphics, true,
                     "Whether firmware and guest should use a screen"),
    DEFINE_PROP_BOOL("dump-guest-core", MachineState, dump_guest_core, true,
                     "Whether guest memory is part of a core dump of this process"),
    DEFINE_PROP_BOOL("mem-merge", MachineState, mem_merge, true,
                     "Whether the host may merge equal pages of guest memory"),
    DEFINE_PROP_BOOL("suppress-vmdesc", MachineState, suppress_vmdesc, false,
                     "Whether to leave the description out of a saved state"),
    DEFINE_PROP_END,
};

static void machine_instance_init(Object *obj)
{
    MachineState *machine = MACHINE(obj);
    MachineClass *mc = MACHINE_GET_CLASS(obj);

    g_mutex_init(&machine->irq_lock.mutex);
    g_mutex_init(&machine->cpus_lock);
    machine->cpus = g_ptr_array_new();
    machine->serial = g_ptr_array_new();
    machine->parallel = g_ptr_array_new();
    machine->drives = g_ptr_array_new();
    machine->ram_size = mc->default_ram_size;
    machine->cpu_type = mc->default_cpu_type;
    machine->smp = (SMPConfig){1, 1, 1, 1, 1, 1};
    machine->boot.splash_time = machine->boot.reboot_timeout = -1;
    machine->option_roms = g_ptr_array_new_with_free_func((GDestroyNotify)option_rom_free);
    machine->smbios_options = g_ptr_array_new_with_free_func(g_free);
    machine->acpi_table_options = g_ptr_array_new_with_free_func(g_free);
    machine->fw_cfg_options = g_ptr_array_new_with_free_func(g_free);
    machine->numa_options = g_ptr_array_new_with_free_func(g_free);
}

static bool find_device(Object *child, const char *name, void *opaque)
{
    Object **found = opaque;

    (void)name;
    *found = object_dynamic_cast(child, TYPE_DEVICE);
    return *found;
}

static void machine_unparent(Object *obj)
{
    MachineState *machine = MACHINE(obj);
    Object *dev = NULL;

    /* Devices go while the clock, the loop and the address spaces are still there, among them
     * the host bridge, which is a child of the machine itself. */
    g_clear_pointer(&machine->peripheral, object_unparent);
    g_clear_pointer(&machine->peripheral_anon, object_unparent);
    g_clear_pointer(&machine->unattached, object_unparent);
    while (object_child_foreach(obj, find_device, &dev)) {
        object_unparent(dev);
    }
}

static void machine_instance_finalize(Object *obj)
{
    MachineState *machine = MACHINE(obj);

    address_space_finish(&machine->address_space_memory);
    address_space_finish(&machine->address_space_io);
    smm_map_finish(machine);
    vmm_call_rcu(g_free, machine->system_memory);
    vmm_call_rcu(g_free, machine->system_io);
    object_unref(OBJECT(machine->accelerator));
    machine_finish_run_state(machine);
    event_loop_free(machine->loop);
    vm_clock_free(machine->clock);
    g_ptr_array_unref(machine->cpus);
    g_ptr_array_unref(machine->serial);
    g_ptr_array_unref(machine->parallel);
    g_ptr_array_unref(machine->drives);
    g_clear_pointer(&machine->block_devices, g_ptr_array_unref);
    irq_free_array(machine->gsi, machine->nr_gsi);
    g_mutex_clear(&machine->irq_lock.mutex);
    g_mutex_clear(&machine->cpus_lock);
    g_free(machine->cpu_type_option);
    boot_options_finish(&machine->boot);
    g_ptr_array_unref(machine->option_roms);
    g_free(machine->name);
    g_free(machine->mem_path);
    g_free(machine->uuid);
    g_ptr_array_unref(machine->smbios_options);
    g_ptr_array_unref(machine->acpi_table_options);
    g_ptr_array_unref(machine->fw_cfg_options);
    g_ptr_array_unref(machine->numa_options);
    g_free(machine->smp_option);
    g_free(machine->cpu_slots);
    numa_state_free(machine->numa);
}

static void machine_class_init(ObjectClass *klass, const void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);

    (void)data;
    klass->unparent = machine_unparent;
    mc->default_ram_size = 128 * 1024 * 1024;
    mc->max_cpus = mc->default_cpus = 1;
}

static bool none_machine_init(MachineState *machine, GError **error)
{
    (void)machine;
    (void)error;
    return true;
}

static void none_machine_class_init(ObjectClass *klass, const void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);

    (void)data;
    mc->name = "none";
    mc->desc = "empty machine";
    mc->init = none_machine_init;
    mc->default_ram_size = 0;
    mc->max_cpus = 1;
}

static const TypeInfo machine_types[] = {
    {.name = TYPE_MACHINE,
     .parent = TYPE_OBJECT,
     .instance_size = sizeof(MachineState),
     .instance_init = machine_instance_init,
     .instance_finalize = machine_instance_finalize,
     .class_size = sizeof(MachineClass),
     .class_init = machine_class_init,
     .properties = machine_properties,
     .abstract = true,
     .doc = "Root of all machines"},
    {.name = MACHINE_TYPE_NAME("none"),
     .parent = TYPE_MACHINE,
     .class_init = none_machine_class_init,
     .doc = "Machine with nothing in it"},
};
DEFINE_TYPES(machine_types)
