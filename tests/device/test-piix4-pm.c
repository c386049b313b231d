/* SPDX-License-Identifier: MIT
 *
 * ACPI registers of the PIIX4: where they are, SCI, PM timer, GPE, sleep, power button, SMBus.
 */
#include "hw/acpi/acpi-pm.h"
#include "hw/acpi/piix4-pm.h"
#include "pci-test.h"

#define PM_DEVFN PCI_MAKE_DEVFN(1, 3)
#define EVT      0x600
#define CNT      0x604
#define TMR      0x608
#define GPE      PIIX4_GPE_BASE

typedef struct Fixture {
    PCITest *p;
    DeviceTest *t;
    PIIX4PMState *pm;
    TestLines lines; /* 0 SCI, 1 SMI */
} Fixture;

static void start(Fixture *f, bool smi)
{
    GError *error = NULL;

    f->p = pci_test_new();
    f->t = f->p->t;
    test_lines_init(&f->lines);
    f->pm = piix4_pm_create(f->p->bus, PM_DEVFN, f->lines.irqs[0], smi ? f->lines.irqs[1] : NULL,
                            &error);
    g_assert_no_error(error);
    test_reset(f->t);
    pci_test_write(f->p, PM_DEVFN, 0x40, 0x601, 4);
    pci_test_write(f->p, PM_DEVFN, 0x80, 1, 1);
}

static void stop(Fixture *f)
{
    pci_test_free(f->p);
    test_lines_finish(&f->lines);
}

static int sci(Fixture *f)
{
    return f->lines.level[0];
}

static void test_base(void)
{
    Fixture f;

    start(&f, false);
    test_outw(f.t, EVT + 2, 0x0100);
    g_assert_cmphex(test_inw(f.t, EVT + 2), ==, 0x0100);
    pci_test_write(f.p, PM_DEVFN, 0x40, 0xb041, 4);
    g_assert_cmphex(test_inw(f.t, 0xb042), ==, 0x0100);
    g_assert_cmphex(test_inw(f.t, EVT + 2), ==, 0xffff);
    pci_test_write(f.p, PM_DEVFN, 0x80, 0, 1);
    g_assert_cmphex(test_inw(f.t, 0xb042), ==, 0xffff);
    test_reset(f.t);
    piix4_pm_enable_acpi(f.pm);
    g_assert_cmphex(test_inw(f.t, CNT), ==, 1);
    stop(&f);
}

static void test_timer(void)
{
    Fixture f;

    start(&f, false);
    test_clock_set(f.t, NANOSECONDS_PER_SECOND);
    g_assert_cmpint(test_inl(f.t, TMR), ==, ACPI_PM_TIMER_HZ);
    g_assert_cmpint(test_inw(f.t, TMR), ==, ACPI_PM_TIMER_HZ & 0xffff);
    g_assert_cmpint(test_inb(f.t, TMR + 1), ==, ACPI_PM_TIMER_HZ >> 8 & 0xff);
    test_clock_set(f.t, 10 * NANOSECONDS_PER_SECOND);
    g_assert_cmpint(test_inl(f.t, TMR), ==, (10 * ACPI_PM_TIMER_HZ) & 0xffffff);
    stop(&f);
}

/* TMR_STS every 2.343 s; it interrupts while it is enabled and ACPI mode is on. */
static void test_timer_interrupt(void)
{
    Fixture f;

    start(&f, false);
    test_outw(f.t, EVT + 2, 1);
    test_clock_set(f.t, 3 * NANOSECONDS_PER_SECOND);
    g_assert_cmphex(test_inw(f.t, EVT), ==, 1);
    g_assert_cmpint(sci(&f), ==, 0);
    test_outb(f.t, PIIX4_SMI_CMD, PIIX4_ACPI_ENABLE);
    g_assert_cmphex(test_inw(f.t, CNT) & 1, ==, 1);
    g_assert_cmpint(sci(&f), ==, 1);
    test_outw(f.t, EVT, 1);
    g_assert_cmpint(sci(&f), ==, 0);
    test_clock_set(f.t, 4 * NANOSECONDS_PER_SECOND);
    g_assert_cmpint(sci(&f), ==, 0);
    test_clock_set(f.t, 5 * NANOSECONDS_PER_SECOND);
    g_assert_cmpint(sci(&f), ==, 1);
    test_outb(f.t, PIIX4_SMI_CMD, PIIX4_ACPI_DISABLE);
    g_assert_cmpint(sci(&f), ==, 0);
    stop(&f);
}

