/* SPDX-License-Identifier: MIT
 *
 * Interrupt and GPIO lines: a level that travels from a device's output to
 * an input handler.  May be set from any thread and under any lock; handlers of
 * interrupt controllers take the machine's irq lock (hw/core/machine.h).
 */
#ifndef HW_CORE_IRQ_H
#define HW_CORE_IRQ_H

#include "qom/object.h"

typedef struct IRQState IRQState;
typedef IRQState *IRQ; /* NULL: not connected, setting it does nothing */

typedef void (*IRQHandler)(void *opaque, int n, int level);

struct IRQState {
    IRQHandler handler;
    void *opaque;
    int n;
    gint ref;
};

/* One reference. */
IRQ irq_new(IRQHandler handler, void *opaque, int n);
/* n lines, numbered from 0; free with irq_free_array(). */
IRQ *irq_new_array(IRQHandler handler, void *opaque, int n);
void irq_free_array(IRQ *irqs, int n);
IRQ irq_ref(IRQ irq);
void irq_unref(IRQ irq);
/* A line that drives two; it holds references to both. */
IRQ irq_split(IRQ a, IRQ b);
IRQ irq_invert(IRQ irq);

static inline void irq_set(IRQ irq, int level)
{
    if (irq) {
        irq->handler(irq->opaque, irq->n, level);
    }
}
static inline void irq_raise(IRQ irq)
{
    irq_set(irq, 1);
}
static inline void irq_lower(IRQ irq)
{
    irq_set(irq, 0);
}
static inline void irq_pulse(IRQ irq)
{
    irq_set(irq, 1);
    irq_set(irq, 0);
}

#endif
