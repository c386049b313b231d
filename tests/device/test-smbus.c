/* SPDX-License-Identifier: MIT
 *
 * SMBus hosts of the ICH9 and the PIIX4, with EEPROMs on their buses: every protocol, both ways of
 * moving blocks, nobody at an address.
 */
#include "hw/acpi/piix4-pm.h"
#include "hw/i2c/smbus-ich9.h"
#include "pci-test.h"

#define BASE    0x700
#define STS     BASE
#define CNT     (BASE + 2)
#define CMD     (BASE + 3)
#define ADDR    (BASE + 4)
#define D0      (BASE + 5)
#define D1      (BASE + 6)
#define DB      (BASE + 7)
#define AUX     (BASE + 0xd)
#define DONE    0x02
#define ERROR   0x04
#define BYTE_DS 0x80

enum { QUICK, BYTE, BYTE_DATA, WORD_DATA, PROCESS_CALL, BLOCK, I2C_READ, BLOCK_PROCESS };

typedef struct Fixture {
    PCITest *p;
    DeviceTest *t;
} Fixture;

static void start_ich9(Fixture *f)
{
    GError *error = NULL;
    I2CBus *bus;

    f->p = pci_test_new_q35(false);
    f->t = f->p->t;
    bus = ich9_smb_create(f->p->bus, ICH9_SMB_DEVFN, &error);
    g_assert_no_error(error);
    g_assert_true(smbus_eeprom_create_all(bus, 0x50, 2, &error));
    test_reset(f->t);
    pci_test_write(f->p, ICH9_SMB_DEVFN, 0x20, BASE | 1, 4);
    pci_test_write(f->p, ICH9_SMB_DEVFN, 4, 1, 2);
    pci_test_write(f->p, ICH9_SMB_DEVFN, 0x40, 1, 1);
}

