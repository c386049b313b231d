/* SPDX-License-Identifier: MIT
 *
 * The ICH9's LPC bridge: interrupt routing, power management ports, SMI, watchdog, reset control.
 */
#include "hw/acpi/ich9-pm.h"
#include "hw/core/machine.h"
#include "pci-test.h"

#define LPC    ICH9_LPC_DEVFN
#define PM     0x600
#define TCO    (PM + 0x60)
#define RCBA   ICH9_RCBA_BASE
#define GCS    (RCBA + 0x3410)
#define TICK   600000000ll
#define SMI_EN (PM + 0x30)

typedef struct Fixture {
    PCITest *p;
    DeviceTest *t;
} Fixture;

static void start(Fixture *f, bool smm)
{
    f->p = pci_test_new_q35(smm);
    f->t = f->p->t;
    pci_test_write(f->p, LPC, 0x40, PM | 1, 4);
    pci_test_write(f->p, LPC, 0x44, 0x80, 1);
    pci_test_write(f->p, LPC, 0xf0, RCBA | 1, 4);
}

static void test_identity(void)
{
    Fixture f;

    start(&f, false);
    g_assert_cmphex(pci_test_read(f.p, LPC, 0, 4), ==, 0x29188086);
    g_assert_cmphex(pci_test_read(f.p, LPC, 8, 4), ==, 0x06010002);
    g_assert_cmphex(pci_test_read(f.p, LPC, 0x60, 4), ==, 0x80808080);
    g_assert_cmphex(pci_test_read(f.p, LPC, 0x68, 4), ==, 0x80808080);
    pci_test_write(f.p, LPC, 0x40, 0xffffffff, 4);
    g_assert_cmphex(pci_test_read(f.p, LPC, 0x40, 4), ==, 0xff81);
    pci_test_free(f.p);
}

static void test_pm_block(void)
{
    Fixture f;

    start(&f, false);
    test_outw(f.t, PM + 2, 0x0100);
    g_assert_cmphex(test_inw(f.t, PM + 2), ==, 0x0100);
    pci_test_write(f.p, LPC, 0x40, 0xb001, 4);
    g_assert_cmphex(test_inw(f.t, 0xb002), ==, 0x0100);
    g_assert_cmphex(test_inw(f.t, PM + 2), ==, 0xffff);
    pci_test_write(f.p, LPC, 0x44, 0, 1);
    g_assert_cmphex(test_inw(f.t, 0xb002), ==, 0xffff);
    pci_test_free(f.p);
}

/* ---- interrupts ------------------------------------------------------------------------ */

static int gsi(Fixture *f, int n)
{
    return f->p->gsi.level[n];
}

static PCIDevice *add_device(Fixture *f, unsigned slot)
{
    GError *error = NULL;
    PCIDevice *dev = pci_create(f->p->bus, PCI_MAKE_DEVFN(slot, 0), "pci-testdev", &error);

    g_assert_no_error(error);
    dev->config[PCI_INTERRUPT_PIN] = 1;
    return dev;
}

/* Pin A of slot 2 is PIRQG: pin 22 of the I/O APIC, and an ISA interrupt if it is routed. */
static void test_pirq(void)
{
    Fixture f;
    PCIDevice *dev;

    start(&f, false);
    dev = add_device(&f, 2);
    pci_set_irq(dev, 1);
    g_assert_cmpint(gsi(&f, 22), ==, 1);
    g_assert_cmpint(gsi(&f, 10), ==, 0);
    pci_test_write(f.p, LPC, 0x6a, 10, 1);
    g_assert_cmpint(gsi(&f, 10), ==, 1);
    pci_test_write(f.p, LPC, 0x6a, 11, 1);
    g_assert_cmpint(gsi(&f, 10), ==, 0);
    g_assert_cmpint(gsi(&f, 11), ==, 1);
    pci_test_write(f.p, LPC, 0x6a, 0x8b, 1);
    g_assert_cmpint(gsi(&f, 11), ==, 0);
    pci_test_write(f.p, LPC, 0x6a, 8, 1); /* the RTC's is not for PCI */
    g_assert_cmpint(gsi(&f, 8), ==, 0);
    pci_set_irq(dev, 0);
    g_assert_cmpint(gsi(&f, 22), ==, 0);
    pci_test_free(f.p);
}

