/* SPDX-License-Identifier: MIT */
#include "target/i386/apic.h"
#include "target/i386/cpu.h"

/* Casts compare names, and interrupts are many. */
X86APICClass *x86_cpu_apic_ops(X86CPU *cpu)
{
    if (G_UNLIKELY(cpu->apic_ops_of != cpu->apic)) {
        cpu->apic_ops = X86_APIC_GET_CLASS(cpu->apic);
        cpu->apic_ops_of = cpu->apic;
    }
    return cpu->apic_ops;
}

static const TypeInfo apic_interface_types[] = {
    {
        .name = TYPE_X86_APIC,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(X86APICClass),
        .doc = "what a CPU asks of its local APIC",
    },
};
DEFINE_TYPES(apic_interface_types)
