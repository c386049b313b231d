/* SPDX-License-Identifier: MIT
 *
 * Interrupt controllers as people look at them: `info pic`, `info irq`.
 */
#ifndef HW_INTC_INTC_H
#define HW_INTC_INTC_H

#include "qom/object.h"

#define TYPE_INTERRUPT_CONTROLLER "intctrl"

typedef struct InterruptController InterruptController;
typedef struct InterruptControllerClass {
    InterfaceClass parent_class;
    /* Registers as text.  Main thread, no lock. */
    void (*print)(InterruptController *intc, GString *out);
    /* How often each input has risen: `ret_counts` stays the device's.  Returns their number. */
    unsigned (*get_counts)(InterruptController *intc, const uint64_t **ret_counts);
} InterruptControllerClass;

#define INTERRUPT_CONTROLLER(obj) ((InterruptController *)(obj))
#define INTERRUPT_CONTROLLER_GET_CLASS(obj)                                                        \
    OBJECT_GET_CLASS(InterruptControllerClass, (obj), TYPE_INTERRUPT_CONTROLLER)

#endif
