/* SPDX-License-Identifier: MIT */
#include "target/i386/apic.h"

static const TypeInfo apic_interface_types[] = {
    {
        .name = TYPE_X86_APIC,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(X86APICClass),
        .doc = "what a CPU asks of its local APIC",
    },
};
DEFINE_TYPES(apic_interface_types)
