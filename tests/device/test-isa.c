/* SPDX-License-Identifier: MIT
 *
 * The ISA bus, its DMA controllers and the devices of one port.
 */
#include "device-test.h"
#include "hw/isa/i8257.h"
#include "system/char/char-ringbuf.h"
#include "system/char/chardev.h"

static void test_lines(void)
{
    g_autoptr(DeviceTest) t = device_test_new();

    irq_raise(isa_bus_get_irq(t->isa, 5));
    g_assert_cmpint(t->lines.level[5], ==, 1);
    g_assert_null(isa_bus_get_irq(t->isa, 16));
    g_assert_null(isa_bus_get_irq(t->isa, ISA_NONE));
    g_assert_null(isa_get_dma(t->isa, 8));
}

static void test_debugcon(void)
{
    g_autoptr(DeviceTest) t = device_test_new();
    Chardev *chr = chardev_new(t->machine, "c", "ringbuf,size=64", NULL);

    device_test_add_with(t, "isa-debugcon", "iobase=0x402", "chardev=c", "readback=0x55", NULL);
    g_assert_cmphex(test_inb(t, 0x402), ==, 0x55);
    test_outb(t, 0x402, 'o');
    test_outb(t, 0x402, 'k');
    g_autoptr(GByteArray) out = chardev_ringbuf_read(chr, 100);
    g_assert_cmpmem(out->data, out->len, "ok", 2);
}

static void test_debug_exit(void)
{
    g_autoptr(DeviceTest) t = device_test_new();

    device_test_add_with(t, "isa-debug-exit", "iobase=0xf4", "iosize=4", NULL);
    g_assert_cmphex(test_inl(t, 0xf4), ==, 0);
    g_assert_cmpint(t->machine->shutdown_requested, ==, SHUTDOWN_CAUSE_NONE);
    test_outl(t, 0xf4, 0x10);
    g_assert_cmpint(t->machine->shutdown_requested, !=, SHUTDOWN_CAUSE_NONE);
    g_assert_cmpint(t->machine->exit_status, ==, 0x21);
}

static void test_dma_registers(void)
{
    g_autoptr(DeviceTest) t = device_test_new();

    g_assert_true(i8257_create_pair(t->isa, NULL));
    test_outb(t, 0x0c, 0);
    test_outb(t, 0x02, 0x34);
    test_outb(t, 0x02, 0x12);
    g_assert_cmphex(test_inb(t, 0x02), ==, 0x34);
    g_assert_cmphex(test_inb(t, 0x02), ==, 0x12);
    test_outb(t, 0xc6, 0xcd);
    test_outb(t, 0xc6, 0xab);
    g_assert_cmphex(test_inb(t, 0xc6), ==, 0xcd);
    g_assert_cmphex(test_inb(t, 0xc6), ==, 0xab);
    test_outb(t, 0x83, 0x77);
    g_assert_cmphex(test_inb(t, 0x83), ==, 0x77);
    test_outb(t, 0x0f, 0x05);
    g_assert_cmphex(test_inb(t, 0x0f), ==, 0xf5);
    test_outb(t, 0x0d, 0);
    g_assert_cmphex(test_inb(t, 0x0f), ==, 0xff);
}

typedef struct Client {
    ISADMA *dma;
    unsigned left;
} Client;

static uint32_t client_transfer(void *opaque, int channel, uint32_t pos, uint32_t len)
{
    Client *c = opaque;
    uint8_t byte = 0xa0 + pos;
    ISADMAClass *dc = ISA_DMA_GET_CLASS(c->dma);

    dc->write_memory(c->dma, channel, &byte, pos, 1);
    if (!--c->left) {
        dc->set_request(c->dma, channel, false);
    }
    return pos + 1;
}

static void test_dma_transfer(void)
{
    g_autoptr(DeviceTest) t = device_test_new();
    MemoryRegion ram;

    memory_region_init_ram(&ram, OBJECT(t->machine), "ram", 0x20000, NULL);
    memory_region_add_subregion(t->machine->system_memory, 0, &ram);
    g_assert_true(i8257_create_pair(t->isa, NULL));
    Client c = {.dma = isa_get_dma(t->isa, 2), .left = 8};
    ISA_DMA_GET_CLASS(c.dma)->register_channel(c.dma, 2, client_transfer, &c);
    test_outb(t, 0x0c, 0);
    test_outb(t, 0x04, 0x00); /* 1fff00h upwards, within its 64 KiB */
    test_outb(t, 0x04, 0xff);
    test_outb(t, 0x05, 7);
    test_outb(t, 0x05, 0);
    test_outb(t, 0x81, 0x01);
    test_outb(t, 0x0b, 0x46); /* single, write, channel 2 */
    ISA_DMA_GET_CLASS(c.dma)->set_request(c.dma, 2, true);
    test_poll(t);
    g_assert_cmpuint(c.left, ==, 8); /* masked */
    test_outb(t, 0x0a, 0x02);
    test_poll(t);
    g_assert_cmpuint(c.left, ==, 0);
    g_assert_cmphex(test_read(t, 0x1ff00, 8), ==, 0xa7a6a5a4a3a2a1a0ull);
    g_assert_cmphex(test_inb(t, 0x08), ==, 0x04); /* terminal count */
    g_assert_cmphex(test_inb(t, 0x0f) & 4, ==, 4);
    memory_region_finish(&ram);
}

static void test_random(void)
{
    g_autoptr(DeviceTest) t = device_test_new();

    i8257_create_pair(t->isa, NULL);
    test_poke_ports(t, 0x00, 16, 3000);
    test_poke_ports(t, 0x80, 16, 1000);
    test_poke_ports(t, 0xc0, 32, 3000);
    test_poll(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/isa/lines", test_lines);
    g_test_add_func("/isa/debugcon", test_debugcon);
    g_test_add_func("/isa/debug-exit", test_debug_exit);
    g_test_add_func("/isa/dma-registers", test_dma_registers);
    g_test_add_func("/isa/dma-transfer", test_dma_transfer);
    g_test_add_func("/isa/random", test_random);
    return g_test_run();
}
