/* SPDX-License-Identifier: MIT
 *
 * The named lines of a device.
 */
#include "hw/core/qdev-internal.h"

struct GPIOList {
    GPtrArray *in;  /* of IRQ, one reference each */
    GPtrArray *out; /* of IRQ *: the device's pins */
    GPtrArray *intercepts;
    GPtrArray *intercept_irqs; /* what stands in intercepted outputs */
};

void gpio_list_free(GPIOList *list)
{
    g_ptr_array_unref(list->in);
    g_ptr_array_unref(list->out);
    g_ptr_array_unref(list->intercepts);
    g_ptr_array_unref(list->intercept_irqs);
    g_free(list);
}

static GPIOList *gpio_list(DeviceState *dev, const char *name, bool create)
{
    GPIOList *list = g_hash_table_lookup(dev->gpios, name ? name : "");

    if (!list && create) {
        list = g_new0(GPIOList, 1);
        list->in = g_ptr_array_new_with_free_func((GDestroyNotify)irq_unref);
        list->out = g_ptr_array_new();
        list->intercepts = g_ptr_array_new_with_free_func(g_free);
        list->intercept_irqs = g_ptr_array_new_with_free_func((GDestroyNotify)irq_unref);
        g_hash_table_insert(dev->gpios, g_strdup(name ? name : ""), list);
    }
    return list;
}

typedef struct GPIOUndo {
    GPIOList *list;
    guint in, out;
} GPIOUndo;

static void gpio_undo(void *opaque)
{
    g_autofree GPIOUndo *undo = opaque;

    g_ptr_array_set_size(undo->list->in, (gint)undo->in);
    g_ptr_array_set_size(undo->list->out, (gint)undo->out);
}

static void gpio_remember(DeviceState *dev, GPIOList *list)
{
    if (dev->realizing) {
        GPIOUndo *undo = g_new(GPIOUndo, 1);
        *undo = (GPIOUndo){list, list->in->len, list->out->len};
        qdev_on_unrealize(dev, gpio_undo, undo);
    }
}

void qdev_init_gpio_in_named(DeviceState *dev, IRQHandler handler, const char *name, int n)
{
    GPIOList *list = gpio_list(dev, name, true);
    int first = (int)list->in->len;

    gpio_remember(dev, list);
    for (int i = 0; i < n; i++) {
        g_ptr_array_add(list->in, irq_new(handler, dev, first + i));
    }
}

void qdev_init_gpio_in(DeviceState *dev, IRQHandler handler, int n)
{
    qdev_init_gpio_in_named(dev, handler, NULL, n);
}

void qdev_init_gpio_out_named(DeviceState *dev, IRQ *pins, const char *name, int n)
{
    GPIOList *list = gpio_list(dev, name, true);

    gpio_remember(dev, list);
    for (int i = 0; i < n; i++) {
        g_ptr_array_add(list->out, &pins[i]);
    }
}

void qdev_init_gpio_out(DeviceState *dev, IRQ *pins, int n)
{
    qdev_init_gpio_out_named(dev, pins, NULL, n);
}

IRQ qdev_get_gpio_in_named(DeviceState *dev, const char *name, int n)
{
    GPIOList *list = gpio_list(dev, name, false);

    g_assert(list && n >= 0 && n < (int)list->in->len);
    return g_ptr_array_index(list->in, n);
}

IRQ qdev_get_gpio_in(DeviceState *dev, int n)
{
    return qdev_get_gpio_in_named(dev, NULL, n);
}

void qdev_connect_gpio_out_named(DeviceState *dev, const char *name, int n, IRQ irq)
{
    GPIOList *list = gpio_list(dev, name, false);

    g_assert(list && n >= 0 && n < (int)list->out->len);
    *(IRQ *)g_ptr_array_index(list->out, n) = irq;
}

void qdev_connect_gpio_out(DeviceState *dev, int n, IRQ irq)
{
    qdev_connect_gpio_out_named(dev, NULL, n, irq);
}

int qdev_count_gpio_in(DeviceState *dev, const char *name)
{
    GPIOList *list = gpio_list(dev, name, false);

    return list ? (int)list->in->len : 0;
}

int qdev_count_gpio_out(DeviceState *dev, const char *name)
{
    GPIOList *list = gpio_list(dev, name, false);

    return list ? (int)list->out->len : 0;
}

/* ---- interception: a hook before the handler ------------------------------------- */

typedef struct Intercept {
    IRQHandler hook, handler;
    void *hook_opaque, *opaque;
} Intercept;

static void intercept_handler(void *opaque, int n, int level)
{
    Intercept *i = opaque;

    i->hook(i->hook_opaque, n, level);
    if (i->handler) {
        i->handler(i->opaque, n, level);
    }
}

static Intercept *intercept_new(GPIOList *list, IRQHandler hook, void *hook_opaque)
{
    Intercept *i = g_new0(Intercept, 1);

    i->hook = hook;
    i->hook_opaque = hook_opaque;
    g_ptr_array_add(list->intercepts, i);
    return i;
}

static void intercept_input(GPIOList *list, IRQ irq, IRQHandler hook, void *opaque)
{
    Intercept *i = intercept_new(list, hook, opaque);

    i->handler = irq->handler;
    i->opaque = irq->opaque;
    irq->handler = intercept_handler;
    irq->opaque = i;
}

static void forward_to_irq(void *opaque, int n, int level)
{
    (void)n;
    irq_set(opaque, level);
}

static void intercept_output(GPIOList *list, IRQ *pin, int n, IRQHandler hook, void *opaque)
{
    Intercept *i = intercept_new(list, hook, opaque);

    if (*pin) {
        i->handler = forward_to_irq;
        i->opaque = *pin;
    }
    *pin = irq_new(intercept_handler, i, n);
    g_ptr_array_add(list->intercept_irqs, *pin);
}

void qdev_intercept_gpio(DeviceState *dev, const char *name, bool outputs, IRQHandler hook,
                         void *opaque)
{
    GPIOList *list = gpio_list(dev, name, true);

    for (guint n = 0; outputs && n < list->out->len; n++) {
        intercept_output(list, g_ptr_array_index(list->out, n), (int)n, hook, opaque);
    }
    for (guint n = 0; !outputs && n < list->in->len; n++) {
        intercept_input(list, g_ptr_array_index(list->in, n), hook, opaque);
    }
}
