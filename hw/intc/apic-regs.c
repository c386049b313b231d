/* SPDX-License-Identifier: MIT
 *
 * Registers of the local APIC, as memory and as x2APIC MSRs: SDM vol. 3, table 11-1
 * (memory map), table 11-6 and 11.12.1.2 (MSRs and their reserved bits), 11.6.1
 * (interrupt command register), 11.5.3 (error status).
 */
#include "hw/intc/apic-internal.h"

#include "system/log.h"

#define ICR_SHORTHAND_SHIFT 18
#define ICR_LOGICAL         (1u << 11)
#define ICR_LEVEL           (1u << 14)
#define ICR_TRIGGER         (1u << 15)
#define ICR_WRITABLE        0x000ccfffu
#define SVR_WRITABLE        (0xffu | SVR_ENABLE | SVR_FOCUS_DISABLE | SVR_SUPPRESS_EOI)
#define LDR_WRITABLE        0xff000000u
#define DFR_FIXED           0x0fffffffu
#define DIVIDE_WRITABLE     0xbu

enum Shorthand { SHORTHAND_NONE, SHORTHAND_SELF, SHORTHAND_ALL, SHORTHAND_OTHERS };

/* Bits of each vector table entry that can be written (figure 11-8). */
static const uint32_t lvt_writable[APIC_LVT_COUNT] = {
    [APIC_LVT_TIMER] = 0xff | LVT_MASKED | LVT_TIMER_MODE,
    [APIC_LVT_THERMAL] = 0x7ff | LVT_MASKED,
    [APIC_LVT_PERF] = 0x7ff | LVT_MASKED,
    [APIC_LVT_LINT0] = 0x7ff | LVT_POLARITY | LVT_LEVEL | LVT_MASKED,
    [APIC_LVT_LINT1] = 0x7ff | LVT_POLARITY | LVT_LEVEL | LVT_MASKED,
    [APIC_LVT_ERROR] = 0xff | LVT_MASKED,
};

/* ---- interprocessor interrupts ---------------------------------------------------- */

static void icr_send_shorthand(LocalAPIC *s, enum Shorthand shorthand, const APICMessage *message)
{
    for (unsigned i = 0; i < s->bus->apics->len; i++) {
        LocalAPIC *target = s->bus->apics->pdata[i];
        bool self = target == s;
        if (apic_is_enabled(target) &&
            (self ? shorthand != SHORTHAND_OTHERS : shorthand != SHORTHAND_SELF)) {
            apic_accept(target, message);
        }
    }
}

static void icr_send(LocalAPIC *s, uint32_t icr, uint32_t dest)
{
    enum Shorthand shorthand = icr >> ICR_SHORTHAND_SHIFT & 3;
    APICMessage message = {
        .dest = dest,
        .vector = icr & 0xff,
        .mode = icr >> 8 & 7,
        .logical = icr & ICR_LOGICAL,
        .x2apic = apic_is_x2apic(s),
    };

    if (message.mode == APIC_DM_INIT && (icr & ICR_TRIGGER) && !(icr & ICR_LEVEL)) {
        return; /* INIT level de-assert: only set arbitration IDs, once upon a time */
    }
    if (message.mode <= APIC_DM_LOWEST && message.vector < APIC_FIRST_VECTOR) {
        apic_error(s, ESR_SEND_ILLEGAL);
        return;
    }
    if (message.mode == 3 || message.mode == APIC_DM_EXTINT) {
        log_guest_error("apic: command %08x has a reserved delivery mode\n", icr);
        return;
    }
    if (shorthand == SHORTHAND_NONE) {
        apic_bus_deliver(s->bus, &message);
    } else {
        icr_send_shorthand(s, shorthand, &message);
    }
}

static void apic_self_ipi(LocalAPIC *s, uint8_t vector)
{
    icr_send(s, SHORTHAND_SELF << ICR_SHORTHAND_SHIFT | vector, 0);
}

/* ---- writes ----------------------------------------------------------------------- */

static void apic_write_lvt(LocalAPIC *s, enum APICLVT n, uint32_t value)
{
    value &= lvt_writable[n];
    if (!(s->svr & SVR_ENABLE)) {
        value |= LVT_MASKED; /* 11.4.7.2 */
    }
    if (n == APIC_LVT_TIMER) {
        apic_timer_set_lvt(s, value);
    } else {
        s->lvt[n] = value | (value & LVT_LEVEL ? s->lvt[n] & LVT_REMOTE_IRR : 0);
    }
    if (n == APIC_LVT_LINT0 || n == APIC_LVT_LINT1) {
        apic_check_lint(s, n);
    }
    apic_update(s);
}

/* Disabling by software masks every local source (11.4.7.2); what is pending stays. */
static void apic_write_svr(LocalAPIC *s, uint32_t value)
{
    s->svr = value & SVR_WRITABLE;
    for (int n = 0; !(s->svr & SVR_ENABLE) && n < APIC_LVT_COUNT; n++) {
        apic_write_lvt(s, n, s->lvt[n]);
    }
    apic_update(s);
}

static void apic_write_esr(LocalAPIC *s)
{
    s->esr = s->esr_pending;
    s->esr_pending = 0;
}

