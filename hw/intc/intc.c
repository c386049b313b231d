/* SPDX-License-Identifier: MIT */
#include "hw/intc/intc.h"

static const TypeInfo intc_types[] = {
    {
     .name = TYPE_INTERRUPT_CONTROLLER,
     .parent = TYPE_INTERFACE,
     .class_size = sizeof(InterruptControllerClass),
     .doc = "what `info pic` and `info irq` ask of an interrupt controller",
     },
};
DEFINE_TYPES(intc_types)