static void start_piix4(Fixture *f)
{
    const unsigned devfn = PCI_MAKE_DEVFN(1, 3);
    GError *error = NULL;
    PIIX4PMState *pm;

    f->p = pci_test_new();
    f->t = f->p->t;
    pm = piix4_pm_create(f->p->bus, (int)devfn, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(smbus_eeprom_create_all(piix4_pm_smbus(pm), 0x50, 2, &error));
    test_reset(f->t);
    pci_test_write(f->p, devfn, 0x90, BASE | 1, 4);
    pci_test_write(f->p, devfn, 0xd2, 1, 1);
}

/* Run one; the status. */
static uint8_t go(Fixture *f, uint8_t address, bool read, int protocol, uint8_t command)
{
    test_outb(f->t, STS, 0xff);
    test_outb(f->t, ADDR, (uint8_t)(address << 1 | read));
    test_outb(f->t, CMD, command);
    test_outb(f->t, CNT, (uint8_t)(0x40 | protocol << 2));
    return test_inb(f->t, STS);
}

static void check_simple(Fixture *f)
{
    g_assert_cmphex(go(f, 0x50, false, QUICK, 0), ==, DONE);
    g_assert_cmphex(go(f, 0x33, false, QUICK, 0), ==, ERROR);
    g_assert_cmphex(go(f, 0x33, true, BYTE_DATA, 0), ==, ERROR);
    g_assert_cmphex(go(f, 0x33, false, WORD_DATA, 0), ==, ERROR);
    test_outb(f->t, D0, 0xab);
    g_assert_cmphex(go(f, 0x50, false, BYTE_DATA, 0x10), ==, DONE);
    test_outb(f->t, D0, 0xcd);
    test_outb(f->t, D1, 0xef);
    g_assert_cmphex(go(f, 0x50, false, WORD_DATA, 0x11), ==, DONE);
    g_assert_cmphex(go(f, 0x50, true, BYTE_DATA, 0x10), ==, DONE);
    g_assert_cmphex(test_inb(f->t, D0), ==, 0xab);
    g_assert_cmphex(go(f, 0x50, true, WORD_DATA, 0x11), ==, DONE);
    g_assert_cmphex(test_inb(f->t, D0), ==, 0xcd);
    g_assert_cmphex(test_inb(f->t, D1), ==, 0xef);
    g_assert_cmphex(go(f, 0x50, false, BYTE, 0x10), ==, DONE); /* the address */
    g_assert_cmphex(go(f, 0x50, true, BYTE, 0), ==, DONE);
    g_assert_cmphex(test_inb(f->t, D0), ==, 0xab);
    g_assert_cmphex(go(f, 0x50, true, BYTE, 0), ==, DONE);
    g_assert_cmphex(test_inb(f->t, D0), ==, 0xcd);
    g_assert_cmphex(go(f, 0x51, true, BYTE_DATA, 0x10), ==, DONE); /* another one */
    g_assert_cmphex(test_inb(f->t, D0), ==, 0);
    test_reset(f->t);
}

static void test_simple_ich9(void)
{
    Fixture f;

    start_ich9(&f);
    check_simple(&f);
    pci_test_free(f.p);
}

static void test_simple_piix4(void)
{
    Fixture f;

    start_piix4(&f);
    check_simple(&f);
    pci_test_free(f.p);
}

/* Through the buffer of 32 bytes; a read of the control register rewinds it. */
static void check_block(Fixture *f)
{
    test_outb(f->t, STS, 0xff);
    test_inb(f->t, CNT);
    for (unsigned i = 0; i < 32; i++) {
        test_outb(f->t, DB, (uint8_t)(i * 3));
    }
    test_outb(f->t, D0, 32);
    g_assert_cmphex(go(f, 0x50, false, BLOCK, 0x20), ==, DONE);
    test_outb(f->t, D0, 0);
    g_assert_cmphex(go(f, 0x50, true, BLOCK, 0x20), ==, DONE);
    g_assert_cmpint(test_inb(f->t, D0), ==, 32);
    test_inb(f->t, CNT);
    for (unsigned i = 0; i < 32; i++) {
        g_assert_cmphex(test_inb(f->t, DB), ==, (uint8_t)(i * 3));
    }
    test_outb(f->t, D0, 33); /* too long a block */
    g_assert_cmphex(go(f, 0x50, false, BLOCK, 0x20), ==, ERROR);
    g_assert_cmphex(go(f, 0x50, true, BLOCK, 0x80), ==, ERROR); /* a count of 0 */
}

static void test_block_ich9(void)
{
    Fixture f;

    start_ich9(&f);
    test_outb(f.t, AUX, 2);
    check_block(&f);
    pci_test_free(f.p);
}

static void test_block_piix4(void)
{
    Fixture f;

    start_piix4(&f);
    check_block(&f);
    pci_test_free(f.p);
}

/* The ICH's way without E32B: one byte at a time. */
static void test_block_by_bytes(void)
{
    static const uint8_t bytes[] = {0x11, 0x22, 0x33};
    Fixture f;

    start_ich9(&f);
    test_outb(f.t, D0, sizeof(bytes));
    test_outb(f.t, DB, bytes[0]);
    g_assert_cmphex(go(&f, 0x50, false, BLOCK, 0x20), ==, BYTE_DS | 1);
    for (unsigned i = 1; i < sizeof(bytes); i++) {
        test_outb(f.t, DB, bytes[i]);
        test_outb(f.t, STS, BYTE_DS);
        g_assert_cmphex(test_inb(f.t, STS), ==, BYTE_DS | 1);
    }
    test_outb(f.t, STS, BYTE_DS);
    g_assert_cmphex(test_inb(f.t, STS), ==, DONE);

    g_assert_cmphex(go(&f, 0x50, true, BLOCK, 0x20), ==, BYTE_DS | 1);
    g_assert_cmpint(test_inb(f.t, D0), ==, 3);
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        g_assert_cmphex(test_inb(f.t, STS), ==, BYTE_DS | 1);
        g_assert_cmphex(test_inb(f.t, DB), ==, bytes[i]);
        test_outb(f.t, STS, BYTE_DS);
    }
    g_assert_cmphex(test_inb(f.t, STS), ==, DONE);
    pci_test_free(f.p);
}

/* An I2C read goes on until LAST_BYTE is set before the last. */
static void test_i2c_read(void)
{
    Fixture f;

    start_ich9(&f);
    for (uint8_t i = 0; i < 4; i++) {
        test_outb(f.t, D0, 0x40 + i);
        g_assert_cmphex(go(&f, 0x50, false, BYTE_DATA, 0x30 + i), ==, DONE);
    }
    test_outb(f.t, D1, 0x30);
    g_assert_cmphex(go(&f, 0x50, true, I2C_READ, 0), ==, BYTE_DS | 1);
    g_assert_cmphex(test_inb(f.t, DB), ==, 0x40);
    test_outb(f.t, STS, BYTE_DS);
    g_assert_cmphex(test_inb(f.t, DB), ==, 0x41);
    test_outb(f.t, CNT, I2C_READ << 2 | 0x20);
    test_outb(f.t, STS, BYTE_DS);
    g_assert_cmphex(test_inb(f.t, STS), ==, DONE);
    pci_test_free(f.p);
}