/* Slots in the chip are routed by DxxIR, also while they are asserted. */
static void test_chip_slots(void)
{
    Fixture f;
    PCIDevice *dev;

    start(&f, false);
    dev = add_device(&f, 27);
    pci_set_irq(dev, 1);
    g_assert_cmpint(gsi(&f, 16), ==, 1);
    test_write(f.t, RCBA + 0x3148, 0x3215, 2);
    g_assert_cmpint(gsi(&f, 16), ==, 0);
    g_assert_cmpint(gsi(&f, 21), ==, 1);
    pci_set_irq(dev, 0);
    g_assert_cmpint(gsi(&f, 21), ==, 0);
    test_reset(f.t);
    pci_test_write(f.p, LPC, 0xf0, RCBA | 1, 4);
    g_assert_cmphex(test_read(f.t, RCBA + 0x3148, 2), ==, 0x3210);
    dev = add_device(&f, 30); /* the bridge has no such register */
    pci_set_irq(dev, 1);
    g_assert_cmpint(gsi(&f, 22), ==, 1);
    pci_test_free(f.p);
}

static void test_shared_line(void)
{
    Fixture f;
    PCIDevice *a, *b;

    start(&f, false);
    a = add_device(&f, 1);
    b = add_device(&f, 2);
    pci_test_write(f.p, LPC, 0x69, 10, 1);
    pci_test_write(f.p, LPC, 0x6a, 10, 1);
    pci_set_irq(a, 1);
    pci_set_irq(b, 1);
    pci_set_irq(a, 0);
    g_assert_cmpint(gsi(&f, 10), ==, 1);
    pci_set_irq(b, 0);
    g_assert_cmpint(gsi(&f, 10), ==, 0);
    pci_test_free(f.p);
}

static void test_sci(void)
{
    static const struct {
        uint8_t select, gsi;
    } rows[] = {{0, 9}, {1, 10}, {2, 11}, {4, 20}, {5, 21}, {6, 22}, {7, 23}};
    Fixture f;

    start(&f, false);
    test_outb(f.t, 0xb2, ICH9_ACPI_ENABLE);
    g_assert_cmphex(test_inw(f.t, PM + 4), ==, 1);
    acpi_pm_raise_gpe(ich9_lpc_acpi(f.p->lpc), 33);
    g_assert_cmphex(test_inb(f.t, PM + 0x24), ==, 0x02);
    g_assert_cmpint(gsi(&f, 9), ==, 0);
    test_outb(f.t, PM + 0x2c, 0x02);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        pci_test_write(f.p, LPC, 0x44, 0x80 | rows[i].select, 1);
        for (int n = 0; n < 24; n++) {
            g_assert_cmpint(gsi(&f, n), ==, n == rows[i].gsi);
        }
    }
    pci_test_write(f.p, LPC, 0x44, 0x80, 1);
    test_outb(f.t, PM + 0x24, 0x02);
    g_assert_cmpint(gsi(&f, 9), ==, 0);
    pci_test_free(f.p);
}

/* ---- SMI ------------------------------------------------------------------------------------ */

static void test_smi(void)
{
    Fixture f;

    start(&f, true);
    test_outb(f.t, 0xb2, 0x55);
    g_assert_cmpint(f.p->smi.rises[0], ==, 0);
    g_assert_cmphex(test_inl(f.t, PM + 0x34), ==, 0x20); /* APM_STS, even so */
    test_outl(f.t, SMI_EN, 0x20);
    test_outb(f.t, 0xb2, 0x55);
    g_assert_cmpint(f.p->smi.rises[0], ==, 0); /* GBL_SMI_EN */
    test_outl(f.t, SMI_EN, 0x21);
    test_outb(f.t, 0xb2, 0x55);
    g_assert_cmpint(f.p->smi.rises[0], ==, 1);
    g_assert_cmpint(f.p->smi.rises[1], ==, 0);
    test_outl(f.t, PM + 0x34, 0x20);
    g_assert_cmphex(test_inl(f.t, PM + 0x34), ==, 0);
    g_assert_cmphex(test_inb(f.t, 0xb2), ==, 0x55);
    test_outb(f.t, 0xb3, 0x66);
    g_assert_cmphex(test_inb(f.t, 0xb3), ==, 0x66);
    pci_test_free(f.p);
}

