/* SPDX-License-Identifier: MIT
 *
 * What a CPU asks of its local APIC (SDM vol. 3, ch. 11 "APIC").  Implemented
 * by hw/intc (user space) and by the KVM accelerator (in-kernel).  A machine
 * with no APIC in its CPUs still has one object here, globally disabled: INTR
 * of the 8259 then passes through it unchanged (SDM vol. 3, 11.4.3).
 *
 * All functions may be called from the vCPU's own thread with no lock held;
 * the implementation takes the machine's irq lock.  The implementation
 * raises CPU_INTERRUPT_HARD while get_interrupt() would return a vector
 * (whatever EFLAGS.IF is) and clears it otherwise; it raises CPU_INTERRUPT_NMI, _INIT and _SIPI
 * once for each event, and the vCPU clears those.
 */
#ifndef TARGET_I386_APIC_H
#define TARGET_I386_APIC_H

#include <stdbool.h>
#include <stdint.h>
#include "qom/object.h"

#define TYPE_X86_APIC "x86-apic"

typedef struct X86APIC X86APIC;
typedef struct X86APICClass X86APICClass;

/* IA32_APIC_BASE (SDM vol. 3, 11.4.4 and 11.12.1) */
#define APIC_BASE_BSP    (1ull << 8)
#define APIC_BASE_EXTD   (1ull << 10) /* x2APIC mode */
#define APIC_BASE_ENABLE (1ull << 11)
#define APIC_BASE_ADDR   0x000ffffffffff000ull
#define APIC_DEFAULT_ADDRESS 0xfee00000u

struct X86APICClass {
    InterfaceClass parent_class;

    /*
     * Acknowledge: move the highest-priority interrupt into service and
     * return its vector; one from the 8259 when LINT0 is in ExtINT mode or the
     * APIC is disabled.  -1: nothing to deliver (any more).
     */
    int (*get_interrupt)(X86APIC *apic);

    /* IA32_APIC_BASE.  set_base: false when the transition or a reserved bit is invalid (#GP). */
    uint64_t (*get_base)(X86APIC *apic);
    bool (*set_base)(X86APIC *apic, uint64_t value);

    /* The whole task-priority register; CR8 is its bits 7:4. */
    uint8_t (*get_tpr)(X86APIC *apic);
    void (*set_tpr)(X86APIC *apic, uint8_t tpr);

    /*
     * MSRs 0x800 to 0x8ff; `reg` is the offset from 0x800 (the MMIO offset / 16).  False: #GP
     * (not in x2APIC mode, no such register, read- or write-only, reserved bits).
     */
    bool (*msr_read)(X86APIC *apic, unsigned reg, uint64_t *ret_value);
    bool (*msr_write)(X86APIC *apic, unsigned reg, uint64_t value);

    /* IA32_TSC_DEADLINE in guest TSC ticks; 0 disarms, and is read once it has fired. */
    uint64_t (*get_tsc_deadline)(X86APIC *apic);
    void (*set_tsc_deadline)(X86APIC *apic, uint64_t value);

    /* INIT as the APIC sees it (SDM vol. 3, 11.4.7.3): the APIC ID and base are kept. */
    void (*init_reset)(X86APIC *apic);
    /* Take the vector of the start-up IPI that CPU_INTERRUPT_SIPI announced. */
    uint8_t (*get_sipi_vector)(X86APIC *apic);
};

#define X86_APIC(obj) OBJECT_CHECK(X86APIC, (obj), TYPE_X86_APIC)
#define X86_APIC_GET_CLASS(obj) OBJECT_GET_CLASS(X86APICClass, (obj), TYPE_X86_APIC)

#endif
