/* SPDX-License-Identifier: MIT
 *
 * LPC interface bridge of the Intel ICH9, D31:F0 (data sheet 316972, 13.1).
 *
 *   40-43  PMBASE: 15-7 base                           (13.1.13)
 *   44     ACPI_CNTL: 7 ACPI_EN  2-0 SCI_IRQ_SEL       (13.1.14)
 *   60-63  PIRQA_ROUT .. PIRQD, 68-6b PIRQE .. PIRQH: 7 IRQEN (not routed)  3-0 IRQ  (13.1.17, 19)
 *   80, 82 LPC_I/O_DEC, LPC_EN                         (13.1.21, 22)
 *   a0     GEN_PMCON_1: 4 SMI_LOCK                     (13.8.1.1)
 *   dc     BIOS_CNTL: 1 BLE  0 BIOSWE                  (13.1.31)
 *   f0-f3  RCBA: 31-14 base  0 enable                  (13.1.35)
 *
 *   ports  b2, b3 APM   cf9 reset control: 3 FULL_RST  2 RST_CPU  1 SYS_RST  (13.7.5)
 */
#include <string.h>
#include "hw/core/machine.h"
#include "hw/isa/lpc_ich9-internal.h"
#include "hw/pci/pci-internal.h"

#define LPC_PMBASE        0x40
#define LPC_ACPI_CNTL     0x44
#define LPC_LPC_IO_DEC    0x80
#define LPC_LPC_EN        0x82
#define LPC_GEN_PMCON_1   0xa0
#define LPC_BIOS_CNTL     0xdc
#define LPC_RCBA          0xf0
#define ACPI_CNTL_ACPI_EN 0x80
#define GEN_PMCON_SMI_LCK 0x10
#define RCBA_ADDRESS      0xffffc000u
#define RCBA_ENABLE       1u
#define LPC_EN_COMA       0x0001
#define LPC_EN_COMB       0x0002
#define LPC_EN_LPT        0x0004
#define RST_CNT_RST_CPU   0x04
#define RST_CNT_WRITABLE  0x0a

/* ---- reset control ---------------------------------------------------------------------- */

static uint64_t rst_read(void *opaque, hwaddr addr, unsigned size)
{
    ICH9LPCState *lpc = opaque;

    return addr == 1 && size == 1 ? lpc->rst_cnt : UINT32_MAX >> (32 - 8 * size);
}

static void rst_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    ICH9LPCState *lpc = opaque;

    if (addr != 1 || size != 1) {
        return;
    }
    if (value & RST_CNT_RST_CPU) {
        system_reset_request(lpc->parent_obj.machine, SHUTDOWN_CAUSE_GUEST_RESET);
    } else {
        lpc->rst_cnt = value & RST_CNT_WRITABLE;
    }
}

static const MemoryRegionOps rst_ops = {
    .read = rst_read,
    .write = rst_write,
    .valid = {1, 4, true},
    .impl = {1, 4, true},
};

/* ---- SMI and power management --------------------------------------------------------------- */

static void lpc_smi(void *opaque)
{
    ICH9LPCState *lpc = opaque;
    bool all = smi_features_has(&lpc->smi_features, SMI_FEATURE_BROADCAST);

    irq_pulse(lpc->smi[all ? ICH9_SMI_ALL : ICH9_SMI_ONE]);
}

static void lpc_tco_smi(void *opaque)
{
    ich9_pm_raise_smi(&((ICH9LPCState *)opaque)->pm, ICH9_SMI_TCO_STS);
}

static void lpc_tco_second_timeout(void *opaque)
{
    ICH9LPCState *lpc = opaque;

    if (!ich9_rcba_gcs_no_reboot(lpc)) {
        ich9_tco_set_boot_status(&lpc->pm.tco);
    }
    if (!lpc->noreboot && !ich9_rcba_gcs_no_reboot(lpc)) {
        system_watchdog_expired(lpc->parent_obj.machine);
    }
}

static void lpc_apm_command(void *opaque, uint8_t value)
{
    ICH9LPCState *lpc = opaque;

    if (value == ICH9_ACPI_ENABLE || value == ICH9_ACPI_DISABLE) {
        acpi_pm_set_acpi_mode(&lpc->pm.acpi, value == ICH9_ACPI_ENABLE);
    }
    ich9_pm_raise_smi(&lpc->pm, ICH9_SMI_APM_STS);
}