static void test_smi_lock(void)
{
    Fixture f;

    start(&f, true);
    test_outl(f.t, SMI_EN, 0x21);
    pci_test_write(f.p, LPC, 0xa0, 0x10, 1);
    test_outl(f.t, SMI_EN, 0);
    g_assert_cmphex(test_inl(f.t, SMI_EN), ==, 1);
    pci_test_write(f.p, LPC, 0xa0, 0, 1);
    g_assert_cmphex(pci_test_read(f.p, LPC, 0xa0, 1), ==, 0x10);
    test_outw(f.t, TCO + 8, 0x1000); /* TCO_LOCK */
    test_outl(f.t, SMI_EN, 0x2020);
    g_assert_cmphex(test_inl(f.t, SMI_EN), ==, 0x21);
    test_reset(f.t);
    pci_test_write(f.p, LPC, 0xa0, 0, 1);
    g_assert_cmphex(pci_test_read(f.p, LPC, 0xa0, 1), ==, 0);
    pci_test_free(f.p);
}

/* Firmware takes a set APMC_EN to mean that SMM needs no setting up. */
static void test_no_smm(void)
{
    Fixture f;

    start(&f, false);
    g_assert_cmphex(test_inl(f.t, SMI_EN), ==, 0x20);
    test_outl(f.t, SMI_EN, 0x21);
    test_outb(f.t, 0xb2, 0x55);
    pci_test_free(f.p);
}

/* ---- watchdog -------------------------------------------------------------------------------- */

static void tco_begin(Fixture *f, uint16_t ticks)
{
    test_outw(f->t, TCO + 8, 0x0800); /* halt */
    test_outw(f->t, TCO + 4, 0xffff);
    test_outw(f->t, TCO + 6, 0xffff);
    test_outw(f->t, TCO + 0x12, ticks);
    test_outw(f->t, TCO, 4);
    test_outw(f->t, TCO + 8, 0);
}

static void test_tco_defaults(void)
{
    Fixture f;

    start(&f, false);
    g_assert_cmphex(test_inl(f.t, TCO), ==, 0);
    g_assert_cmphex(test_inl(f.t, TCO + 4), ==, 0);
    g_assert_cmphex(test_inl(f.t, TCO + 8), ==, 0x00080000);
    g_assert_cmphex(test_inw(f.t, TCO + 0xc), ==, 0);
    g_assert_cmphex(test_inb(f.t, TCO + 0xe), ==, 0);
    g_assert_cmphex(test_inb(f.t, TCO + 0x10), ==, 3);
    g_assert_cmphex(test_inw(f.t, TCO + 0x12), ==, 4);
    g_assert_cmphex(test_read(f.t, GCS, 4), ==, 0x20);
    test_outw(f.t, TCO + 0xc, 0x1234);
    g_assert_cmphex(test_inb(f.t, TCO + 0xd), ==, 0x12);
    test_outw(f.t, TCO + 0x12, 1); /* too short */
    g_assert_cmphex(test_inw(f.t, TCO + 0x12), ==, 4);
    pci_test_free(f.p);
}

static void test_tco_count(void)
{
    Fixture f;

    start(&f, false);
    tco_begin(&f, 8);
    for (int ticks = 8; ticks > 0; ticks--) {
        g_assert_cmpint(test_inw(f.t, TCO), ==, ticks);
        g_assert_cmphex(test_inw(f.t, TCO + 4), ==, 0);
        test_clock_step(f.t, TICK);
    }
    g_assert_cmphex(test_inw(f.t, TCO + 4), ==, 8);
    tco_begin(&f, 0x3ff);
    test_clock_step(f.t, 0x3fe * TICK);
    g_assert_cmpint(test_inw(f.t, TCO), ==, 1);
    g_assert_cmphex(test_inw(f.t, TCO + 4), ==, 0);
    test_clock_step(f.t, TICK);
    g_assert_cmphex(test_inw(f.t, TCO + 4), ==, 8);
    pci_test_free(f.p);
}

