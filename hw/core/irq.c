/* SPDX-License-Identifier: MIT */
#include "hw/core/irq.h"

IRQ irq_new(IRQHandler handler, void *opaque, int n)
{
    IRQState *irq = g_new0(IRQState, 1);

    *irq = (IRQState){.handler = handler, .opaque = opaque, .n = n, .ref = 1};
    return irq;
}

IRQ *irq_new_array(IRQHandler handler, void *opaque, int n)
{
    IRQ *irqs = g_new(IRQ, n);

    for (int i = 0; i < n; i++) {
        irqs[i] = irq_new(handler, opaque, i);
    }
    return irqs;
}

void irq_free_array(IRQ *irqs, int n)
{
    for (int i = 0; irqs && i < n; i++) {
        irq_unref(irqs[i]);
    }
    g_free(irqs);
}

IRQ irq_ref(IRQ irq)
{
    if (irq) {
        g_atomic_int_inc(&irq->ref);
    }
    return irq;
}

typedef struct IRQPair {
    IRQ a, b;
} IRQPair;

static void irq_split_handler(void *opaque, int n, int level)
{
    IRQPair *pair = opaque;

    (void)n;
    irq_set(pair->a, level);
    irq_set(pair->b, level);
}

static void irq_invert_handler(void *opaque, int n, int level)
{
    IRQPair *pair = opaque;

    (void)n;
    irq_set(pair->a, !level);
}

void irq_unref(IRQ irq)
{
    if (!irq || !g_atomic_int_dec_and_test(&irq->ref)) {
        return;
    }
    if (irq->handler == irq_split_handler || irq->handler == irq_invert_handler) {
        IRQPair *pair = irq->opaque;
        irq_unref(pair->a);
        irq_unref(pair->b);
        g_free(pair);
    }
    g_free(irq);
}

static IRQ irq_new_pair(IRQHandler handler, IRQ a, IRQ b)
{
    IRQPair *pair = g_new(IRQPair, 1);

    *pair = (IRQPair){irq_ref(a), irq_ref(b)};
    return irq_new(handler, pair, 0);
}

IRQ irq_split(IRQ a, IRQ b)
{
    return irq_new_pair(irq_split_handler, a, b);
}

IRQ irq_invert(IRQ irq)
{
    return irq_new_pair(irq_invert_handler, irq, NULL);
}
