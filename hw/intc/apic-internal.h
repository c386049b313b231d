/* SPDX-License-Identifier: MIT
 *
 * The local APIC's state, shared by apic.c (acceptance and the CPU side),
 * apic-regs.c (registers), apic-timer.c and apic-bus.c.  All under the irq lock.
 */
#ifndef HW_INTC_APIC_INTERNAL_H
#define HW_INTC_APIC_INTERNAL_H

#include "hw/intc/apic.h"
#include "system/loop/event-loop.h"

OBJECT_DECLARE_SIMPLE(LocalAPIC, LOCAL_APIC, TYPE_APIC)

/* Register numbers: MMIO offset / 16, MSR - 800h (SDM vol. 3, table 11-6). */
enum APICReg {
    APIC_ID = 0x02,
    APIC_VERSION = 0x03,
    APIC_TPR = 0x08,
    APIC_APR = 0x09,
    APIC_PPR = 0x0a,
    APIC_EOI = 0x0b,
    APIC_LDR = 0x0d,
    APIC_DFR = 0x0e,
    APIC_SVR = 0x0f,
    APIC_ISR = 0x10,
    APIC_TMR = 0x18,
    APIC_IRR = 0x20,
    APIC_ESR = 0x28,
    APIC_ICR = 0x30,
    APIC_ICR2 = 0x31,
    APIC_LVT = 0x32,
    APIC_TIMER_INITIAL = 0x38,
    APIC_TIMER_CURRENT = 0x39,
    APIC_TIMER_DIVIDE = 0x3e,
    APIC_SELF_IPI = 0x3f,
};

/* Local vector table, in register order from 320h. */
enum APICLVT {
    APIC_LVT_TIMER,
    APIC_LVT_THERMAL,
    APIC_LVT_PERF,
    APIC_LVT_LINT0,
    APIC_LVT_LINT1,
    APIC_LVT_ERROR,
    APIC_LVT_COUNT,
};

#define LVT_MODE_SHIFT     8
#define LVT_POLARITY       (1u << 13)
#define LVT_REMOTE_IRR     (1u << 14)
#define LVT_LEVEL          (1u << 15)
#define LVT_MASKED         (1u << 16)
#define LVT_TIMER_MODE     (3u << 17)
#define LVT_TIMER_ONE_SHOT (0u << 17)
#define LVT_TIMER_PERIODIC (1u << 17)
#define LVT_TIMER_DEADLINE (2u << 17)

#define SVR_ENABLE          (1u << 8)
#define SVR_FOCUS_DISABLE   (1u << 9)
#define SVR_SUPPRESS_EOI    (1u << 12)
#define APIC_VERSION_NO_EOI (1u << 24) /* broadcast of EOI can be suppressed */

#define ESR_SEND_ILLEGAL     (1u << 5)
#define ESR_RECEIVE_ILLEGAL  (1u << 6)
#define ESR_ILLEGAL_REGISTER (1u << 7)

#define APIC_FIRST_VECTOR 16 /* lower ones are illegal */

struct LocalAPIC {
    DeviceState parent_obj;
    MachineState *machine;
    APICBus *bus;
    MemoryRegion relocated; /* its page, when not at the usual address */
    bool relocated_mapped;
    Timer *timer;

    Object *cpu_link;
    CPUState *cpu;
    uint32_t apic_id;
    bool bsp;
    uint8_t version;

    uint64_t base; /* IA32_APIC_BASE */
    uint8_t xapic_id;
    uint8_t tpr;
    uint32_t ldr, dfr, svr, esr, esr_pending;
    uint32_t icr, icr2;
    uint32_t lvt[APIC_LVT_COUNT];
    uint32_t isr[8], tmr[8], irr[8];
    uint8_t lint_level;  /* bit 0: LINT0, bit 1: LINT1 */
    bool extint_message; /* an ExtINT came as a message */
    bool wait_for_sipi;
    uint8_t sipi_vector;

    uint32_t timer_divide, timer_initial;
    bool timer_counts;   /* the count was not 0 when it was last set */
    int64_t timer_start; /* virtual ns at which timer_initial was loaded */
    int64_t timer_next;  /* the deadline that is armed, -1: none */
    uint64_t tsc_deadline;
};

struct APICBus {
    Object parent_obj;
    MachineState *machine;
    MemoryRegion region;
    GPtrArray *apics; /* of LocalAPIC, in order of realize */
    GSList *eoi_handlers;
    APICMSISink sink;
    void *sink_opaque;
    I8259State *pic;
    IRQ lint[2]; /* lines to LINT0 and LINT1 of all */
    uint8_t lint_level;
    unsigned last_lowest; /* who took the last lowest-priority message */
};

static inline bool apic_is_enabled(const LocalAPIC *s)
{
    return s->base & APIC_BASE_ENABLE;
}

static inline bool apic_is_x2apic(const LocalAPIC *s)
{
    return s->base & APIC_BASE_EXTD;
}

static inline bool apic_is_software_enabled(const LocalAPIC *s)
{
    return apic_is_enabled(s) && (s->svr & SVR_ENABLE);
}

/* apic.c */
bool apic_matches(const LocalAPIC *s, const APICMessage *message);
uint8_t apic_ppr(const LocalAPIC *s);
void apic_accept(LocalAPIC *s, const APICMessage *message);
void apic_deliver_lvt(LocalAPIC *s, enum APICLVT n);
void apic_set_lint(LocalAPIC *s, int n, int level);
/* The entry of a LINT pin was written: a level that is up at the pin counts now. */
void apic_check_lint(LocalAPIC *s, enum APICLVT lvt);
void apic_error(LocalAPIC *s, uint32_t esr_bit);
void apic_eoi(LocalAPIC *s);
/* CPU_INTERRUPT_HARD says what get_interrupt() would. */
void apic_update(LocalAPIC *s);
uint32_t apic_logical_id(const LocalAPIC *s);
bool apic_set_base(LocalAPIC *s, uint64_t value);

/* apic-regs.c */
uint32_t apic_reg_read(LocalAPIC *s, unsigned reg);
void apic_reg_write(LocalAPIC *s, unsigned reg, uint32_t value);
bool apic_msr_read(LocalAPIC *s, unsigned reg, uint64_t *ret_value);
bool apic_msr_write(LocalAPIC *s, unsigned reg, uint64_t value);

/* apic-timer.c */
void apic_timer_init(LocalAPIC *s);
void apic_timer_reset(LocalAPIC *s);
uint32_t apic_timer_current(LocalAPIC *s);
void apic_timer_set_initial(LocalAPIC *s, uint32_t value);
void apic_timer_set_divide(LocalAPIC *s, uint32_t value);
void apic_timer_set_lvt(LocalAPIC *s, uint32_t value);
void apic_timer_set_deadline(LocalAPIC *s, uint64_t value);

/* apic-bus.c */
void apic_bus_join(APICBus *bus, LocalAPIC *apic);
void apic_bus_leave(APICBus *bus, LocalAPIC *apic);
extern const MemoryRegionOps apic_relocated_ops;

#endif