/* The second timeout without a reload counts, TIMEOUT cleared or not. */
static void test_tco_timeouts(void)
{
    Fixture f;

    start(&f, false);
    tco_begin(&f, 4);
    test_clock_step(f.t, 4 * TICK);
    g_assert_cmphex(test_inl(f.t, TCO + 4), ==, 0x00000008);
    test_outw(f.t, TCO + 4, 8);
    g_assert_cmphex(test_inl(f.t, TCO + 4), ==, 0);
    test_clock_step(f.t, 4 * TICK);
    g_assert_cmphex(test_inl(f.t, TCO + 4), ==, 0x00020008);
    tco_begin(&f, 4);
    test_clock_step(f.t, 3 * TICK);
    test_outw(f.t, TCO, 1); /* reloaded in time */
    test_clock_step(f.t, 3 * TICK);
    g_assert_cmphex(test_inl(f.t, TCO + 4), ==, 0);
    test_outw(f.t, TCO + 8, 0x0800);
    test_clock_step(f.t, 100 * TICK);
    g_assert_cmphex(test_inl(f.t, TCO + 4), ==, 0);
    g_assert_cmpint(test_inw(f.t, TCO), ==, 1); /* what was left */
    test_outw(f.t, TCO + 8, 0);
    test_clock_step(f.t, TICK);
    g_assert_cmphex(test_inl(f.t, TCO + 4), ==, 8);
    pci_test_free(f.p);
}

static void test_tco_smi(void)
{
    Fixture f;

    start(&f, true);
    test_outl(f.t, SMI_EN, 0x2001);
    tco_begin(&f, 2);
    test_clock_step(f.t, 2 * TICK);
    g_assert_cmpint(f.p->smi.rises[0], ==, 1);
    g_assert_cmphex(test_inl(f.t, PM + 0x34), ==, 0x2000);
    test_outb(f.t, TCO + 2, 0x12);
    g_assert_cmphex(test_inw(f.t, TCO + 4), ==, 0x0a);
    g_assert_cmpint(f.p->smi.rises[0], ==, 2);
    test_outb(f.t, TCO + 3, 0x34);
    g_assert_cmphex(test_inw(f.t, TCO + 4), ==, 0x0e);
    g_assert_cmphex(test_inw(f.t, TCO + 2), ==, 0x3412);
    pci_test_free(f.p);
}

static void test_tco_control(void)
{
    Fixture f;

    start(&f, false);
    test_outw(f.t, TCO + 8, 0x1000);
    test_outw(f.t, TCO + 8, 0);
    g_assert_cmphex(test_inw(f.t, TCO + 8), ==, 0x1000);
    /* The strap holds the machine back, the bits are set all the same. */
    tco_begin(&f, 2);
    test_write(f.t, GCS, 0, 4);
    test_clock_step(f.t, 4 * TICK);
    g_assert_cmphex(test_inw(f.t, TCO + 6), ==, 6);
    g_assert_false(f.t->machine->watchdog_expired);
    test_outw(f.t, TCO + 6, 6);
    g_assert_cmphex(test_inw(f.t, TCO + 6), ==, 0);
    pci_test_free(f.p);
}

static void test_tco_reboot(void)
{
    Fixture f;

    object_register_global("ICH9-LPC", "noreboot", "off");
    start(&f, false);
    g_assert_cmphex(test_read(f.t, GCS, 4), ==, 0);
    test_write(f.t, GCS, 0x20, 4);
    tco_begin(&f, 2);
    test_clock_step(f.t, 4 * TICK);
    g_assert_false(f.t->machine->watchdog_expired);
    test_write(f.t, GCS, 0, 4);
    test_clock_step(f.t, 4 * TICK);
    g_assert_true(f.t->machine->watchdog_expired);
    pci_test_free(f.p);
}

/* ---- the rest ---------------------------------------------------------------------------------- */