static void test_gpe(void)
{
    Fixture f;

    start(&f, false);
    test_outb(f.t, PIIX4_SMI_CMD, PIIX4_ACPI_ENABLE);
    piix4_pm_raise_gpe(f.pm, 9);
    g_assert_cmpint(sci(&f), ==, 0);
    g_assert_cmphex(test_inw(f.t, GPE), ==, 0x200);
    test_outw(f.t, GPE + 2, 0x200);
    g_assert_cmpint(sci(&f), ==, 1);
    test_outw(f.t, GPE, 0x100);
    g_assert_cmpint(sci(&f), ==, 1);
    test_outw(f.t, GPE, 0x200);
    g_assert_cmpint(sci(&f), ==, 0);
    stop(&f);
}

static void test_sleep(void)
{
    Fixture f;

    start(&f, false);
    g_assert_cmpint(acpi_pm_sleep_type(piix4_pm_acpi(f.pm), 5), ==, 0);
    g_assert_cmpint(acpi_pm_sleep_type(piix4_pm_acpi(f.pm), 4), ==, 2);
    g_assert_cmpint(acpi_pm_sleep_type(piix4_pm_acpi(f.pm), 3), ==, 1);
    test_outw(f.t, CNT, 0x3c00); /* no such state */
    g_assert_cmpint(f.t->machine->shutdown_requested, ==, SHUTDOWN_CAUSE_NONE);
    test_outw(f.t, CNT, 0x2000);
    g_assert_cmpint(f.t->machine->shutdown_requested, ==, SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    g_assert_cmphex(test_inw(f.t, CNT), ==, 0); /* SLP_EN reads as 0 */
    stop(&f);
}

static void test_smi(void)
{
    Fixture f;

    start(&f, true);
    g_assert_cmphex(pci_test_read(f.p, PM_DEVFN, 0x5b, 1), ==, 0);
    test_outb(f.t, PIIX4_SMI_CMD, 0x55);
    g_assert_cmpint(f.lines.rises[1], ==, 0);
    pci_test_write(f.p, PM_DEVFN, 0x5b, 2, 1);
    test_outb(f.t, PIIX4_SMI_CMD, 0x55);
    g_assert_cmpint(f.lines.rises[1], ==, 1);
    g_assert_cmphex(test_inb(f.t, PIIX4_SMI_CMD), ==, 0x55);
    test_outb(f.t, PIIX4_SMI_CMD + 1, 0x77);
    g_assert_cmphex(test_inb(f.t, PIIX4_SMI_CMD + 1), ==, 0x77);
    stop(&f);
    start(&f, false);
    g_assert_cmphex(pci_test_read(f.p, PM_DEVFN, 0x5b, 1), ==, 2);
    stop(&f);
}

/* Nobody is on the bus: a transaction ends with a device error. */
static void test_smbus(void)
{
    Fixture f;

    start(&f, false);
    pci_test_write(f.p, PM_DEVFN, 0x90, PIIX4_SMB_BASE | 1, 4);
    test_outb(f.t, PIIX4_SMB_BASE + 4, 0xa1);
    test_outb(f.t, PIIX4_SMB_BASE + 2, 0x48);
    g_assert_cmphex(test_inb(f.t, PIIX4_SMB_BASE), ==, 0x04);
    g_assert_cmphex(test_inb(f.t, PIIX4_SMB_BASE + 2), ==, 0x08); /* START reads as 0 */
    test_outb(f.t, PIIX4_SMB_BASE, 0xff);
    g_assert_cmphex(test_inb(f.t, PIIX4_SMB_BASE), ==, 0);
    stop(&f);
}

static void test_poke(void)
{
    Fixture f;

    start(&f, true);
    for (int i = 0; i < 200; i++) {
        test_poke_ports(f.t, EVT, 64, 50);
        test_poke_ports(f.t, GPE, 4, 20);
        pci_test_write(f.p, PM_DEVFN, 0x40, (uint32_t)g_test_rand_int(), 4);
        pci_test_write(f.p, PM_DEVFN, 0x90, (uint32_t)g_test_rand_int(), 4);
        pci_test_write(f.p, PM_DEVFN, 0x40, 0x601, 4);
    }
    test_reset(f.t);
    g_assert_cmpint(sci(&f), ==, 0);
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/piix4-pm/base", test_base);
    g_test_add_func("/piix4-pm/timer", test_timer);
    g_test_add_func("/piix4-pm/timer-interrupt", test_timer_interrupt);
    g_test_add_func("/piix4-pm/gpe", test_gpe);
    g_test_add_func("/piix4-pm/sleep", test_sleep);
    g_test_add_func("/piix4-pm/smi", test_smi);
    g_test_add_func("/piix4-pm/smbus", test_smbus);
    g_test_add_func("/piix4-pm/poke", test_poke);
    return g_test_run();
}
