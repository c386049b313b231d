/* SPDX-License-Identifier: MIT
 *
 * The pc machine as a whole, with no CPU running: its wiring, its memory, what firmware or a
 * kernel finds.
 */
#include <glib/gstdio.h>
#include <string.h>
#include "hw/acpi/tables.h"
#include "hw/core/memory-map.h"
#include "hw/i386/pc.h"
#include "hw/pci-host/i440fx.h"
#include "system/block/block.h"
#include "system/loop/main-loop.h"
#include "system/runstate.h"

#define MIB       (1ull << 20)
#define RSDP      0xf5000u
#define BIOS_SIZE 65536u
#define ENTRY     0x100020u

typedef struct PcTest {
    MachineState *machine;
    char *file;
} PcTest;

/* A reset vector that says who it is. */
static void write_bios(const char *path)
{
    g_autofree char *rom = g_malloc0(BIOS_SIZE);

    memcpy(rom + BIOS_SIZE - 16, "reset vector....", 16);
    g_assert_true(g_file_set_contents(path, rom, BIOS_SIZE, NULL));
}

static void write_multiboot(const char *path)
{
    uint32_t image[] = {0x1badb002, 0x10000, 0, 0x100000, 0x100000, 0, 0, ENTRY, 0xfeedc0de};

    image[2] = -(image[0] + image[1]);
    g_assert_true(g_file_set_contents(path, (char *)image, sizeof(image), NULL));
}

static PcTest *pc_begin(bool direct, uint64_t ram_size)
{
    PcTest *p = g_new0(PcTest, 1);
    g_autoptr(GError) error = NULL;

    vmm_thread_register();
    p->machine = machine_new(machine_find_class("pc", NULL), &error);
    g_assert_no_error(error);
    g_close(g_file_open_tmp("pc-XXXXXX", &p->file, NULL), NULL);
    cpu_exec_init_all(p->machine);
    page_size_init();
    p->machine->ram_size = ram_size;
    if (direct) {
        write_multiboot(p->file);
        p->machine->kernel_filename = g_strdup(p->file);
    } else {
        write_bios(p->file);
        p->machine->firmware = g_strdup(p->file);
    }
    return p;
}