/* S3, and the reasons for which it ends. */
static void test_suspend(void)
{
    Fixture f;
    ACPIPM *pm;

    start(&f, false);
    pm = ich9_lpc_acpi(f.p->lpc);
    g_assert_cmpint(acpi_pm_sleep_type(pm, 3), ==, 1);
    test_outw(f.t, PM + 4, 0x2400);
    g_assert_true(f.t->machine->suspend_requested);
    g_assert_cmpint(f.t->machine->shutdown_requested, ==, SHUTDOWN_CAUSE_NONE);
    g_assert_true(acpi_pm_wakes(pm, WAKEUP_REASON_OTHER));
    g_assert_false(acpi_pm_wakes(pm, WAKEUP_REASON_RTC));
    test_outw(f.t, PM + 2, 0x0400);
    g_assert_true(acpi_pm_wakes(pm, WAKEUP_REASON_RTC));
    acpi_pm_wakeup(pm, WAKEUP_REASON_RTC);
    g_assert_cmphex(test_inw(f.t, PM), ==, 0x8400);
    test_outw(f.t, PM, 0x8400);
    g_assert_cmphex(test_inw(f.t, PM), ==, 0);
    pci_test_free(f.p);
}

static void test_reset_control(void)
{
    Fixture f;

    start(&f, false);
    test_outb(f.t, 0xcf9, 0xfb);
    g_assert_cmphex(test_inb(f.t, 0xcf9), ==, 0x0a);
    g_assert_cmpint(f.t->machine->reset_requested, ==, SHUTDOWN_CAUSE_NONE);
    test_outb(f.t, 0xcf9, 0x06);
    g_assert_cmpint(f.t->machine->reset_requested, ==, SHUTDOWN_CAUSE_GUEST_RESET);
    pci_test_free(f.p);
}

static void test_rcba(void)
{
    Fixture f;

    start(&f, false);
    g_assert_cmphex(test_read(f.t, RCBA + 0x3140, 2), ==, 0x3210);
    test_write(f.t, RCBA + 0x3000, 0x12345678, 4);
    g_assert_cmphex(test_read(f.t, RCBA + 0x3001, 1), ==, 0x56);
    pci_test_write(f.p, LPC, 0xf0, 0xfed20001, 4);
    g_assert_cmphex(test_read(f.t, 0xfed23000, 4), ==, 0x12345678);
    pci_test_write(f.p, LPC, 0xf0, 0, 4);
    g_assert_cmphex(test_read(f.t, 0xfed23000, 4), !=, 0x12345678);
    pci_test_free(f.p);
}

static void test_poke(void)
{
    Fixture f;

    start(&f, true);
    for (int i = 0; i < 200; i++) {
        test_poke_ports(f.t, PM, 128, 50);
        test_poke_ports(f.t, 0xb2, 2, 5);
        test_poke_memory(f.t, RCBA, 0x4000, 20);
        pci_test_write(f.p, LPC, (unsigned)g_test_rand_int_range(0x40, 0x100),
                       (uint32_t)g_test_rand_int(), 1);
        pci_test_write(f.p, LPC, 0x40, PM | 1, 4);
        pci_test_write(f.p, LPC, 0x44, 0x80, 1);
    }
    test_reset(f.t);
    for (int n = 0; n < 24; n++) {
        g_assert_cmpint(gsi(&f, n), ==, 0);
    }
    pci_test_free(f.p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ich9/identity", test_identity);
    g_test_add_func("/ich9/pm-block", test_pm_block);
    g_test_add_func("/ich9/pirq", test_pirq);
    g_test_add_func("/ich9/chip-slots", test_chip_slots);
    g_test_add_func("/ich9/shared-line", test_shared_line);
    g_test_add_func("/ich9/sci", test_sci);
    g_test_add_func("/ich9/smi", test_smi);
    g_test_add_func("/ich9/smi-lock", test_smi_lock);
    g_test_add_func("/ich9/no-smm", test_no_smm);
    g_test_add_func("/ich9/tco-defaults", test_tco_defaults);
    g_test_add_func("/ich9/tco-count", test_tco_count);
    g_test_add_func("/ich9/tco-timeouts", test_tco_timeouts);
    g_test_add_func("/ich9/tco-smi", test_tco_smi);
    g_test_add_func("/ich9/tco-control", test_tco_control);
    g_test_add_func("/ich9/suspend", test_suspend);
    g_test_add_func("/ich9/reset-control", test_reset_control);
    g_test_add_func("/ich9/rcba", test_rcba);
    g_test_add_func("/ich9/poke", test_poke);
    g_test_add_func("/ich9/tco-reboot", test_tco_reboot); /* leaves a global behind */
    return g_test_run();
}
