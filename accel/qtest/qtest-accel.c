/* SPDX-License-Identifier: MIT
 *
 * The accelerator under which no CPU runs and virtual time moves by command.
 */
#include "accel/qtest/qtest.h"

static bool qtest_init_machine(AccelState *accel, MachineState *machine, GError **error)
{
    vm_clock_set_manual(machine->clock);
    return true;
}

static void qtest_accel_class_init(ObjectClass *klass, const void *data)
{
    AccelClass *ac = ACCEL_CLASS(klass);

    ac->name = "qtest";
    ac->doc = "no CPU runs: a program drives the devices (-qtest)";
    ac->ops_type = ACCEL_OPS_NAME("qtest");
    ac->init_machine = qtest_init_machine;
}

/* A CPU without a thread stays as it is; whoever waits for it need not. */
static bool qtest_create_vcpu_thread(CPUState *cpu, GError **error)
{
    return true;
}

static void qtest_accel_ops_class_init(ObjectClass *klass, const void *data)
{
    ACCEL_OPS_CLASS(klass)->create_vcpu_thread = qtest_create_vcpu_thread;
}

static const TypeInfo qtest_accel_types[] = {
    {.name = TYPE_QTEST_ACCEL,
     .parent = TYPE_ACCEL,
     .class_init = qtest_accel_class_init,
     .doc = "accelerator for tests of devices"},
    {.name = ACCEL_OPS_NAME("qtest"),
     .parent = TYPE_ACCEL_OPS,
     .class_init = qtest_accel_ops_class_init,
     .doc = "vCPU operations of the qtest accelerator"},
    {.name = ACCEL_CPU_NAME("qtest"),
     .parent = TYPE_ACCEL_CPU,
     .doc = "CPU hooks of the qtest accelerator"},
};
DEFINE_TYPES(qtest_accel_types)