static void lpc_powerdown(void *opaque)
{
    acpi_pm_power_button(&((ICH9LPCState *)opaque)->pm.acpi);
}

/* ---- configuration --------------------------------------------------------------------------- */

static void lpc_update_maps(ICH9LPCState *lpc)
{
    const uint8_t *config = lpc->parent_obj.config;
    uint32_t rcba = pci_get_long(config + LPC_RCBA);
    uint16_t pmbase = pci_get_word(config + LPC_PMBASE) & 0xff80;

    lpc->pm.acpi.io_base = pmbase;
    memory_region_transaction_begin();
    memory_region_set_enabled(&lpc->pm.mr, false);
    memory_region_set_address(&lpc->pm.mr, pmbase);
    memory_region_set_enabled(&lpc->pm.mr, pmbase && (config[LPC_ACPI_CNTL] & ACPI_CNTL_ACPI_EN));
    memory_region_set_enabled(&lpc->rcba_mr, false);
    memory_region_set_address(&lpc->rcba_mr, rcba & RCBA_ADDRESS);
    memory_region_set_enabled(&lpc->rcba_mr, rcba & RCBA_ENABLE);
    memory_region_transaction_commit();
}

static void lpc_update_routes(ICH9LPCState *lpc)
{
    machine_irq_lock(lpc->parent_obj.machine);
    ich9_lpc_update_irqs(lpc);
    machine_irq_unlock(lpc->parent_obj.machine);
}

static void lpc_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, unsigned len)
{
    ICH9LPCState *lpc = ICH9_LPC_DEVICE(dev);

    pci_default_write_config(dev, addr, value, len);
    if (pci_range_covers(addr, len, LPC_PMBASE, 5) || pci_range_covers(addr, len, LPC_RCBA, 4)) {
        lpc_update_maps(lpc);
    }
    if (pci_range_covers(addr, len, LPC_ACPI_CNTL, 1) ||
        pci_range_covers(addr, len, ICH9_PIRQA_ROUT, 12)) {
        lpc_update_routes(lpc);
    }
    if (pci_range_covers(addr, len, LPC_GEN_PMCON_1, 1) &&
        (dev->config[LPC_GEN_PMCON_1] & GEN_PMCON_SMI_LCK)) {
        dev->wmask[LPC_GEN_PMCON_1] &= (uint8_t)~GEN_PMCON_SMI_LCK;
        ich9_pm_lock_smi(&lpc->pm);
    }
}