static void pc_finish_start(PcTest *p)
{
    g_autoptr(GError) error = NULL;
    bool ok = do_configure_accelerator(p->machine, "qtest", &error) &&
              machine_create_ram(p->machine, &error) &&
              machine_run_board_init(p->machine, &error) && machine_done(p->machine, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
    system_reset(p->machine, SHUTDOWN_CAUSE_NONE);
}

static PcTest *pc_new(bool direct, uint64_t ram_size)
{
    PcTest *p = pc_begin(direct, ram_size);

    pc_finish_start(p);
    return p;
}

static void pc_free(PcTest *p)
{
    object_ref(OBJECT(p->machine));
    machine_free(p->machine);
    blk_drives_free(p->machine); /* the default ones, when no device has them any more */
    object_unref(OBJECT(p->machine));
    g_unlink(p->file);
    g_free(p->file);
    g_free(p);
    vmm_thread_unregister();
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PcTest, pc_free)

static uint64_t in(PcTest *p, uint16_t port, unsigned size)
{
    uint64_t value = 0;

    address_space_load(&p->machine->address_space_io, port, &value, size, MEMTXATTRS_NONE);
    return value;
}

static void out(PcTest *p, uint16_t port, uint64_t value, unsigned size)
{
    address_space_store(&p->machine->address_space_io, port, value, size, MEMTXATTRS_NONE);
}

static uint64_t mem(PcTest *p, uint64_t addr, unsigned size)
{
    uint64_t value = 0;

    address_space_load(&p->machine->address_space_memory, addr, &value, size, MEMTXATTRS_NONE);
    return value;
}

static void set_mem(PcTest *p, uint64_t addr, uint64_t value, unsigned size)
{
    address_space_store(&p->machine->address_space_memory, addr, value, size, MEMTXATTRS_NONE);
}

static uint32_t pci_config(PcTest *p, unsigned devfn, unsigned reg)
{
    out(p, 0xcf8, 0x80000000u | devfn << 8 | reg, 4);
    return (uint32_t)in(p, 0xcfc, 4);
}

static uint8_t cmos(PcTest *p, uint8_t index)
{
    out(p, 0x70, index, 1);
    return (uint8_t)in(p, 0x71, 1);
}

/* ---- what is there --------------------------------------------------------------------- */

static void test_devices(void)
{
    g_autoptr(PcTest) p = pc_new(false, 128 * MIB);

    g_assert_cmphex(pci_config(p, PCI_MAKE_DEVFN(0, 0), 0), ==, 0x12378086);
    g_assert_cmphex(pci_config(p, PCI_MAKE_DEVFN(1, 0), 0), ==, 0x70008086);
    g_assert_cmphex(pci_config(p, PCI_MAKE_DEVFN(1, 1), 0), ==, 0x70108086);
    g_assert_cmphex(pci_config(p, PCI_MAKE_DEVFN(1, 3), 0), ==, 0x71138086);
    g_assert_cmphex(pci_config(p, PCI_MAKE_DEVFN(2, 0), 8) >> 16, ==, 0x0300);
    g_assert_cmphex(pci_config(p, PCI_MAKE_DEVFN(3, 0), 0), ==, 0xffffffff);
    g_assert_cmphex(mem(p, 0xfec00000 + 0x10, 4), !=, 0xffffffff);
    g_assert_cmphex(mem(p, 0xfed00000, 4), ==, 0x8086a201);
    out(p, 0x510, 0, 2);
    g_assert_cmphex(in(p, 0x511, 1), ==, 'Q');
}

static void test_cmos(void)
{
    g_autoptr(PcTest) p = pc_new(false, 128 * MIB);

    g_assert_cmphex(cmos(p, 0x15) | cmos(p, 0x16) << 8, ==, 640);
    g_assert_cmphex(cmos(p, 0x30) | cmos(p, 0x31) << 8, ==, 0xffff);
    g_assert_cmphex(cmos(p, 0x34) | cmos(p, 0x35) << 8, ==, 112 * 16);
    g_assert_cmphex(cmos(p, 0x3d), ==, 0x12); /* "cad": disk, floppy */
    g_assert_cmphex(cmos(p, 0x38) >> 4, ==, 3);
}

static void test_nodefaults(void)
{
    g_autoptr(PcTest) p = pc_begin(false, 32 * MIB);

    p->machine->absent_defaults = MACHINE_DEFAULT_ALL;
    g_assert_true(object_property_set_bool(OBJECT(p->machine), "hpet", false, NULL));
    g_assert_true(object_property_set_bool(OBJECT(p->machine), "i8042", false, NULL));
    pc_finish_start(p);
    g_assert_cmphex(pci_config(p, PCI_MAKE_DEVFN(2, 0), 0), ==, 0xffffffff);
    g_assert_cmphex(mem(p, 0xfed00000, 4), ==, 0xffffffff);
    g_assert_cmphex(in(p, 0x64, 1), ==, 0xff);
}

/* ---- M14 --------------------------------------------------------------------------------- */

static void test_apic_ids(void)
{
    const SMPConfig three_cores = {6, 2, 1, 3, 1, 6}, threads = {8, 2, 1, 2, 2, 8};

    g_assert_cmpuint(x86_apic_id_from_index(&three_cores, 2), ==, 2);
    g_assert_cmpuint(x86_apic_id_from_index(&three_cores, 3), ==, 4); /* cores take two bits */
    g_assert_cmpuint(x86_apic_id_from_index(&threads, 7), ==, 7);
    g_assert_cmpuint(x86_apic_id_from_index(&threads, 5), ==, 5);
}

static void test_cpus(void)
{
    g_autoptr(PcTest) p = pc_begin(false, 32 * MIB);

    p->machine->smp = (SMPConfig){3, 3, 1, 1, 1, 4};
    pc_finish_start(p);
    g_assert_cmpuint(p->machine->cpus->len, ==, 3);
    for (int i = 0; i < 3; i++) {
        X86CPU *cpu = X86_CPU(machine_get_cpu(p->machine, i));
        g_assert_cmpuint(cpu->apic_id, ==, i);
        g_assert_nonnull(cpu->apic);
        g_assert_nonnull(CPU_GET_CLASS(cpu)->accel_cpu); /* M12 */
    }
    g_assert_cmphex(cmos(p, 0x5f), ==, 2);
}

/* ---- M16 ------------------------------------------------------------------------------------ */

static bool is_ram(PcTest *p, uint64_t addr)
{
    set_mem(p, addr, 0x5a5aa5a5, 4);
    return mem(p, addr, 4) == 0x5a5aa5a5;
}

static void test_memory_split(void)
{
    g_autoptr(PcTest) p = pc_new(false, 4096 * MIB);

    g_assert_true(is_ram(p, 0xbffff000));
    g_assert_false(is_ram(p, 0xc0000000));
    g_assert_true(is_ram(p, 0x100000000));
    g_assert_true(is_ram(p, 0x13ffff000));
    g_assert_false(is_ram(p, 0x140000000));
}

static void test_memory_in_one_piece(void)
{
    g_autoptr(PcTest) p = pc_new(false, 3583 * MIB);

    g_assert_true(is_ram(p, 0xdfeff000));
    g_assert_false(is_ram(p, 0x100000000));
}

static void test_firmware(void)
{
    g_autoptr(PcTest) p = pc_new(false, 32 * MIB);

    g_assert_cmphex(mem(p, 0xfffffff0, 4), ==, 0x65736572); /* "rese" */
    g_assert_cmphex(mem(p, 0xffff0, 4), ==, 0x65736572);
    set_mem(p, 0xfffffff0, 0, 4); /* it is a ROM */
    g_assert_cmphex(mem(p, 0xfffffff0, 4), ==, 0x65736572);
    g_assert_cmphex(cpu_env(machine_get_cpu(p->machine, 0))->rip, ==, 0xfff0);
}

/* ---- M17, M20, M21 -------------------------------------------------------------------------- */

static void record_pin(void *opaque, int n, int level)
{
    int *levels = opaque;

    levels[n] = level;
}

static void test_gsi(void)
{
    g_autoptr(PcTest) p = pc_new(false, 32 * MIB);
    int pins[IOAPIC_NUM_PINS] = {0};

    qdev_intercept_gpio(X86_MACHINE(p->machine)->ioapic, NULL, false, record_pin, pins);
    irq_set(p->machine->gsi[4], 1);
    g_assert_cmpint(pins[4], ==, 1);
    out(p, 0x20, 0x0a, 1); /* read the request register */
    g_assert_cmphex(in(p, 0x20, 1) & 0x10, ==, 0x10);
    irq_set(p->machine->gsi[4], 0);
    g_assert_cmpint(pins[4], ==, 0);
    irq_set(p->machine->gsi[0], 1);
    g_assert_cmpint(pins[0], ==, 1); /* which the I/O APIC takes to its pin 2 */
    irq_set(p->machine->gsi[20], 1);
    g_assert_cmpint(pins[20], ==, 1);
}

static void test_nmi(void)
{
    g_autoptr(PcTest) p = pc_new(true, 32 * MIB);
    CPUState *cpu = machine_get_cpu(p->machine, 0);
    MachineClass *mc = MACHINE_GET_CLASS(p->machine);

    out(p, 0x70, 0x8f, 1); /* masked: it waits */
    mc->inject_nmi(p->machine);
    g_assert_false(cpu_interrupt_pending(cpu, CPU_INTERRUPT_NMI));
    out(p, 0x70, 0x0f, 1);
    g_assert_true(cpu_interrupt_pending(cpu, CPU_INTERRUPT_NMI));
    cpu_reset_interrupt(cpu, CPU_INTERRUPT_NMI);
    out(p, 0x70, 0x8f, 1);
    out(p, 0x70, 0x0f, 1);
    g_assert_false(cpu_interrupt_pending(cpu, CPU_INTERRUPT_NMI));
    mc->inject_nmi(p->machine);
    g_assert_true(cpu_interrupt_pending(cpu, CPU_INTERRUPT_NMI));
}

static void test_coprocessor(void)
{
    g_autoptr(PcTest) p = pc_new(false, 32 * MIB);

    irq_raise(X86_CPU(machine_get_cpu(p->machine, 0))->ferr);
    out(p, 0xa0, 0x0a, 1);
    g_assert_cmphex(in(p, 0xa0, 1) & 0x20, ==, 0x20);
    g_assert_cmphex(in(p, 0xf0, 1), ==, 0xff);
    out(p, 0xf0, 0, 1);
    irq_raise(X86_CPU(machine_get_cpu(p->machine, 0))->ferr);
}

static void test_smi(void)
{
    g_autoptr(PcTest) p = pc_new(false, 32 * MIB);
    CPUState *cpu = machine_get_cpu(p->machine, 0);
    uint32_t pm = 0x80000000u | PCI_MAKE_DEVFN(1, 3) << 8;

    out(p, 0xb2, 0, 1);
    g_assert_false(cpu_interrupt_pending(cpu, CPU_INTERRUPT_SMI));
    out(p, 0xcf8, pm | 0x58, 4);
    out(p, 0xcff, 0x02, 1); /* APMC_EN */
    out(p, 0xb2, 0, 1);
    g_assert_true(cpu_interrupt_pending(cpu, CPU_INTERRUPT_SMI));
}

/* What only a CPU in SMM sees at a0000h: the 82441FX's SMRAM register. */
static void test_smram(void)
{
    g_autoptr(PcTest) p = pc_new(false, 32 * MIB);
    AddressSpace *smm = &p->machine->address_space_smm;
    uint64_t value;

    out(p, 0xcf8, 0x80000070, 4);
    out(p, 0xcfe, 0x4a, 1); /* G_SMRAME, D_OPEN */
    set_mem(p, 0xa0000, 0x1234, 2);
    g_assert_cmphex(mem(p, 0xa0000, 2), ==, 0x1234);
    out(p, 0xcfe, 0x0a, 1);
    g_assert_cmphex(mem(p, 0xa0000, 2), !=, 0x1234);
    address_space_load(smm, 0xa0000, &value, 2, MEMTXATTRS_NONE);
    g_assert_cmphex(value, ==, 0x1234);
    out(p, 0xcfe, 0x1a, 1); /* locked: */
    out(p, 0xcfe, 0x4a, 1);
    g_assert_cmphex(in(p, 0xcfe, 1), ==, 0x1a);
    g_assert_cmphex(mem(p, 0xa0000, 2), !=, 0x1234);
    address_space_load(smm, 0x100000, &value, 4, MEMTXATTRS_NONE);
    set_mem(p, 0x100000, 0x55aa55aa, 4);
    address_space_load(smm, 0x100000, &value, 4, MEMTXATTRS_NONE);
    g_assert_cmphex(value, ==, 0x55aa55aa);
}

/* ---- a kernel without firmware -------------------------------------------------------------- */

static void test_direct_memory(void)
{
    g_autoptr(PcTest) p = pc_new(true, 64 * MIB);
    CPUX86State *env = cpu_env(machine_get_cpu(p->machine, 0));

    g_assert_cmphex(env->rip, ==, ENTRY);
    g_assert_cmphex(env->regs[R_EAX], ==, 0x2badb002);
    g_assert_cmphex(env->cr0 & (CR0_PE | CR0_PG), ==, CR0_PE);
    g_assert_cmphex(mem(p, ENTRY, 4), ==, 0xfeedc0de);
    g_assert_cmphex(mem(p, RSDP, 8), ==, 0x2052545020445352ull);      /* "RSD PTR " */
    g_assert_cmphex(mem(p, mem(p, RSDP + 16, 4), 4), ==, 0x54445352); /* "RSDT" */
    g_assert_cmphex(mem(p, RSDP + 0x100, 4), ==, 0x5f4d535f);         /* "_SM_" */
    g_assert_cmphex(env->mtrr_deftype, ==, 0xc06);
}

static void test_direct_devices(void)
{
    g_autoptr(PcTest) p = pc_new(true, 64 * MIB);

    g_assert_cmphex(pci_config(p, PCI_MAKE_DEVFN(1, 0), 0x60), ==, 0x0b0b0a0a);
    g_assert_cmphex(in(p, 0x4d1, 1) & 0x0c, ==, 0x0c);
    g_assert_cmphex(pci_config(p, PCI_MAKE_DEVFN(1, 3), 0x40) & 0xffc0, ==, 0x600);
    g_assert_cmphex(pci_config(p, PCI_MAKE_DEVFN(1, 3), 0x90), ==, 0x701);
    g_assert_cmphex(pci_config(p, PCI_MAKE_DEVFN(1, 3), 0x3c) & 0xff, ==, 9);
    g_assert_cmphex(in(p, 0x604, 2) & 1, ==, 1); /* SCI_EN */
    g_assert_cmphex(pci_config(p, PCI_MAKE_DEVFN(2, 0), 0x10) & ~0xfu, !=, 0);
    g_assert_cmphex(pci_config(p, PCI_MAKE_DEVFN(2, 0), 4) & 3, ==, 3);
    g_assert_cmphex(mem(p, 0xb8000, 2), ==, 0x0720); /* a blank text screen */
    g_assert_true(is_ram(p, 0xf8000));
}

static void test_direct_reset(void)
{
    g_autoptr(PcTest) p = pc_new(true, 64 * MIB);
    CPUX86State *env = cpu_env(machine_get_cpu(p->machine, 0));

    set_mem(p, ENTRY, 0, 4);
    set_mem(p, RSDP, 0, 8);
    env->rip = 0;
    system_reset(p->machine, SHUTDOWN_CAUSE_GUEST_RESET);
    g_assert_cmphex(env->rip, ==, ENTRY);
    g_assert_cmphex(mem(p, ENTRY, 4), ==, 0xfeedc0de);
    g_assert_cmphex(mem(p, RSDP, 4), ==, 0x20445352);
}

/* ---- fw_cfg --------------------------------------------------------------------------------- */

static void test_files(void)
{
    static const char *const names[] = {"etc/e820",
                                        "etc/acpi/tables",
                                        "etc/acpi/rsdp",
                                        "etc/table-loader",
                                        "etc/smbios/smbios-tables",
                                        "etc/smbios/smbios-anchor",
                                        "etc/system-states",
                                        "bootorder",
                                        "etc/boot-fail-wait",
                                        "opt/mine"};
    g_autoptr(PcTest) p = pc_begin(false, 32 * MIB);

    g_ptr_array_add(p->machine->fw_cfg_options, g_strdup("name=opt/mine,string=x"));
    pc_finish_start(p);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_assert_nonnull(fw_cfg_get_file(p->machine->fw_cfg, names[i]));
    }
}

