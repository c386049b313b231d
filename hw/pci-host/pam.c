/* SPDX-License-Identifier: MIT
 *
 * 82441FX data sheet (290549), 3.2.15: PAM0-PAM6.
 *
 *   PAM0  7-4 f0000-fffff
 *   PAMn  3-0 c0000 + (n - 1) * 8000, 7-4 the 16 KiB behind it
 *   in each nibble   0 reads come from RAM   1 writes go to RAM
 */
#include "hw/pci-host/pam.h"

#define PAM_FIRST        0xc0000u
#define PAM_SMALL        0x4000u
#define PAM_BIOS         0xf0000u
#define PAM_BIOS_SIZE    0x10000u
#define PAM_BIOS_SEGMENT 12

static uint64_t pam_read(void *opaque, hwaddr addr, unsigned size)
{
    PAMSegment *segment = opaque;
    uint64_t value = UINT64_MAX;

    address_space_load(&segment->pam->pci, segment->base + addr, &value, size, MEMTXATTRS_NONE);
    return value;
}

static void pam_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    PAMSegment *segment = opaque;

    address_space_store(&segment->pam->ram, segment->base + addr, value, size, MEMTXATTRS_NONE);
}

/* Both sides are memory, so there is nothing of our own to protect. */
static const MemoryRegionOps pam_write_ram_ops = {
    .read = pam_read,
    .write = pam_write,
    .valid = {1, 8, true},
    .impl = {1, 8, true},
    .lock = MR_LOCK_NONE,
};

static void pam_segment_init(PAMSegment *s, Object *owner, MemoryRegion *memory, MemoryRegion *ram,
                             MemoryRegion *pci, uint64_t size)
{
    memory_region_init_alias(&s->regions[PAM_PCI], owner, "pam-pci", pci, s->base, size);
    memory_region_init_alias(&s->regions[PAM_READ_RAM], owner, "pam-rom", ram, s->base, size);
    memory_region_set_readonly(&s->regions[PAM_READ_RAM], true);
    memory_region_init_io(&s->regions[PAM_WRITE_RAM], owner, &pam_write_ram_ops, s, "pam-copy",
                          size);
    memory_region_init_alias(&s->regions[PAM_RAM], owner, "pam-ram", ram, s->base, size);
    for (int mode = 0; mode < PAM_MODES; mode++) {
        memory_region_set_enabled(&s->regions[mode], mode == PAM_PCI);
        memory_region_add_subregion_overlap(memory, s->base, &s->regions[mode], 1);
    }
    s->mode = PAM_PCI;
}

void pam_init(PAM *pam, Object *owner, MemoryRegion *memory, MemoryRegion *ram, MemoryRegion *pci)
{
    address_space_init(&pam->pci, pci, "pam-pci");
    address_space_init(&pam->ram, ram, "pam-ram");
    memory_region_transaction_begin();
    for (int i = 0; i < PAM_SEGMENTS; i++) {
        PAMSegment *s = &pam->segments[i];
        bool bios = i == PAM_BIOS_SEGMENT;

        s->pam = pam;
        s->base = bios ? PAM_BIOS : PAM_FIRST + (hwaddr)i * PAM_SMALL;
        pam_segment_init(s, owner, memory, ram, pci, bios ? PAM_BIOS_SIZE : PAM_SMALL);
    }
    memory_region_transaction_commit();
}

void pam_finish(PAM *pam)
{
    for (int i = 0; i < PAM_SEGMENTS; i++) {
        for (int mode = 0; mode < PAM_MODES; mode++) {
            MemoryRegion *mr = &pam->segments[i].regions[mode];

            memory_region_del_subregion(mr->container, mr);
        }
    }
    address_space_finish(&pam->pci);
    address_space_finish(&pam->ram);
}

static PAMMode pam_mode(const uint8_t regs[PAM_REGS], int segment)
{
    uint8_t reg = segment == PAM_BIOS_SEGMENT ? regs[0] : regs[1 + segment / 2];
    bool high = segment == PAM_BIOS_SEGMENT || (segment & 1);

    return (PAMMode)(reg >> (high ? 4 : 0) & 3);
}

void pam_update(PAM *pam, const uint8_t regs[PAM_REGS])
{
    memory_region_transaction_begin();
    for (int i = 0; i < PAM_SEGMENTS; i++) {
        PAMSegment *s = &pam->segments[i];
        PAMMode mode = pam_mode(regs, i);

        if (mode != s->mode) {
            memory_region_set_enabled(&s->regions[s->mode], false);
            memory_region_set_enabled(&s->regions[mode], true);
            s->mode = mode;
        }
    }
    memory_region_transaction_commit();
}
