/* SPDX-License-Identifier: MIT
 *
 * `info lapic`: the registers of a local APIC as text.
 */
#include "hw/intc/apic-internal.h"

static const struct {
    enum APICLVT n;
    const char *name;
} lvt_rows[] = {
    {APIC_LVT_LINT0,   "LVT0"   },
    {APIC_LVT_LINT1,   "LVT1"   },
    {APIC_LVT_PERF,    "LVTPC"  },
    {APIC_LVT_ERROR,   "LVTERR" },
    {APIC_LVT_THERMAL, "LVTTHMR"},
    {APIC_LVT_TIMER,   "LVTT"   },
};

static const char *const modes[] = {"Fixed", "Lowest", "SMI", "(3)", "NMI", "INIT", "SIPI",
                                    "ExtINT"};

static void print_lvt(const LocalAPIC *s, const char *name, enum APICLVT n, GString *out)
{
    static const char *const timer_modes[] = {"one-shot", "periodic", "tsc-deadline", "(reserved)"};
    uint32_t lvt = s->lvt[n], mode = lvt >> LVT_MODE_SHIFT & 7;
    g_autofree char *vector = mode == APIC_DM_FIXED ? g_strdup_printf("(vec %u)", lvt & 0xff) : NULL;

    g_string_append_printf(out, "%s\t 0x%08x %s %-5s %-6s %-7s %-12s %-6s %s\n", name, lvt,
                           lvt & LVT_POLARITY ? "active-lo" : "active-hi",
                           lvt & LVT_LEVEL ? "level" : "edge", lvt & LVT_MASKED ? "masked" : "",
                           lvt & LVT_REMOTE_IRR ? "rirr" : "",
                           n == APIC_LVT_TIMER ? timer_modes[lvt >> 17 & 3] : "", modes[mode],
                           vector ? vector : "");
}

static void print_vectors(const char *name, const uint32_t set[8], const uint32_t *level,
                          GString *out)
{
    bool any = false;

    g_string_append_printf(out, "%s\t ", name);
    for (unsigned v = 0; v < 256; v++) {
        if (set[v / 32] >> v % 32 & 1) {
            g_string_append_printf(out, "%u%s ", v,
                                   level && (level[v / 32] >> v % 32 & 1) ? "(level)" : "");
            any = true;
        }
    }
    g_string_append(out, any ? "\n" : "(none)\n");
}

static void print_icr(const LocalAPIC *s, GString *out)
{
    static const char *const shorthands[] = {"no-shorthand", "self", "all-self", "all"};
    unsigned shorthand = s->icr >> 18 & 3;
    bool logical = s->icr & 1u << 11;
    uint32_t dest = apic_is_x2apic(s) ? s->icr2 : s->icr2 >> 24;

    g_string_append_printf(out, "ICR\t 0x%08x %s %s %s %s\n", s->icr,
                           logical ? "logical" : "physical", s->icr & LVT_LEVEL ? "level" : "edge",
                           s->icr & 1u << 14 ? "assert" : "de-assert", shorthands[shorthand]);
    g_string_append_printf(out, "ICR2\t 0x%08x", s->icr2);
    if (!shorthand) {
        g_string_append_printf(out, logical ? " mask %08x" : " cpu %u (APIC ID)", dest);
    }
    g_string_append_c(out, '\n');
}

static void print_locked(LocalAPIC *s, GString *out)
{
    unsigned shift = ((s->timer_divide & 3) | (s->timer_divide >> 1 & 4)) + 1;

    g_string_append_printf(out, "dumping local APIC state for CPU %-2u\n\n", s->apic_id);
    for (unsigned i = 0; i < G_N_ELEMENTS(lvt_rows); i++) {
        print_lvt(s, lvt_rows[i].name, lvt_rows[i].n, out);
    }
    g_string_append_printf(out,
                           "Timer\t DCR=0x%x (divide by %u) initial_count = %u current_count = %u\n",
                           s->timer_divide, 1u << (shift & 7), s->timer_initial,
                           apic_timer_current(s));
    g_string_append_printf(out, "SPIV\t 0x%08x APIC %s, focus=%s, spurious vec %u\n", s->svr,
                           s->svr & SVR_ENABLE ? "enabled" : "disabled",
                           s->svr & SVR_FOCUS_DISABLE ? "on" : "off", s->svr & 0xff);
    print_icr(s, out);
    g_string_append_printf(out, "ESR\t 0x%08x\n", s->esr);
    print_vectors("ISR", s->isr, NULL, out);
    print_vectors("IRR", s->irr, s->tmr, out);
    g_string_append_printf(out, "\nAPR 0x00 TPR 0x%02x DFR 0x%02x LDR 0x%02x", s->tpr, s->dfr >> 28,
                           apic_is_x2apic(s) ? apic_logical_id(s) : s->ldr >> 24);
    g_string_append_printf(out, " PPR 0x%02x\n", apic_ppr(s));
}

bool apic_print(MachineState *machine, uint32_t apic_id, GString *out)
{
    APICBus *bus = apic_bus_get(machine);
    bool found = false;

    machine_irq_lock(machine);
    for (unsigned i = 0; i < bus->apics->len && !found; i++) {
        LocalAPIC *s = bus->apics->pdata[i];

        if (s->apic_id == apic_id) {
            print_locked(s, out);
            found = true;
        }
    }
    machine_irq_unlock(machine);
    return found;
}