static void lpc_init_masks(PCIDevice *dev)
{
    pci_set_long(dev->wmask + LPC_PMBASE, 0xff80);
    dev->wmask[LPC_ACPI_CNTL] = 0x87;
    for (int i = 0; i < 4; i++) {
        dev->wmask[ICH9_PIRQA_ROUT + i] = dev->wmask[ICH9_PIRQA_ROUT + 8 + i] = 0x8f;
    }
    pci_set_long(dev->wmask + LPC_RCBA, RCBA_ADDRESS | RCBA_ENABLE);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void lpc_reset(PCIDevice *dev)
{
    ICH9LPCState *lpc = ICH9_LPC_DEVICE(dev);

    memset(dev->config + PCI_STD_HEADER_SIZEOF, 0, PCI_CONFIG_SIZE - PCI_STD_HEADER_SIZEOF);
    dev->config[LPC_PMBASE] = 1;
    for (int i = 0; i < 4; i++) {
        dev->config[ICH9_PIRQA_ROUT + i] = dev->config[ICH9_PIRQA_ROUT + 8 + i] = 0x80;
    }
    dev->wmask[LPC_GEN_PMCON_1] |= GEN_PMCON_SMI_LCK;
    lpc->rst_cnt = 0;
    apm_ports_reset(&lpc->apm);
    ich9_rcba_reset(lpc);
    ich9_pm_reset(&lpc->pm, lpc->smi[ICH9_SMI_ONE] != NULL);
    smi_features_reset(&lpc->smi_features);
    lpc_update_maps(lpc);
    lpc_update_routes(lpc);
}

static bool lpc_port_in_use(ICH9LPCState *lpc, hwaddr port)
{
    MachineState *machine = lpc->parent_obj.machine;
    const FlatRange *range;
    bool used;

    memory_read_lock();
    range = flatview_lookup(address_space_view(&machine->address_space_io), port);
    used = range && range->mr != &machine->io_mem_unassigned && range->mr != machine->system_io;
    memory_read_unlock();
    return used;
}

/* Which legacy ports are decoded. */
static void lpc_reset_exit(DeviceState *dev)
{
    ICH9LPCState *lpc = ICH9_LPC_DEVICE(dev);
    uint16_t enabled = (lpc_port_in_use(lpc, 0x3f8) ? LPC_EN_COMA : 0) |
                       (lpc_port_in_use(lpc, 0x2f8) ? LPC_EN_COMB : 0) |
                       (lpc_port_in_use(lpc, 0x378) ? LPC_EN_LPT : 0);

    lpc->parent_obj.config[LPC_LPC_IO_DEC] = enabled & LPC_EN_COMB ? 0x10 : 0;
    pci_set_word(lpc->parent_obj.config + LPC_LPC_EN, enabled);
    if (lpc->pci_hotplug.dev) {
        acpi_pci_hotplug_reset(&lpc->pci_hotplug);
    }
}

static void lpc_unmap(void *opaque)
{
    ICH9LPCState *lpc = opaque;
    MemoryRegion *io = lpc->pm.mr.container;

    machine_del_powerdown_notifier(lpc->parent_obj.machine, lpc_powerdown, lpc);
    memory_region_del_subregion(io, &lpc->pm.mr);
    memory_region_del_subregion(io, &lpc->apm.mr);
    memory_region_del_subregion(lpc->rcba_mr.container, &lpc->rcba_mr);
}

static void lpc_init_pm(ICH9LPCState *lpc)
{
    ICH9PM *pm = &lpc->pm;

    pm->smi = lpc_smi;
    pm->tco.smi = lpc_tco_smi;
    pm->tco.second_timeout = lpc_tco_second_timeout;
    pm->opaque = pm->tco.opaque = lpc;
    pm->acpi.sci = lpc->sci;
    pm->acpi.s3_type = lpc->disable_s3 ? -1 : 1;
    pm->acpi.s4_type = lpc->disable_s4 ? -1 : lpc->s4_val;
    pm->acpi.s5_type = 0;
    ich9_pm_init(pm, DEVICE(lpc));
}

static void lpc_map(ICH9LPCState *lpc, PCIBus *bus)
{
    PCIDevice *dev = &lpc->parent_obj;
    MemoryRegion *io = bus->address_space_io;

    apm_ports_init(&lpc->apm, OBJECT(lpc), lpc_apm_command, lpc);
    memory_region_init_io(&lpc->rst_mr, OBJECT(lpc), &rst_ops, lpc, "ich9-reset-control", 4);
    bus->config_byte_ports = &lpc->rst_mr;
    ich9_rcba_init(lpc);
    memory_region_set_enabled(&lpc->pm.mr, false);
    memory_region_set_enabled(&lpc->rcba_mr, false);
    memory_region_add_subregion(io, 0, &lpc->pm.mr);
    memory_region_add_subregion(io, APM_CONTROL_PORT, &lpc->apm.mr);
    memory_region_add_subregion_overlap(dev->machine->system_memory, 0, &lpc->rcba_mr, 1);
    machine_add_powerdown_notifier(dev->machine, lpc_powerdown, lpc);
    qdev_on_unrealize(&dev->parent_obj, lpc_unmap, lpc);
}

static void lpc_hotplug_event(void *opaque, unsigned n)
{
    acpi_pm_raise_gpe(&ICH9_LPC_DEVICE(opaque)->pm.acpi, n);
}

static bool lpc_realize(PCIDevice *dev, GError **error)
{
    ICH9LPCState *lpc = ICH9_LPC_DEVICE(dev);
    PCIBus *bus = pci_get_bus(dev);

    if (!dev->machine->gsi || dev->machine->nr_gsi < ICH9_PIRQ_GSI + ICH9_NUM_PIRQS) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "%s needs a machine with %d interrupts", object_get_typename(OBJECT(dev)),
                    ICH9_PIRQ_GSI + ICH9_NUM_PIRQS);
        return false;
    }
    lpc->isa_bus =
        isa_bus_new(&dev->parent_obj, bus->address_space_mem, bus->address_space_io, error);
    if (!lpc->isa_bus) {
        return false;
    }
    lpc_init_masks(dev);
    lpc_init_pm(lpc);
    lpc_map(lpc, bus);
    if (lpc->bridge_hotplug) {
        acpi_pci_hotplug_init(&lpc->pci_hotplug, &dev->parent_obj, bus, bus->address_space_io,
                              ACPI_PCI_HOTPLUG_ICH9_BASE, false, true, lpc_hotplug_event, lpc);
    }
    pci_bus_irqs(bus, ich9_lpc_set_wire, ich9_lpc_map_irq, lpc, ICH9_NUM_WIRES);
    lpc_reset(dev);
    return true;
}