/* Registers that both forms write alike; false: there is none such. */
static bool apic_write_common(LocalAPIC *s, unsigned reg, uint32_t value)
{
    switch (reg) {
    case APIC_TPR:
        s->tpr = value;
        apic_update(s);
        return true;
    case APIC_EOI:
        apic_eoi(s);
        return true;
    case APIC_SVR:
        apic_write_svr(s, value);
        return true;
    case APIC_ESR:
        apic_write_esr(s);
        return true;
    case APIC_LVT ... APIC_LVT + APIC_LVT_COUNT - 1:
        apic_write_lvt(s, reg - APIC_LVT, value);
        return true;
    case APIC_TIMER_INITIAL:
        apic_timer_set_initial(s, value);
        return true;
    case APIC_TIMER_DIVIDE:
        apic_timer_set_divide(s, value & DIVIDE_WRITABLE);
        return true;
    default:
        return false;
    }
}

void apic_reg_write(LocalAPIC *s, unsigned reg, uint32_t value)
{
    switch (reg) {
    case APIC_ID:
        s->xapic_id = value >> 24;
        break;
    case APIC_LDR:
        s->ldr = value & LDR_WRITABLE;
        break;
    case APIC_DFR:
        s->dfr = value | DFR_FIXED;
        break;
    case APIC_ICR:
        s->icr = value & ICR_WRITABLE;
        icr_send(s, s->icr, s->icr2 >> 24);
        break;
    case APIC_ICR2:
        s->icr2 = value & 0xff000000u;
        break;
    default:
        if (!apic_write_common(s, reg, value)) {
            apic_error(s, ESR_ILLEGAL_REGISTER);
        }
        break;
    }
}

/* ---- reads ------------------------------------------------------------------------ */

static uint32_t apic_version(const LocalAPIC *s)
{
    return s->version | (APIC_LVT_COUNT - 1) << 16 | APIC_VERSION_NO_EOI;
}

/* Registers that both forms read alike; false: there is none such. */
static bool apic_read_common(LocalAPIC *s, unsigned reg, uint32_t *ret_value)
{
    switch (reg) {
    case APIC_VERSION:
        *ret_value = apic_version(s);
        return true;
    case APIC_TPR:
        *ret_value = s->tpr;
        return true;
    case APIC_PPR:
        *ret_value = apic_ppr(s);
        return true;
    case APIC_LDR:
        *ret_value = apic_logical_id(s);
        return true;
    case APIC_SVR:
        *ret_value = s->svr;
        return true;
    case APIC_ISR ... APIC_ISR + 7:
        *ret_value = s->isr[reg - APIC_ISR];
        return true;
    case APIC_TMR ... APIC_TMR + 7:
        *ret_value = s->tmr[reg - APIC_TMR];
        return true;
    case APIC_IRR ... APIC_IRR + 7:
        *ret_value = s->irr[reg - APIC_IRR];
        return true;
    case APIC_ESR:
        *ret_value = s->esr;
        return true;
    case APIC_LVT ... APIC_LVT + APIC_LVT_COUNT - 1:
        *ret_value = s->lvt[reg - APIC_LVT];
        return true;
    case APIC_TIMER_INITIAL:
        *ret_value = s->timer_initial;
        return true;
    case APIC_TIMER_CURRENT:
        *ret_value = apic_timer_current(s);
        return true;
    case APIC_TIMER_DIVIDE:
        *ret_value = s->timer_divide;
        return true;
    default:
        return false;
    }
}

uint32_t apic_reg_read(LocalAPIC *s, unsigned reg)
{
    uint32_t value = 0;

    switch (reg) {
    case APIC_ID:
        return (uint32_t)s->xapic_id << 24;
    case APIC_DFR:
        return s->dfr;
    case APIC_ICR:
        return s->icr;
    case APIC_ICR2:
        return s->icr2;
    case APIC_APR:
    case APIC_EOI:
        return 0;
    default:
        if (!apic_read_common(s, reg, &value)) {
            apic_error(s, ESR_ILLEGAL_REGISTER);
        }
        return value;
    }
}

/* ---- x2APIC ------------------------------------------------------------------------ */

/* Bits that a write may set; all others cause #GP. */
static uint64_t msr_writable(unsigned reg)
{
    switch (reg) {
    case APIC_TPR:
    case APIC_SELF_IPI:
        return 0xff;
    case APIC_SVR:
        return SVR_WRITABLE;
    case APIC_ICR:
        return 0xffffffff00000000ull | ICR_WRITABLE;
    case APIC_LVT ... APIC_LVT + APIC_LVT_COUNT - 1:
        /* Delivery status and remote IRR are read-only, and ignored. */
        return lvt_writable[reg - APIC_LVT] | 1u << 12 | LVT_REMOTE_IRR;
    case APIC_TIMER_INITIAL:
        return UINT32_MAX;
    case APIC_TIMER_DIVIDE:
        return DIVIDE_WRITABLE;
    default:
        return 0;
    }
}

bool apic_msr_read(LocalAPIC *s, unsigned reg, uint64_t *ret_value)
{
    uint32_t value;

    if (!apic_is_x2apic(s)) {
        return false;
    }
    if (reg == APIC_ID) {
        *ret_value = s->apic_id;
        return true;
    }
    if (reg == APIC_ICR) {
        *ret_value = (uint64_t)s->icr2 << 32 | s->icr;
        return true;
    }
    if (!apic_read_common(s, reg, &value)) {
        return false;
    }
    *ret_value = value;
    return true;
}

bool apic_msr_write(LocalAPIC *s, unsigned reg, uint64_t value)
{
    if (!apic_is_x2apic(s) || (value & ~msr_writable(reg))) {
        return false;
    }
    switch (reg) {
    case APIC_ICR:
        s->icr = value;
        s->icr2 = value >> 32;
        icr_send(s, s->icr, s->icr2);
        return true;
    case APIC_SELF_IPI:
        apic_self_ipi(s, value);
        return true;
    default:
        return apic_write_common(s, reg, value);
    }
}
