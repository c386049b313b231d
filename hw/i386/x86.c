/* SPDX-License-Identifier: MIT */
#include "hw/i386/x86.h"
#include <string.h>
#include "accel/accel.h"
#include "hw/core/memory-map.h"
#include "hw/i386/boot.h"
#include "hw/intc/apic.h"
#include "quoin-config.h"

#define FOUR_GIB         0x100000000ull
#define MIN_RAM_SPLIT    0x00100000ull
#define BIOS_DEFAULT     "bios-256k.bin"
#define BIOS_MAX_SIZE    (16u * 1024 * 1024)
#define BIOS_GRANULARITY (64u * 1024)
#define ISA_BIOS_SIZE    (128u * 1024)

/* ---- CPUs ----------------------------------------------------------------------- */

static bool x86_smm_init(X86MachineState *x86ms, GError **error)
{
    MachineState *machine = MACHINE(x86ms);
    bool available = accel_has_smm(machine);

    if (x86ms->smm == ON_OFF_AUTO_ON && !available) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "-machine smm=on: this host's %s has no system management mode; auto and off "
                    "are possible", ACCEL_GET_CLASS(machine->accelerator)->name);
        return false;
    }
    if (available && x86ms->smm != ON_OFF_AUTO_OFF) {
        smm_map_init(machine);
    }
    return true;
}

bool x86_cpus_init(X86MachineState *x86ms, GError **error)
{
    MachineState *machine = MACHINE(x86ms);

    if (!x86_smm_init(x86ms, error)) {
        return false;
    }
    for (unsigned i = 0; i < machine->nr_cpu_slots; i++) {
        g_array_append_val(x86ms->apic_ids, machine->cpu_slots[i].arch_id);
    }
    for (uint32_t i = 0; i < machine->smp.cpus; i++) {
        if (!x86_cpu_new(x86ms, machine->cpu_slots[i].arch_id, error)) {
            return false;
        }
    }
    return true;
}

/* ---- NMI ----------------------------------------------------------------------------- */

void x86_inject_nmi(MachineState *machine)
{
    X86MachineState *x86ms = X86_MACHINE(machine);

    machine_irq_lock(machine);
    x86ms->nmi_pending = x86ms->nmi_masked;
    if (!x86ms->nmi_masked) {
        apic_nmi(machine);
    }
    machine_irq_unlock(machine);
}

static void x86_set_nmi_mask(void *opaque, int n, int level)
{
    X86MachineState *x86ms = opaque;
    MachineState *machine = MACHINE(x86ms);

    machine_irq_lock(machine);
    x86ms->nmi_masked = level;
    if (!level && x86ms->nmi_pending) {
        x86_inject_nmi(machine);
    }
    machine_irq_unlock(machine);
}

void x86_nmi_init(X86MachineState *x86ms)
{
    x86ms->nmi_mask = irq_new(x86_set_nmi_mask, x86ms, 0);
    qdev_connect_gpio_out_named(DEVICE(x86ms->rtc), RTC_NMI_MASK, 0, x86ms->nmi_mask);
}

/* ---- memory ------------------------------------------------------------------------ */

static void x86_split_memory(X86MachineState *x86ms, const X86LowMemory *low)
{
    uint64_t ram = MACHINE(x86ms)->ram_size;
    uint64_t split = x86ms->max_ram_below_4g;

    if (!split) {
        split = ram >= low->whole ? low->split : low->whole;
    }
    x86ms->below_4g_mem_size = MIN(ram, split);
    x86ms->above_4g_mem_size = ram - x86ms->below_4g_mem_size;
}

bool x86_memory_init(X86MachineState *x86ms, const X86LowMemory *low, GError **error)
{
    MachineState *machine = MACHINE(x86ms);
    Object *owner = OBJECT(x86ms);

    if (!machine->ram) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "the machine has no RAM (-m)");
        return false;
    }
    x86_split_memory(x86ms, low);
    memory_region_init_alias(&x86ms->ram_below_4g, owner, "ram-below-4g", machine->ram, 0,
                             x86ms->below_4g_mem_size);
    memory_region_add_subregion(machine->system_memory, 0, &x86ms->ram_below_4g);
    if (x86ms->above_4g_mem_size) {
        memory_region_init_alias(&x86ms->ram_above_4g, owner, "ram-above-4g", machine->ram,
                                 x86ms->below_4g_mem_size, x86ms->above_4g_mem_size);
        memory_region_add_subregion(machine->system_memory, FOUR_GIB, &x86ms->ram_above_4g);
    }
    return true;
}

/* ---- firmware --------------------------------------------------------------------------- */

bool x86_boots_directly(const X86MachineState *x86ms)
{
    const MachineState *machine = &x86ms->parent_obj;

    return machine->kernel_filename && !machine->firmware && !x86ms->flash_firmware;
}

static GBytes *firmware_read(X86MachineState *x86ms, GError **error)
{
    MachineState *machine = MACHINE(x86ms);
    const char *name = machine->firmware ? machine->firmware : BIOS_DEFAULT;
    const char *dirs = machine->firmware_dirs ? machine->firmware_dirs : QUOIN_FIRMWARE_PATH;
    g_autofree char *path = loader_find_file(name, dirs);

    if (!path) {
        g_set_error(error, LOADER_ERROR, LOADER_ERROR_FILE,
                    "-bios: no firmware '%s' in %s (-L adds a folder)", name, dirs);
        return NULL;
    }
    g_autoptr(GBytes) data = loader_read_file("-bios", path, error);
    if (!data) {
        return NULL;
    }
    gsize size = g_bytes_get_size(data);
    if (size % BIOS_GRANULARITY || size > BIOS_MAX_SIZE) {
        g_set_error(error, LOADER_ERROR, LOADER_ERROR_FORMAT,
                    "-bios '%s': %zu bytes; a multiple of 64 KiB up to 16 MiB is expected", path,
                    size);
        return NULL;
    }
    return g_steal_pointer(&data);
}