static void lpc_exit(PCIDevice *dev)
{
    PCIBus *bus = pci_get_bus(dev);

    bus->config_byte_ports = NULL;
    pci_bus_irqs(bus, NULL, NULL, NULL, 0);
}

static void lpc_instance_init(Object *obj)
{
    ICH9LPCState *lpc = ICH9_LPC_DEVICE(obj);

    lpc->sci = irq_new(ich9_lpc_set_sci, lpc, 0);
}

static void lpc_finalize(Object *obj)
{
    ICH9LPCState *lpc = ICH9_LPC_DEVICE(obj);

    irq_unref(lpc->sci);
    irq_unref(lpc->smi[ICH9_SMI_ONE]);
    irq_unref(lpc->smi[ICH9_SMI_ALL]);
}

static const Property lpc_properties[] = {
    DEFINE_PROP_BOOL("noreboot", ICH9LPCState, noreboot, true,
                     "the board straps the watchdog's reset off"),
    DEFINE_PROP_BOOL("enable_tco", ICH9LPCState, pm.enable_tco, true, "the watchdog is there"),
    DEFINE_PROP_UINT8("disable_s3", ICH9LPCState, disable_s3, 0, "leave S3 (suspend to RAM) out",
                      .max = 1),
    DEFINE_PROP_UINT8("disable_s4", ICH9LPCState, disable_s4, 0, "leave S4 (suspend to disk) out",
                      .max = 1),
    DEFINE_PROP_UINT8("s4_val", ICH9LPCState, s4_val, 2, "SLP_TYP that means S4", .min = 1,
                      .max = 7),
    DEFINE_PROP_BOOL("acpi-pci-hotplug-with-bridge-support", ICH9LPCState, bridge_hotplug, true,
                     "slots behind ports and bridges are served through ACPI; off: by the ports' "
                     "own registers"),
    DEFINE_PROP_BOOL("x-smi-broadcast", ICH9LPCState, smi_broadcast, true,
                     "firmware may ask for SMIs to all CPUs"),
    DEFINE_PROP_BOOL("x-smi-cpu-hotplug", ICH9LPCState, smi_cpu_hotplug, true,
                     "firmware may ask for an SMI when a CPU is added"),
    DEFINE_PROP_BOOL("x-smi-cpu-hotunplug", ICH9LPCState, smi_cpu_hotunplug, true,
                     "firmware may ask for an SMI when a CPU is removed"),
    DEFINE_PROP_UINT16("pm_io_base", ICH9LPCState, pm.acpi.io_base, 0,
                       "port of the power management block, now", .kind = PROP_TELEMETRY),
    DEFINE_PROP_END,
};

static const StateField lpc_state[] = {
    PCI_STATE_FIELDS(ICH9LPCState),
    ICH9_PM_STATE_FIELDS(ICH9LPCState, pm),
    APM_STATE_FIELDS(ICH9LPCState, apm),
    SMI_FEATURES_STATE_FIELDS(ICH9LPCState, smi_features),
    ACPI_PCI_HOTPLUG_STATE_FIELDS(ICH9LPCState, pci_hotplug),
    STATE_FIELD(ICH9LPCState, rst_cnt),
    STATE_FIELD(ICH9LPCState, chip_config),
    STATE_FIELD(ICH9LPCState, wires),
    STATE_FIELD(ICH9LPCState, sci_level),
    STATE_FIELD(ICH9LPCState, gsi_levels),
    STATE_END,
};

