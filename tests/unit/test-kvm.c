/* SPDX-License-Identifier: MIT
 *
 * The KVM accelerator's types (T2, T4, T5), its slots, routes and irqfds, without a guest.
 */
#include <sys/eventfd.h>
#include <unistd.h>
#include "accel/kvm/kvm-internal.h"
#include "hw/core/memory-map.h"

/* A machine with no board, and RAM at 0 with a ROM in its middle. */
typedef struct Fixture {
    MachineState *machine;
    KVMState *kvm;
    MemoryRegion ram, rom;
} Fixture;

static bool kvm_is_here(void)
{
    if (access("/dev/kvm", R_OK | W_OK) == 0) {
        return true;
    }
    g_test_skip("/dev/kvm cannot be opened");
    return false;
}

static void fixture_start(Fixture *f, const char *options)
{
    GError *error = NULL;

    f->machine = machine_new(machine_find_class("none", NULL), &error);
    g_assert_no_error(error);
    cpu_exec_init_all(f->machine);
    do_configure_accelerator(f->machine, options, &error);
    g_assert_no_error(error);
    f->kvm = kvm_state_of(f->machine);
    g_assert_nonnull(f->kvm);
}

static void fixture_stop(Fixture *f)
{
    machine_free(f->machine);
}

static void test_types(void)
{
    AccelClass *ac = accel_find("kvm", NULL);
    AccelOpsClass *ops = ACCEL_OPS_CLASS(object_class_by_name(ACCEL_OPS_NAME("kvm")));
    AccelCPUClass *cpu = ACCEL_CPU_CLASS(object_class_by_name(ACCEL_CPU_NAME("kvm")));

    g_assert_nonnull(ac);
    g_assert_cmpstr(object_class_get_name(OBJECT_CLASS(ac)), ==, TYPE_KVM_ACCEL);
    g_assert_nonnull(ac->init_machine);
    g_assert_nonnull(ops->create_vcpu_thread);
    g_assert_nonnull(ops->kick_vcpu_thread);
    g_assert_nonnull(ops->synchronize_state);
    g_assert_nonnull(cpu->cpu_realizefn);
}

static void test_names(void)
{
    g_assert_cmpstr(kvm_exit_name(KVM_EXIT_MMIO), ==, "MMIO");
    g_assert_nonnull(kvm_exit_name(12345));
    g_assert_nonnull(strstr(kvm_suberror_name(KVM_INTERNAL_ERROR_EMULATION), "emulate"));
    g_assert_nonnull(kvm_suberror_name(12345));
}

static void test_missing_device(void)
{
    g_autoptr(GError) error = NULL;
    MachineState *machine = machine_new(machine_find_class("none", NULL), NULL);

    g_assert_false(do_configure_accelerator(machine, "kvm,device=/nonexistent", &error));
    g_assert_nonnull(strstr(error->message, "/nonexistent"));
    g_clear_error(&error);
    g_assert_false(do_configure_accelerator(machine, "kvm,device=/dev/null", &error));
    g_assert_nonnull(strstr(error->message, "/dev/null"));
    machine_free(machine);
}

static const KVMSlot *slot_at(KVMState *s, uint64_t gpa)
{
    for (guint i = 0; i < s->memory.slots->len; i++) {
        const KVMSlot *slot = &g_array_index(s->memory.slots, KVMSlot, i);
        if (slot->size && slot->gpa == gpa) {
            return slot;
        }
    }
    return NULL;
}

/* A ROM over RAM splits it in two; taking it away joins them. */
static void test_slots(void)
{
    Fixture *f = g_new0(Fixture, 1);

    if (!kvm_is_here()) {
        g_free(f);
        return;
    }
    fixture_start(f, "kvm");
    g_assert_true(memory_region_init_ram(&f->ram, NULL, "ram", 0x100000, NULL));
    g_assert_true(memory_region_init_rom(&f->rom, NULL, "rom", 0x2000, NULL));
    memory_region_add_subregion(f->machine->system_memory, 0, &f->ram);
    g_assert_cmpuint(slot_at(f->kvm, 0)->size, ==, 0x100000);
    memory_region_add_subregion_overlap(f->machine->system_memory, 0x4000, &f->rom, 1);
    g_assert_cmpuint(slot_at(f->kvm, 0)->size, ==, 0x4000);
    g_assert_cmpuint(slot_at(f->kvm, 0x4000)->flags, ==, KVM_MEM_READONLY);
    g_assert_cmpuint(slot_at(f->kvm, 0x6000)->size, ==, 0xfa000);
    memory_region_del_subregion(f->machine->system_memory, &f->rom);
    g_assert_cmpuint(slot_at(f->kvm, 0)->size, ==, 0x100000);
    g_assert_null(slot_at(f->kvm, 0x4000));
    memory_region_del_subregion(f->machine->system_memory, &f->ram);
    g_assert_null(slot_at(f->kvm, 0));
    memory_region_finish(&f->rom);
    memory_region_finish(&f->ram);
    fixture_stop(f);
    g_free(f);
}

static void test_routes(void)
{
    g_autoptr(GError) error = NULL;
    Fixture f = {0};
    int fd = eventfd(0, EFD_CLOEXEC), gsi;

    if (kvm_is_here()) {
        fixture_start(&f, "kvm");
        gsi = kvm_msi_route_add(f.kvm, MSI_ADDRESS_BASE, 0x41, &error);
        g_assert_no_error(error);
        g_assert_cmpint(gsi, >=, KVM_NR_GSI);
        g_assert_true(kvm_msi_route_update(f.kvm, gsi, MSI_ADDRESS_BASE, 0x42, &error));
        g_assert_true(kvm_irqfd_add(f.kvm, gsi, fd, -1, &error));
        kvm_irqfd_del(f.kvm, gsi, fd);
        kvm_msi_route_del(f.kvm, gsi);
        g_assert_false(kvm_msi_route_update(f.kvm, gsi, 0, 0, &error));
        fixture_stop(&f);
    }
    close(fd);
}

static void test_no_routes(void)
{
    g_autoptr(GError) error = NULL;
    Fixture f = {0};

    if (kvm_is_here()) {
        fixture_start(&f, "kvm,kernel_irqchip=off");
        g_assert_cmpint(kvm_msi_route_add(f.kvm, MSI_ADDRESS_BASE, 0x41, &error), ==, -1);
        g_assert_nonnull(strstr(error->message, "off"));
        fixture_stop(&f);
    }
}

static void test_probe(void)
{
    g_autofree char *why = NULL;
    AccelClass *ac = accel_find("kvm", NULL);
    int score = ac->probe(&why);

    g_assert_cmpint(score, >=, 0);
    g_assert_nonnull(why);
    g_test_message("score %d: %s", score, why);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    vmm_thread_register();
    g_test_add_func("/kvm/types", test_types);
    g_test_add_func("/kvm/names", test_names);
    g_test_add_func("/kvm/missing-device", test_missing_device);
    g_test_add_func("/kvm/slots", test_slots);
    g_test_add_func("/kvm/routes", test_routes);
    g_test_add_func("/kvm/no-routes", test_no_routes);
    g_test_add_func("/kvm/probe", test_probe);
    return g_test_run();
}