/* Firmware puts the PM block where it likes; the tables follow. */
static void test_acpi_follows_pm_base(void)
{
    g_autoptr(PcTest) p = pc_new(false, 32 * MIB);
    uint16_t base = 0xb000;

    out(p, 0xcf8, 0x80000000u | PCI_MAKE_DEVFN(1, 3) << 8 | 0x40, 4);
    out(p, 0xcfc, base | 1, 4);
    for (unsigned key = FW_CFG_FILE_FIRST; key < FW_CFG_FILE_FIRST + 12; key++) {
        out(p, 0x510, key, 2);
    }
    GBytes *tables = fw_cfg_get_file(p->machine->fw_cfg, ACPI_TABLES_FILE);
    gsize len;
    const uint8_t *data = g_bytes_get_data(tables, &len);
    const uint8_t *fadt = memmem(data, len, "FACP", 4);
    g_assert_nonnull(fadt);
    g_assert_cmpint(memcmp(fadt + 56, &base, 2), ==, 0);
}

static void test_bad_options(void)
{
    static const struct {
        const char *smbios, *fw_cfg, *acpi;
    } rows[] = {
        {"type=1,nope=1", NULL,     NULL        },
        {NULL,            "name=x", NULL        },
        {NULL,            NULL,     "file=/none"}
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(PcTest) p = pc_begin(false, 32 * MIB);
        g_autoptr(GError) error = NULL;
        if (rows[i].smbios) {
            g_ptr_array_add(p->machine->smbios_options, g_strdup(rows[i].smbios));
        }
        if (rows[i].fw_cfg) {
            g_ptr_array_add(p->machine->fw_cfg_options, g_strdup(rows[i].fw_cfg));
        }
        if (rows[i].acpi) {
            g_ptr_array_add(p->machine->acpi_table_options, g_strdup(rows[i].acpi));
        }
        g_assert_true(do_configure_accelerator(p->machine, "qtest", NULL));
        g_assert_true(machine_create_ram(p->machine, NULL));
        g_assert_true(machine_run_board_init(p->machine, NULL));
        g_assert_false(machine_done(p->machine, &error));
        g_assert_nonnull(error);
    }
}