static void lpc_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

    pc->realize = lpc_realize;
    pc->exit = lpc_exit;
    pc->reset = lpc_reset;
    pc->config_write = lpc_write_config;
    pc->vendor_id = PCI_VENDOR_ID_INTEL;
    pc->device_id = PCI_DEVICE_ID_INTEL_ICH9_LPC;
    pc->revision = 2;
    pc->class_id = PCI_CLASS_BRIDGE_ISA;
    dc->reset_exit = lpc_reset_exit;
    dc->user_creatable = false;
    dc->hotpluggable = false;
    dc->category = DEVICE_CATEGORY_BRIDGE;
    dc->state = lpc_state;
}

static const TypeInfo lpc_types[] = {
    {
     .name = TYPE_ICH9_LPC_DEVICE,
     .parent = TYPE_PCI_DEVICE,
     .instance_size = sizeof(ICH9LPCState),
     .instance_init = lpc_instance_init,
     .instance_finalize = lpc_finalize,
     .class_init = lpc_class_init,
     .properties = lpc_properties,
     .doc = "ICH9 LPC bridge: interrupt routing, power management, watchdog, reset control",
     },
};

DEFINE_TYPES(lpc_types)

ACPIPCIHotplug *ich9_lpc_pci_hotplug(ICH9LPCState *lpc)
{
    return lpc->pci_hotplug.dev ? &lpc->pci_hotplug : NULL;
}

/* ---- for machines --------------------------------------------------------------------------- */

ICH9LPCState *ich9_lpc_create(PCIBus *bus, IRQ *smi, ISABus **ret_isa_bus, GError **error)
{
    PCIDevice *dev = pci_new(ICH9_LPC_DEVFN, TYPE_ICH9_LPC_DEVICE, error);
    ICH9LPCState *lpc;

    if (!dev) {
        return NULL;
    }
    lpc = ICH9_LPC_DEVICE(dev);
    dev->multifunction = true;
    for (int i = 0; smi && i < ICH9_SMI_LINES; i++) {
        lpc->smi[i] = irq_ref(smi[i]);
    }
    if (!pci_realize_and_unref(dev, bus, error)) {
        return NULL;
    }
    *ret_isa_bus = lpc->isa_bus;
    return lpc;
}

void ich9_lpc_offer_smi_features(ICH9LPCState *lpc, FWCfgState *fw_cfg)
{
    uint64_t features = (lpc->smi_broadcast ? SMI_FEATURE_BROADCAST : 0) |
                        (lpc->smi_cpu_hotplug ? SMI_FEATURE_CPU_HOTPLUG : 0) |
                        (lpc->smi_cpu_hotunplug ? SMI_FEATURE_CPU_HOTUNPLUG : 0);

    if (lpc->smi[ICH9_SMI_ONE]) {
        smi_features_init(&lpc->smi_features, fw_cfg, features);
    }
}

void ich9_lpc_leave_smm_out(ICH9LPCState *lpc)
{
    device_lock(DEVICE(lpc));
    lpc->pm.smi_en = ICH9_SMI_APMC_EN;
    device_unlock(DEVICE(lpc));
}

ACPIPM *ich9_lpc_acpi(ICH9LPCState *lpc)
{
    return &lpc->pm.acpi;
}

void ich9_lpc_act_as_firmware(ICH9LPCState *lpc, const uint8_t irqs[4])
{
    PCIBus *bus = pci_get_bus(&lpc->parent_obj);
    const uint32_t config = (uint32_t)ICH9_LPC_DEVFN << 8;

    for (unsigned i = 0; i < 4; i++) {
        pci_data_write(bus, config | (ICH9_PIRQA_ROUT + i), irqs[i], 1);
        pci_data_write(bus, config | (ICH9_PIRQA_ROUT + 8 + i), irqs[i], 1);
    }
    pci_data_write(bus, config | LPC_PMBASE, ICH9_PM_BASE | 1, 4);
    pci_data_write(bus, config | LPC_ACPI_CNTL, ACPI_CNTL_ACPI_EN, 1);
    pci_data_write(bus, config | LPC_RCBA, ICH9_RCBA_BASE | RCBA_ENABLE, 4);
    acpi_pm_set_acpi_mode(&lpc->pm.acpi, true);
}
