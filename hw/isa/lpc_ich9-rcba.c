/* SPDX-License-Identifier: MIT
 *
 * Chip configuration registers of the Intel ICH9 (data sheet 316972, 10.1), in memory at RCBA.
 *
 *   3140  D31IR   3144 D29IR  3146 D28IR  3148 D27IR  314c D26IR  3150 D25IR
 *           14-12 INTD# .. 2-0 INTA#: PIRQA (0) to PIRQH (7)      (10.1.35 on)
 *   3410  GCS     5 NO_REBOOT                                      (10.1.51)
 *
 * What has no function here keeps what is written.
 */
#include <string.h>
#include "hw/core/machine.h"
#include "hw/isa/lpc_ich9-internal.h"

#define GCS_NO_REBOOT 0x20u
#define DIR_MASK      0x7777u

static const struct {
    uint16_t reg;
    uint8_t slot;
} slot_routes[] = {
    {0x3140, 31},
    {0x3144, 29},
    {0x3146, 28},
    {0x3148, 27},
    {0x314c, 26},
    {0x3150, 25},
};

static uint64_t rcba_read(void *opaque, hwaddr addr, unsigned size)
{
    ICH9LPCState *lpc = opaque;
    uint32_t value = 0;

    memcpy(&value, lpc->chip_config + addr, size);
    return value;
}

static void rcba_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    ICH9LPCState *lpc = opaque;
    uint32_t bytes = (uint32_t)value;

    memcpy(lpc->chip_config + addr, &bytes, size);
    machine_irq_lock(lpc->parent_obj.machine);
    ich9_lpc_update_irqs(lpc);
    machine_irq_unlock(lpc->parent_obj.machine);
}

static const MemoryRegionOps rcba_ops = {
    .read = rcba_read,
    .write = rcba_write,
    .valid = {1, 4, false},
    .impl = {1, 4, false},
};

void ich9_rcba_init(ICH9LPCState *lpc)
{
    memory_region_init_io(&lpc->rcba_mr, OBJECT(lpc), &rcba_ops, lpc, "ich9-rcba", ICH9_RCBA_SIZE);
}

void ich9_rcba_reset(ICH9LPCState *lpc)
{
    memset(lpc->chip_config, 0, sizeof(lpc->chip_config));
    for (size_t i = 0; i < G_N_ELEMENTS(slot_routes); i++) {
        pci_set_word(lpc->chip_config + slot_routes[i].reg, 0x3210);
    }
    lpc->chip_config[ICH9_CC_GCS] = lpc->noreboot ? GCS_NO_REBOOT : 0;
}

bool ich9_rcba_gcs_no_reboot(const ICH9LPCState *lpc)
{
    return lpc->chip_config[ICH9_CC_GCS] & GCS_NO_REBOOT;
}

uint16_t ich9_rcba_slot_route(const ICH9LPCState *lpc, int slot)
{
    for (size_t i = 0; i < G_N_ELEMENTS(slot_routes); i++) {
        if (slot_routes[i].slot == slot) {
            return pci_get_word(lpc->chip_config + slot_routes[i].reg) & DIR_MASK;
        }
    }
    return 0;
}