static void test_interrupt(void)
{
    Fixture f;

    start_ich9(&f);
    test_outb(f.t, STS, 0xff);
    test_outb(f.t, ADDR, 0xa0);
    test_outb(f.t, CNT, 0x41);
    g_assert_cmpint(f.p->gsi.level[16], ==, 1); /* pin A of slot 31 */
    test_outb(f.t, STS, DONE);
    g_assert_cmpint(f.p->gsi.level[16], ==, 0);
    pci_test_free(f.p);
}

static void test_kill(void)
{
    Fixture f;

    start_ich9(&f);
    test_outb(f.t, D0, 8);
    g_assert_cmphex(go(&f, 0x50, false, BLOCK, 0), ==, BYTE_DS | 1);
    test_outb(f.t, CNT, 0x02);
    g_assert_cmphex(test_inb(f.t, STS) & 0x11, ==, 0x10);
    test_outb(f.t, CNT, 0);
    g_assert_cmphex(go(&f, 0x50, false, QUICK, 0), ==, DONE);
    pci_test_free(f.p);
}

/* The host answers only while it is enabled. */
/* Drivers clear what the host heard as a slave before they enable its interrupt. */
static void test_slave_status(void)
{
    Fixture f;

    start_ich9(&f);
    test_outb(f.t, BASE + 0x10, 0xff);
    g_assert_cmphex(test_inb(f.t, BASE + 0x10), ==, 0);
    test_outb(f.t, BASE + 0x11, 0xff);
    g_assert_cmphex(test_inb(f.t, BASE + 0x11), ==, 7);
    test_outb(f.t, BASE + 0x0c, 0xff);
    g_assert_cmphex(test_inb(f.t, BASE + 0x0c), ==, 0);
    g_assert_cmphex(test_inb(f.t, BASE + 0x09), ==, 0x44);
    test_outb(f.t, BASE + 0x0f, 0);
    g_assert_cmphex(test_inb(f.t, BASE + 0x0f), ==, 3);
    pci_test_free(f.p);
    start_piix4(&f);
    test_outb(f.t, BASE + 1, 0xff);
    g_assert_cmphex(test_inb(f.t, BASE + 1), ==, 0);
    test_outb(f.t, BASE + 8, 0xff);
    g_assert_cmphex(test_inb(f.t, BASE + 8), ==, 0x0f);
    pci_test_free(f.p);
}

static void test_enable(void)
{
    Fixture f;

    start_ich9(&f);
    pci_test_write(f.p, ICH9_SMB_DEVFN, 0x40, 0, 1);
    g_assert_cmphex(test_inb(f.t, STS), ==, 0xff);
    pci_test_write(f.p, ICH9_SMB_DEVFN, 0x40, 1, 1);
    g_assert_cmphex(test_inb(f.t, STS), ==, 0);
    pci_test_free(f.p);
}

static void test_poke(void)
{
    Fixture f;

    start_ich9(&f);
    test_poke_ports(f.t, BASE, 64, 20000);
    test_reset(f.t);
    pci_test_free(f.p);
    start_piix4(&f);
    test_poke_ports(f.t, BASE, 64, 20000);
    pci_test_free(f.p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smbus/simple/ich9", test_simple_ich9);
    g_test_add_func("/smbus/simple/piix4", test_simple_piix4);
    g_test_add_func("/smbus/block/ich9", test_block_ich9);
    g_test_add_func("/smbus/block/piix4", test_block_piix4);
    g_test_add_func("/smbus/block-by-bytes", test_block_by_bytes);
    g_test_add_func("/smbus/i2c-read", test_i2c_read);
    g_test_add_func("/smbus/interrupt", test_interrupt);
    g_test_add_func("/smbus/kill", test_kill);
    g_test_add_func("/smbus/slave-status", test_slave_status);
    g_test_add_func("/smbus/enable", test_enable);
    g_test_add_func("/smbus/poke", test_poke);
    return g_test_run();
}