/* ---- devices that bring tables ------------------------------------------------------------ */

static uint64_t find_in_ram(PcTest *p, const void *bytes, size_t len)
{
    const uint8_t *ram = memory_region_get_ram_ptr(p->machine->ram);
    const uint8_t *at = memmem(ram, memory_region_size(p->machine->ram), bytes, len);

    return at ? (uint64_t)(at - ram) : 0;
}

static void test_vmgenid(void)
{
    static const uint8_t first[] = {0xaf, 0x6e, 0x4e, 0x32, 0xd1, 0xd1, 0xf6, 0x4b,
                                    0xbf, 0x41, 0xb9, 0xbb, 0x6c, 0x91, 0xfb, 0x87};
    static const uint8_t second[] = {4, 3, 2, 1, 6, 5, 8, 7, 9, 10, 11, 12, 13, 14, 15, 16};
    g_autoptr(PcTest) p = pc_begin(true, 128 * MIB);
    g_autoptr(GError) error = NULL;
    bool ok = do_configure_accelerator(p->machine, "qtest", &error) &&
              machine_create_ram(p->machine, &error) && machine_run_board_init(p->machine, &error);
    DeviceState *dev = qdev_new("vmgenid", &error);

    object_add_child(p->machine->unattached, "vmgenid", OBJECT(dev), NULL);

    g_assert_true(ok);
    object_property_parse(OBJECT(dev), "guid", "324E6EAF-d1d1-4bf6-bf41-b9bb6c91fb87", &error);
    g_assert_no_error(error);
    g_assert_true(qdev_realize(dev, NULL, &error) && machine_done(p->machine, &error));
    system_reset(p->machine, SHUTDOWN_CAUSE_NONE);
    uint64_t guid = find_in_ram(p, first, sizeof(first));
    uint64_t ssdt = find_in_ram(p, "VMGENID", 8);
    g_assert_cmphex(guid & 4095, ==, 40);
    g_assert_cmphex(mem(p, ssdt + 20, 1), ==, 0x08);
    g_assert_cmphex(mem(p, ssdt + 26, 4), ==, guid - 40);
    /* Another VM now: the guest's copy changes, and an event tells it. */
    object_property_parse(OBJECT(dev), "guid", "01020304-0506-0708-090a-0b0c0d0e0f10", &error);
    g_assert_no_error(error);
    g_assert_cmphex(find_in_ram(p, second, sizeof(second)), ==, guid);
    g_assert_cmphex(PC_MACHINE(p->machine)->acpi->gpe_sts[0] & 0x20, ==, 0x20);
    g_assert_false(object_property_parse(OBJECT(dev), "guid", "nonsense", NULL));
    object_unref(dev);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pc/devices", test_devices);
    g_test_add_func("/pc/cmos", test_cmos);
    g_test_add_func("/pc/nodefaults", test_nodefaults);
    g_test_add_func("/pc/apic-ids", test_apic_ids);
    g_test_add_func("/pc/cpus", test_cpus);
    g_test_add_func("/pc/memory-split", test_memory_split);
    g_test_add_func("/pc/memory-in-one-piece", test_memory_in_one_piece);
    g_test_add_func("/pc/firmware", test_firmware);
    g_test_add_func("/pc/gsi", test_gsi);
    g_test_add_func("/pc/nmi", test_nmi);
    g_test_add_func("/pc/coprocessor", test_coprocessor);
    g_test_add_func("/pc/smi", test_smi);
    g_test_add_func("/pc/smram", test_smram);
    g_test_add_func("/pc/direct-memory", test_direct_memory);
    g_test_add_func("/pc/direct-devices", test_direct_devices);
    g_test_add_func("/pc/direct-reset", test_direct_reset);
    g_test_add_func("/pc/fw-cfg-files", test_files);
    g_test_add_func("/pc/acpi-follows-pm-base", test_acpi_follows_pm_base);
    g_test_add_func("/pc/bad-options", test_bad_options);
    g_test_add_func("/pc/vmgenid", test_vmgenid);
    return g_test_run();
}
