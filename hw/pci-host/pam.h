/* SPDX-License-Identifier: MIT
 *
 * Programmable attribute map: what answers in 0xc0000-0xfffff, RAM or PCI.
 */
#ifndef HW_PCI_HOST_PAM_H
#define HW_PCI_HOST_PAM_H

#include "system/memory/memory.h"

#define PAM_SEGMENTS 13
#define PAM_REGS     7

typedef enum PAMMode {
    PAM_PCI,       /* reads and writes go to PCI */
    PAM_READ_RAM,  /* reads from RAM; writes are dropped by the ROM on PCI */
    PAM_WRITE_RAM, /* reads from PCI, writes to RAM: how firmware copies itself */
    PAM_RAM,
    PAM_MODES,
} PAMMode;

typedef struct PAM PAM;
typedef struct PAMSegment {
    PAM *pam;
    hwaddr base;
    PAMMode mode;
    MemoryRegion regions[PAM_MODES];
} PAMSegment;

struct PAM {
    AddressSpace pci, ram; /* for PAM_WRITE_RAM */
    PAMSegment segments[PAM_SEGMENTS];
};

/* `ram` is the RAM at guest address 0; the segments lie over `memory` at priority 1. */
void pam_init(PAM *pam, Object *owner, MemoryRegion *memory, MemoryRegion *ram, MemoryRegion *pci);
void pam_finish(PAM *pam);
/* The seven registers, PAM0 first. */
void pam_update(PAM *pam, const uint8_t regs[PAM_REGS]);

#endif