/* iPXE and others are bzImages that only start in real mode: such have a BIOS without being told. */
static void choose_firmware(MachineState *machine)
{
    g_autoptr(GBytes) kernel = machine->kernel_filename && !machine->firmware
                                   ? loader_read_file("-kernel", machine->kernel_filename, NULL)
                                   : NULL;

    if (kernel && x86_boot_needs_bios(kernel)) {
        machine->firmware = g_strdup(BIOS_DEFAULT);
    }
}

bool x86_firmware_init(X86MachineState *x86ms, MemoryRegion *rom_memory, GError **error)
{
    choose_firmware(MACHINE(x86ms));
    if (x86_boots_directly(x86ms)) {
        return true;
    }
    g_autoptr(GBytes) data = firmware_read(x86ms, error);
    if (!data) {
        return false;
    }
    gsize size = g_bytes_get_size(data), isa_size = MIN(size, ISA_BIOS_SIZE);
    if (!memory_region_init_rom(&x86ms->bios, OBJECT(x86ms), "pc.bios", size, error)) {
        return false;
    }
    memcpy(memory_region_get_ram_ptr(&x86ms->bios), g_bytes_get_data(data, NULL), size);
    memory_region_add_subregion(rom_memory, FOUR_GIB - size, &x86ms->bios);
    memory_region_init_alias(&x86ms->isa_bios, OBJECT(x86ms), "isa-bios", &x86ms->bios,
                             size - isa_size, isa_size);
    memory_region_add_subregion_overlap(rom_memory, 0x100000 - isa_size, &x86ms->isa_bios, 1);
    return true;
}

bool x86_isa_bios_copy(X86MachineState *x86ms, MemoryRegion *rom_memory, MemoryRegion *firmware,
                       GError **error)
{
    uint64_t size = memory_region_size(firmware), isa_size = MIN(size, ISA_BIOS_SIZE);
    const uint8_t *from = memory_region_get_ram_ptr(firmware);

    if (!memory_region_init_rom(&x86ms->isa_bios, OBJECT(x86ms), "isa-bios", isa_size, error)) {
        return false;
    }
    memcpy(memory_region_get_ram_ptr(&x86ms->isa_bios), from + size - isa_size, isa_size);
    memory_region_add_subregion_overlap(rom_memory, 0x100000 - isa_size, &x86ms->isa_bios, 1);
    return true;
}

/* ---- the type ----------------------------------------------------------------------------- */

static bool check_max_ram_below_4g(Object *obj, const Property *prop, GVariant *value,
                                   GError **error)
{
    uint64_t size = g_variant_get_uint64(value);

    if (size < MIN_RAM_SPLIT || size > FOUR_GIB) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "max-ram-below-4g must be between 1 MiB and 4 GiB");
        return false;
    }
    return true;
}

static const char *const smbios_entry_point_names[] = {"32", "64", NULL};
static const EnumInfo smbios_entry_point_enum = {"SmbiosEntryPointType", smbios_entry_point_names};

static const Property x86_machine_properties[] = {
    DEFINE_PROP_SIZE("max-ram-below-4g", X86MachineState, max_ram_below_4g, 0,
                     "most RAM below 4 GiB; 0: chosen by the size of RAM",
                     .check = check_max_ram_below_4g),
    DEFINE_PROP_ON_OFF_AUTO("acpi", X86MachineState, acpi, ON_OFF_AUTO_AUTO, "ACPI tables"),
    DEFINE_PROP_ON_OFF_AUTO("smm", X86MachineState, smm, ON_OFF_AUTO_AUTO,
                            "system management mode; auto: if the accelerator has it"),
    DEFINE_PROP_ENUM("smbios-entry-point-type", X86MachineState, smbios_entry_point,
                     &smbios_entry_point_enum, SMBIOS_ENTRY_POINT_32,
                     "bits of the SMBIOS entry point: version 2.8 or 3.0"),
    DEFINE_PROP_END,
};

static void x86_machine_instance_init(Object *obj)
{
    X86MachineState *x86ms = X86_MACHINE(obj);
    MachineClass *mc = MACHINE_GET_CLASS(obj);

    x86ms->apic_ids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    x86ms->reserved = e820_new();
    x86ms->smbios = smbios_config_new(mc->desc, mc->name);
}

static void x86_machine_finalize(Object *obj)
{
    X86MachineState *x86ms = X86_MACHINE(obj);

    g_array_unref(x86ms->apic_ids);
    g_array_unref(x86ms->reserved);
    smbios_config_free(x86ms->smbios);
    loader_free(x86ms->loader);
    irq_unref(x86ms->nmi_mask);
    acpi_cpu_hotplug_finish(&x86ms->cpu_hotplug);
}

static void x86_machine_class_init(ObjectClass *klass, const void *data)
{
    MachineClass *mc = MACHINE_CLASS(klass);

    mc->init_cpu_slots = x86_init_cpu_slots;
    mc->pre_plug_cpu = x86_pre_plug_cpu;
    mc->plug_cpu = x86_plug_cpu;
    mc->unplug_request_cpu = x86_unplug_request_cpu;
}

static const TypeInfo x86_machine_types[] = {
    {
     .name = TYPE_X86_MACHINE,
     .parent = TYPE_MACHINE,
     .abstract = true,
     .instance_size = sizeof(X86MachineState),
     .instance_init = x86_machine_instance_init,
     .instance_finalize = x86_machine_finalize,
     .class_init = x86_machine_class_init,
     .properties = x86_machine_properties,
     },
};

DEFINE_TYPES(x86_machine_types)
