/* SPDX-License-Identifier: MIT
 *
 * The two ports by which software asks for an SMI (82371AB data sheet 290562, 7.2.1; ICH9 data sheet
 * 316972, 13.7.1): b2 control, b3 status.  Embedded by the south bridges.
 */
#ifndef HW_ISA_APM_H
#define HW_ISA_APM_H

#include "system/memory/memory.h"

#define APM_CONTROL_PORT 0xb2

typedef struct APMPorts {
    MemoryRegion mr; /* 2 ports */
    uint8_t control, status;
    void (*command)(void *opaque, uint8_t value); /* control was written; device lock held */
    void *opaque;
} APMPorts;

#define APM_STATE_FIELDS(S, f) STATE_FIELD(S, f.control), STATE_FIELD(S, f.status)

void apm_ports_init(APMPorts *apm, Object *owner, void (*command)(void *opaque, uint8_t value),
                    void *opaque);
void apm_ports_reset(APMPorts *apm);

#endif
