/* SPDX-License-Identifier: MIT
 *
 * Local APICs, the I/O APIC and messages between them: priorities, EOI,
 * destinations, IPIs, timer, x2APIC and its #GPs, base register, ExtINT.
 */
#include <string.h>
#include "device-test.h"
#include "hw/intc/apic.h"
#include "hw/intc/intc.h"
#include "hw/intc/ioapic.h"

#define APIC_ADDR 0xfee00000u
#define CPUS      3

typedef struct TestCPU {
    CPUState parent_obj;
} TestCPU;

static bool test_cpu_realize(DeviceState *dev, GError **error)
{
    return cpu_exec_realizefn(CPU(dev), error);
}

static void test_cpu_class_init(ObjectClass *klass, const void *data)
{
    DEVICE_CLASS(klass)->realize = test_cpu_realize;
}

static const TypeInfo test_cpu_types[] = {
    {.name = "test-apic-cpu",
     .parent = TYPE_CPU,
     .instance_size = sizeof(TestCPU),
     .class_init = test_cpu_class_init},
};
DEFINE_TYPES(test_cpu_types)

typedef struct Fixture {
    DeviceTest *t;
    CPUState *cpu[CPUS];
    X86APIC *apic[CPUS];
    X86APICClass *ops;
    DeviceState *ioapic;
    I8259Pair pic;
    unsigned as; /* whose registers we see */
} Fixture;

static void add_cpu(Fixture *f, unsigned n)
{
    DeviceState *apic;

    f->cpu[n] = CPU(device_test_add(f->t, "test-apic-cpu"));
    apic = qdev_new(TYPE_APIC, NULL);
    object_property_set_link(OBJECT(apic), "cpu", OBJECT(f->cpu[n]), NULL);
    object_property_set_uint(OBJECT(apic), "id", n, NULL);
    object_property_set_bool(OBJECT(apic), "bsp", n == 0, NULL);
    object_add_child(f->t->machine->unattached, "apic[*]", OBJECT(apic), NULL);
    qdev_realize_and_unref(apic, NULL, NULL);
    f->apic[n] = X86_APIC(apic);
    f->ops = X86_APIC_GET_CLASS(apic);
}

static void be(Fixture *f, unsigned n)
{
    f->as = n;
    current_cpu = f->cpu[n];
}

static uint32_t get(Fixture *f, unsigned offset)
{
    return test_read(f->t, APIC_ADDR + offset, 4);
}

static void set(Fixture *f, unsigned offset, uint32_t value)
{
    test_write(f->t, APIC_ADDR + offset, value, 4);
}

static void start(Fixture *f)
{
    GError *error = NULL;

    f->t = device_test_new();
    for (unsigned n = 0; n < CPUS; n++) {
        add_cpu(f, n);
    }
    i8259_create_pair(f->t->isa, apic_extint_line(f->t->machine), &f->pic, &error);
    g_assert_no_error(error);
    apic_set_pic(f->t->machine, f->pic.master);
    f->ioapic = device_test_add(f->t, TYPE_IOAPIC);
    sysbus_mmio_map(SYS_BUS_DEVICE(f->ioapic), 0, IOAPIC_DEFAULT_ADDRESS);
    test_reset(f->t);
    for (unsigned n = CPUS; n-- > 0;) {
        be(f, n);
        set(f, 0xf0, 0x1ff);
    }
}

static void stop(Fixture *f)
{
    current_cpu = NULL;
    device_test_free(f->t);
}

static int take(Fixture *f, unsigned n)
{
    return f->ops->get_interrupt(f->apic[n]);
}

static bool pending(Fixture *f, unsigned n, uint32_t what)
{
    return cpu_interrupt_pending(f->cpu[n], what);
}

static void ioapic_entry(Fixture *f, unsigned pin, uint64_t entry)
{
    test_write(f->t, IOAPIC_DEFAULT_ADDRESS, 0x11 + 2 * pin, 4);
    test_write(f->t, IOAPIC_DEFAULT_ADDRESS + 0x10, entry >> 32, 4);
    test_write(f->t, IOAPIC_DEFAULT_ADDRESS, 0x10 + 2 * pin, 4);
    test_write(f->t, IOAPIC_DEFAULT_ADDRESS + 0x10, (uint32_t)entry, 4);
}

static uint32_t ioapic_get(Fixture *f, unsigned index)
{
    test_write(f->t, IOAPIC_DEFAULT_ADDRESS, index, 4);
    return test_read(f->t, IOAPIC_DEFAULT_ADDRESS + 0x10, 4);
}

static void test_registers(void)
{
    Fixture f;

    start(&f);
    g_assert_cmphex(get(&f, 0x20), ==, 0);
    g_assert_cmphex(get(&f, 0x30) & 0xff00ff, ==, 0x050014);
    g_assert_cmphex(get(&f, 0x320), ==, 0x10000);
    be(&f, 2);
    g_assert_cmphex(get(&f, 0x20), ==, 2u << 24);
    g_assert_cmphex(ioapic_get(&f, 1), ==, 0x00170020);
    g_assert_cmphex(ioapic_get(&f, 0x10), ==, 0x10000);
    set(&f, 0x350, 0xffffffff);
    g_assert_cmphex(get(&f, 0x350), ==, 0x1a7ff);
    get(&f, 0x10); /* there is no such register */
    set(&f, 0x280, 0);
    g_assert_cmphex(get(&f, 0x280), ==, 0x80);
    stop(&f);
}

static void test_ipi_and_priority(void)
{
    Fixture f;

    start(&f);
    set(&f, 0x310, 1u << 24);
    set(&f, 0x300, 0x41);
    set(&f, 0x300, 0x52);
    g_assert_true(pending(&f, 1, CPU_INTERRUPT_HARD));
    g_assert_false(pending(&f, 0, CPU_INTERRUPT_HARD));
    g_assert_cmphex(take(&f, 1), ==, 0x52);
    g_assert_false(pending(&f, 1, CPU_INTERRUPT_HARD)); /* 41h is below 52h in service */
    be(&f, 1);
    g_assert_cmphex(get(&f, 0xa0), ==, 0x50); /* PPR */
    g_assert_cmphex(get(&f, 0x120), ==, 1u << 18);
    set(&f, 0xb0, 0);
    g_assert_true(pending(&f, 1, CPU_INTERRUPT_HARD));
    f.ops->set_tpr(f.apic[1], 0x40);
    g_assert_false(pending(&f, 1, CPU_INTERRUPT_HARD));
    g_assert_cmpint(take(&f, 1), ==, -1);
    f.ops->set_tpr(f.apic[1], 0x30);
    g_assert_cmphex(take(&f, 1), ==, 0x41);
    set(&f, 0x300, 0x05); /* an illegal vector */
    set(&f, 0x280, 0);
    g_assert_cmphex(get(&f, 0x280), ==, 0x20);
    stop(&f);
}

static void test_shorthands(void)
{
    Fixture f;

    start(&f);
    set(&f, 0x300, 0xc0060); /* all but me */
    g_assert_true(!pending(&f, 0, CPU_INTERRUPT_HARD) && pending(&f, 1, CPU_INTERRUPT_HARD) &&
                  pending(&f, 2, CPU_INTERRUPT_HARD));
    set(&f, 0x300, 0x40061);
    g_assert_cmphex(take(&f, 0), ==, 0x61);
    set(&f, 0x300, 0x80072);
    g_assert_cmphex(take(&f, 0), ==, 0x72);
    g_assert_cmphex(take(&f, 1), ==, 0x72);
    set(&f, 0x300, 0xc0400); /* NMI */
    g_assert_true(!pending(&f, 0, CPU_INTERRUPT_NMI) && pending(&f, 1, CPU_INTERRUPT_NMI));
    set(&f, 0x310, 2u << 24);
    set(&f, 0x300, 0x200);
    g_assert_true(pending(&f, 2, CPU_INTERRUPT_SMI) && !pending(&f, 1, CPU_INTERRUPT_SMI));
    stop(&f);
}

static void test_startup(void)
{
    Fixture f;

    start(&f);
    set(&f, 0x310, 1u << 24);
    set(&f, 0x300, 0x4500); /* INIT, assert */
    g_assert_true(pending(&f, 1, CPU_INTERRUPT_INIT));
    set(&f, 0x300, 0x8500); /* and de-assert: nothing */
    set(&f, 0x300, 0x4699);
    g_assert_true(pending(&f, 1, CPU_INTERRUPT_SIPI));
    cpu_reset_interrupt(f.cpu[1], CPU_INTERRUPT_INIT | CPU_INTERRUPT_SIPI);
    f.ops->init_reset(f.apic[1]);
    g_assert_cmphex(f.ops->get_sipi_vector(f.apic[1]), ==, 0x99);
    set(&f, 0x300, 0x469a); /* it runs: the second one is ignored */
    g_assert_false(pending(&f, 1, CPU_INTERRUPT_SIPI));
    stop(&f);
}

static void test_logical(void)
{
    Fixture f;

    start(&f);
    for (unsigned n = 0; n < CPUS; n++) {
        be(&f, n);
        set(&f, 0xd0, 1u << (24 + n));
    }
    set(&f, 0x310, 5u << 24);
    set(&f, 0x300, 0x0831);
    g_assert_true(pending(&f, 0, CPU_INTERRUPT_HARD) && !pending(&f, 1, CPU_INTERRUPT_HARD) &&
                  pending(&f, 2, CPU_INTERRUPT_HARD));
    for (unsigned n = 0; n < CPUS; n++) {
        be(&f, n);
        set(&f, 0xe0, 0x0fffffff);
        set(&f, 0xd0, n < 2 ? (1u << (24 + n)) : 0x11u << 24); /* clusters 0 and 1 */
    }
    set(&f, 0x310, 0x02u << 24);
    set(&f, 0x300, 0x0835);
    g_assert_cmphex(take(&f, 1), ==, 0x35);
    g_assert_cmphex(take(&f, 2), ==, 0x31);
    /* Lowest priority: not the one that is busy. */
    f.ops->set_tpr(f.apic[0], 0x80);
    set(&f, 0x310, 0x03u << 24);
    set(&f, 0x300, 0x0945);
    g_assert_cmphex(take(&f, 1), ==, 0x45);
    stop(&f);
}

static void test_ioapic_level(void)
{
    Fixture f;
    IRQ pin;

    start(&f);
    pin = qdev_get_gpio_in(f.ioapic, 17);
    ioapic_entry(&f, 17, 1ull << 56 | 0x8055);
    irq_raise(pin);
    g_assert_cmphex(take(&f, 1), ==, 0x55);
    g_assert_cmphex(ioapic_get(&f, 0x10 + 34), ==, 0xc055); /* remote IRR */
    be(&f, 1);
    g_assert_cmphex(get(&f, 0x1a0), ==, 1u << 21); /* TMR */
    irq_lower(pin);
    irq_raise(pin);
    g_assert_cmpint(take(&f, 1), ==, -1);
    set(&f, 0xb0, 0);
    g_assert_cmphex(take(&f, 1), ==, 0x55); /* still up at EOI */
    irq_lower(pin);
    set(&f, 0xb0, 0);
    g_assert_cmpint(take(&f, 1), ==, -1);
    g_assert_cmphex(ioapic_get(&f, 0x10 + 34), ==, 0x8055);
    /* With the broadcast suppressed it ends by the I/O APIC's own register. */
    set(&f, 0xf0, 0x11ff);
    irq_raise(pin);
    g_assert_cmphex(take(&f, 1), ==, 0x55);
    set(&f, 0xb0, 0);
    g_assert_cmpint(take(&f, 1), ==, -1);
    test_write(f.t, IOAPIC_DEFAULT_ADDRESS + 0x40, 0x55, 4);
    g_assert_cmphex(take(&f, 1), ==, 0x55);
    stop(&f);
}

static void test_ioapic_registers(void)
{
    Fixture f;

    start(&f);
    test_write(f.t, IOAPIC_DEFAULT_ADDRESS, 0, 4);
    test_write(f.t, IOAPIC_DEFAULT_ADDRESS + 0x10, UINT32_MAX, 4);
    g_assert_cmphex(ioapic_get(&f, 0), ==, 0x0f000000); /* four bits, and again at 2 */
    g_assert_cmphex(ioapic_get(&f, 2), ==, 0x0f000000);
    test_write(f.t, IOAPIC_DEFAULT_ADDRESS, 1, 4);
    test_write(f.t, IOAPIC_DEFAULT_ADDRESS + 0x10, 0, 4); /* the version is as it is */
    g_assert_cmphex(ioapic_get(&f, 1), ==, 0x00170020);
    g_assert_cmphex(ioapic_get(&f, 3), ==, 0);
    g_assert_cmphex(ioapic_get(&f, 0x40), ==, 0); /* behind the last pin */
    g_assert_cmphex(test_read(f.t, IOAPIC_DEFAULT_ADDRESS, 4), ==, 0x40);
    g_assert_cmphex(test_read(f.t, IOAPIC_DEFAULT_ADDRESS + 0x20, 4), ==, 0);
    /* Delivery status and remote IRR are not the guest's to write. */
    ioapic_entry(&f, 3, UINT64_MAX);
    g_assert_cmphex(ioapic_get(&f, 0x16), ==, 0x0001afff);
    g_assert_cmphex(ioapic_get(&f, 0x17) >> 24, ==, 0xff);
    test_reset(f.t);
    g_assert_cmphex(ioapic_get(&f, 0x16), ==, 0x10000);
    stop(&f);
}

typedef struct Routes {
    unsigned told;
    int pin;
    uint64_t address;
    uint32_t data;
    bool masked;
} Routes;

static void note_route(void *opaque, int pin, uint64_t address, uint32_t data, bool masked)
{
    Routes *r = opaque;

    *r = (Routes){r->told + 1, pin, address, data, masked};
}

/* An entry as the MSI that it is (SDM vol. 3, 11.11): who is told learns of all, then of each. */
static void test_ioapic_routes(void)
{
    Routes r = {0};
    Fixture f;

    start(&f);
    ioapic_set_route_handler(IOAPIC(f.ioapic), note_route, &r);
    g_assert_cmpuint(r.told, ==, IOAPIC_NUM_PINS);
    g_assert_true(r.masked);
    ioapic_entry(&f, 9, 2ull << 56 | 0x8900 | 0x61); /* lowest priority, logical, level */
    g_assert_cmpuint(r.told, ==, IOAPIC_NUM_PINS + 2);
    g_assert_cmpint(r.pin, ==, 9);
    g_assert_false(r.masked);
    g_assert_cmphex(r.address, ==, 0xfee0200c); /* to 2, redirected, logical */
    g_assert_cmphex(r.data, ==, 0xc161);        /* level, lowest priority */
    ioapic_set_route_handler(IOAPIC(f.ioapic), NULL, NULL);
    ioapic_entry(&f, 9, 0x10000);
    g_assert_cmpuint(r.told, ==, IOAPIC_NUM_PINS + 2);
    stop(&f);
}

static char *print(DeviceState *dev)
{
    GString *out = g_string_new(NULL);
    InterruptController *intc = INTERRUPT_CONTROLLER(dev);

    INTERRUPT_CONTROLLER_GET_CLASS(intc)->print(intc, out);
    return g_string_free(out, FALSE);
}

/* For "info pic": which pins are up, and which wait for their end. */
static void test_ioapic_print(void)
{
    Fixture f;
    g_autofree char *text = NULL, *after = NULL;

    start(&f);
    text = print(f.ioapic);
    g_assert_nonnull(strstr(text, "ioapic0: ver=0x20 id=0x00"));
    g_assert_nonnull(strstr(text, "Remote IRR (none)\n"));
    ioapic_entry(&f, 17, 1ull << 56 | 0x8055);
    irq_raise(qdev_get_gpio_in(f.ioapic, 17));
    g_assert_cmphex(take(&f, 1), ==, 0x55);
    ioapic_entry(&f, 3, 0x10434);
    after = print(f.ioapic);
    g_assert_nonnull(strstr(after, "(redir[3])"));
    g_assert_nonnull(strstr(after, "dest=1 vec=85 "));
    g_assert_nonnull(strstr(after, "Remote IRR 17\n"));
    g_assert_nonnull(strstr(after, "masked NMI"));
    stop(&f);
}

static void test_ioapic_edge(void)
{
    Fixture f;
    IRQ pin;

    start(&f);
    pin = qdev_get_gpio_in(f.ioapic, 4);
    ioapic_entry(&f, 4, 0x10034);
    irq_pulse(pin);
    ioapic_entry(&f, 4, 0x34); /* an edge while masked is gone */
    g_assert_cmpint(take(&f, 0), ==, -1);
    irq_raise(pin);
    irq_raise(pin);
    g_assert_cmphex(take(&f, 0), ==, 0x34);
    set(&f, 0xb0, 0);
    g_assert_cmpint(take(&f, 0), ==, -1);
    ioapic_entry(&f, 5, 0x434); /* NMI */
    irq_raise(qdev_get_gpio_in(f.ioapic, 5));
    g_assert_true(pending(&f, 0, CPU_INTERRUPT_NMI));
    cpu_reset_interrupt(f.cpu[0], CPU_INTERRUPT_NMI);
    ioapic_entry(&f, 6, 0x8434); /* an edge, though it says level */
    irq_raise(qdev_get_gpio_in(f.ioapic, 6));
    g_assert_true(pending(&f, 0, CPU_INTERRUPT_NMI));
    cpu_reset_interrupt(f.cpu[0], CPU_INTERRUPT_NMI);
    g_assert_cmphex(ioapic_get(&f, 0x10 + 12), ==, 0x8434);
    ioapic_entry(&f, 6, 0x8434);
    g_assert_false(pending(&f, 0, CPU_INTERRUPT_NMI));
    ioapic_entry(&f, 2, 0x3a); /* input 0 of a PC */
    irq_raise(qdev_get_gpio_in(f.ioapic, 0));
    g_assert_cmphex(take(&f, 0), ==, 0x3a);
    stop(&f);
}

static void test_msi(void)
{
    Fixture f;

    start(&f);
    address_space_store(&f.t->machine->address_space_memory, 0xfee02000, 0x77, 4, MEMTXATTRS_DMA);
    g_assert_cmphex(take(&f, 2), ==, 0x77);
    address_space_store(&f.t->machine->address_space_memory, 0xfee00000, 0x78, 4, MEMTXATTRS_DMA);
    g_assert_cmphex(take(&f, 0), ==, 0x78);
    address_space_store(&f.t->machine->address_space_memory, 0xfeeff000, 0x7a, 4, MEMTXATTRS_DMA);
    g_assert_cmphex(take(&f, 1), ==, 0x7a);
    stop(&f);
}

static void test_extint(void)
{
    Fixture f;

    start(&f);
    test_outb(f.t, 0x20, 0x11);
    test_outb(f.t, 0x21, 0x08);
    test_outb(f.t, 0x21, 0x04);
    test_outb(f.t, 0x21, 0x01);
    set(&f, 0x350, 0x700);
    irq_raise(f.pic.irqs[0]);
    g_assert_true(pending(&f, 0, CPU_INTERRUPT_HARD) && !pending(&f, 1, CPU_INTERRUPT_HARD));
    g_assert_cmphex(take(&f, 0), ==, 0x08);
    g_assert_false(pending(&f, 0, CPU_INTERRUPT_HARD));
    test_outb(f.t, 0x20, 0x20);
    set(&f, 0x350, 0x10700);
    irq_lower(f.pic.irqs[0]);
    irq_raise(f.pic.irqs[0]);
    g_assert_false(pending(&f, 0, CPU_INTERRUPT_HARD));
    /* With the APIC off INTR goes straight through. */
    g_assert_true(f.ops->set_base(f.apic[0], APIC_DEFAULT_ADDRESS | APIC_BASE_BSP));
    g_assert_cmphex(take(&f, 0), ==, 0x08);
    stop(&f);
}

static void test_timer(void)
{
    Fixture f;

    start(&f);
    set(&f, 0x3e0, 0xb);
    set(&f, 0x320, 0x40);
    set(&f, 0x380, 1000000);
    test_clock_step(f.t, 400000);
    g_assert_cmpint(get(&f, 0x390), ==, 600000);
    g_assert_cmpint(take(&f, 0), ==, -1);
    test_clock_step(f.t, 600000);
    g_assert_cmphex(take(&f, 0), ==, 0x40);
    g_assert_cmpint(get(&f, 0x390), ==, 0);
    set(&f, 0xb0, 0);
    set(&f, 0x320, 0x20041); /* periodic, halved */
    set(&f, 0x3e0, 0x0);
    set(&f, 0x380, 500000);
    for (int i = 0; i < 5; i++) {
        test_clock_step(f.t, 1000000);
        g_assert_cmphex(take(&f, 0), ==, 0x41);
        set(&f, 0xb0, 0);
    }
    set(&f, 0x320, 0x30041); /* masked */
    test_clock_step(f.t, 3000000);
    g_assert_cmpint(take(&f, 0), ==, -1);
    set(&f, 0x320, 0x20041);
    set(&f, 0x380, 1); /* as often as it goes: must end */
    test_clock_step(f.t, 10000000);
    g_assert_cmphex(take(&f, 0), ==, 0x41);
    stop(&f);
}

/* The count goes on through changes of mode; one that has ended stays at 0 (SDM vol. 3, 11.5.4). */
static void test_timer_modes(void)
{
    Fixture f;

    start(&f);
    set(&f, 0x3e0, 0xb);
    set(&f, 0x320, 0x40);
    set(&f, 0x380, 1000000);
    test_clock_step(f.t, 600000);
    set(&f, 0x320, 0x20040); /* periodic */
    g_assert_cmpuint(get(&f, 0x390), ==, 400000);
    test_clock_step(f.t, 500000);
    g_assert_cmphex(take(&f, 0), ==, 0x40);
    set(&f, 0xb0, 0);
    g_assert_cmpuint(get(&f, 0x390), ==, 900000);
    test_clock_step(f.t, 1200000);
    g_assert_cmphex(take(&f, 0), ==, 0x40);
    set(&f, 0xb0, 0);
    set(&f, 0x320, 0x40); /* one-shot, in the third period */
    g_assert_cmpuint(get(&f, 0x390), ==, 700000);
    test_clock_step(f.t, 700000);
    g_assert_cmphex(take(&f, 0), ==, 0x40);
    set(&f, 0xb0, 0);
    g_assert_cmpuint(get(&f, 0x390), ==, 0);
    set(&f, 0x320, 0x20040);
    test_clock_step(f.t, 2500000);
    g_assert_cmpuint(get(&f, 0x390), ==, 0);
    g_assert_cmpuint(get(&f, 0x380), ==, 1000000);
    g_assert_cmpint(take(&f, 0), ==, -1);
    stop(&f);
}

/* Disabled by software it takes nothing new, but what waits is still to be handled (11.4.7.2). */
static void test_software_disable(void)
{
    Fixture f;

    start(&f);
    set(&f, 0x80, 0xf0);
    set(&f, 0x300, 0x40055);
    set(&f, 0xf0, 0xff);
    set(&f, 0x300, 0x40066);
    g_assert_cmpint(take(&f, 0), ==, -1);
    set(&f, 0x80, 0);
    g_assert_cmphex(take(&f, 0), ==, 0x55);
    set(&f, 0xb0, 0);
    g_assert_cmpint(take(&f, 0), ==, -1);
    stop(&f);
}

/* Before the CPU has looked, the one that it takes and the one that it latches. */
static void test_nmi_count(void)
{
    Fixture f;

    start(&f);
    be(&f, 1);
    for (int i = 0; i < 3; i++) {
        set(&f, 0x310, 0);
        set(&f, 0x300, 0x400);
    }
    g_assert_true(cpu_take_nmi(f.cpu[0]));
    set(&f, 0x300, 0x400);
    set(&f, 0x300, 0x400); /* in the handler: one more is latched, whatever comes */
    cpu_unblock_nmi(f.cpu[0]);
    g_assert_true(cpu_take_nmi(f.cpu[0]));
    g_assert_false(cpu_take_nmi(f.cpu[0]));
    stop(&f);
}

/* A host that was held up: the guest gets its ticks all the same, up to a quarter of a second. */
static void test_timer_catch_up(void)
{
    Fixture f;
    int ticks = 0;

    start(&f);
    set(&f, 0x3e0, 0xb);
    set(&f, 0x320, 0x20041);
    set(&f, 0x380, 1000000);
    test_clock_jump(f.t, 10500000);
    for (int i = 0; i < 30; i++) {
        if (take(&f, 0) == 0x41) {
            ticks++;
            set(&f, 0xb0, 0);
        }
        test_clock_step(f.t, 100000);
    }
    g_assert_cmpint(ticks, ==, 13);
    stop(&f);
}

static void test_lint_level(void)
{
    Fixture f;

    start(&f);
    irq_raise(apic_nmi_line(f.t->machine));
    set(&f, 0x360, 0x8077); /* a level that is up already */
    g_assert_cmphex(take(&f, 0), ==, 0x77);
    g_assert_cmphex(get(&f, 0x360), ==, 0xc077);
    set(&f, 0xb0, 0);
    g_assert_cmphex(take(&f, 0), ==, 0x77);
    irq_lower(apic_nmi_line(f.t->machine));
    set(&f, 0xb0, 0);
    g_assert_cmpint(take(&f, 0), ==, -1);
    set(&f, 0x360, 0x400);
    apic_nmi(f.t->machine);
    g_assert_true(pending(&f, 0, CPU_INTERRUPT_NMI) && !pending(&f, 1, CPU_INTERRUPT_NMI));
    stop(&f);
}

static void test_x2apic(void)
{
    Fixture f;
    uint64_t value = 0;

    start(&f);
    be(&f, 2);
    g_assert_false(f.ops->msr_read(f.apic[2], 0x02, &value));
    g_assert_true(f.ops->set_base(f.apic[2], APIC_DEFAULT_ADDRESS | 0xc00));
    g_assert_true(f.ops->msr_read(f.apic[2], 0x02, &value));
    g_assert_cmphex(value, ==, 2);
    g_assert_true(f.ops->msr_read(f.apic[2], 0x0d, &value));
    g_assert_cmphex(value, ==, 4);
    g_assert_cmphex(get(&f, 0x20), ==, 0xffffffff); /* the page is gone */
    g_assert_true(f.ops->msr_write(f.apic[2], 0x3f, 0x66));
    g_assert_cmphex(take(&f, 2), ==, 0x66);
    g_assert_false(f.ops->msr_write(f.apic[2], 0x0b, 1));
    g_assert_true(f.ops->msr_write(f.apic[2], 0x0b, 0));
    g_assert_true(f.ops->msr_write(f.apic[2], 0x30, 1ull << 32 | 0x67)); /* to 1 */
    g_assert_cmphex(take(&f, 1), ==, 0x67);
    g_assert_true(f.ops->msr_write(f.apic[2], 0x30, 4ull << 32 | 0x868)); /* logical */
    g_assert_cmphex(take(&f, 2), ==, 0x68);
    g_assert_false(f.ops->msr_write(f.apic[2], 0x30, 0x2000));
    g_assert_false(f.ops->msr_write(f.apic[2], 0x0e, 0));
    g_assert_false(f.ops->msr_read(f.apic[2], 0x31, &value));
    g_assert_false(f.ops->msr_write(f.apic[2], 0x02, 0));
    g_assert_false(f.ops->set_base(f.apic[2], APIC_DEFAULT_ADDRESS | 0x800));
    g_assert_false(f.ops->set_base(f.apic[2], APIC_DEFAULT_ADDRESS | 0x400));
    g_assert_true(f.ops->set_base(f.apic[2], APIC_DEFAULT_ADDRESS));
    g_assert_false(f.ops->set_base(f.apic[2], APIC_DEFAULT_ADDRESS | 0xc00));
    g_assert_true(f.ops->set_base(f.apic[2], APIC_DEFAULT_ADDRESS | 0x800));
    stop(&f);
}

static void test_relocation(void)
{
    Fixture f;

    start(&f);
    g_assert_true(f.ops->set_base(f.apic[0], 0x10000000 | 0x900));
    g_assert_cmphex(test_read(f.t, 0x10000030, 4) & 0xff, ==, 0x14);
    g_assert_cmphex(get(&f, 0x30), ==, 0xffffffff);
    be(&f, 1);
    g_assert_cmphex(get(&f, 0x30) & 0xff, ==, 0x14);
    g_assert_true(f.ops->set_base(f.apic[0], APIC_DEFAULT_ADDRESS | 0x900));
    g_assert_cmphex(test_read(f.t, 0x10000030, 4), ==, 0xffffffff);
    stop(&f);
}

static void test_random(void)
{
    Fixture f;

    start(&f);
    for (int i = 0; i < 60; i++) {
        be(&f, g_test_rand_int_range(0, CPUS));
        test_poke_memory(f.t, APIC_ADDR, 0x400, 30);
        test_poke_memory(f.t, IOAPIC_DEFAULT_ADDRESS, 0x50, 30);
        irq_set(qdev_get_gpio_in(f.ioapic, g_test_rand_int_range(0, 24)), g_test_rand_bit());
        f.ops->msr_write(f.apic[f.as], g_test_rand_int_range(0, 0x40), (uint32_t)g_test_rand_int());
        if (g_test_rand_bit()) {
            f.ops->set_base(f.apic[f.as], APIC_DEFAULT_ADDRESS | (g_test_rand_int() & 0xc00));
        }
        take(&f, f.as);
    }
    stop(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/apic/registers", test_registers);
    g_test_add_func("/apic/ipi-and-priority", test_ipi_and_priority);
    g_test_add_func("/apic/shorthands", test_shorthands);
    g_test_add_func("/apic/startup", test_startup);
    g_test_add_func("/apic/logical", test_logical);
    g_test_add_func("/apic/ioapic-level", test_ioapic_level);
    g_test_add_func("/apic/ioapic-edge", test_ioapic_edge);
    g_test_add_func("/apic/ioapic-registers", test_ioapic_registers);
    g_test_add_func("/apic/ioapic-routes", test_ioapic_routes);
    g_test_add_func("/apic/ioapic-print", test_ioapic_print);
    g_test_add_func("/apic/msi", test_msi);
    g_test_add_func("/apic/extint", test_extint);
    g_test_add_func("/apic/timer", test_timer);
    g_test_add_func("/apic/timer-modes", test_timer_modes);
    g_test_add_func("/apic/software-disable", test_software_disable);
    g_test_add_func("/apic/nmi-count", test_nmi_count);
    g_test_add_func("/apic/timer-catch-up", test_timer_catch_up);
    g_test_add_func("/apic/lint-level", test_lint_level);
    g_test_add_func("/apic/x2apic", test_x2apic);
    g_test_add_func("/apic/relocation", test_relocation);
    g_test_add_func("/apic/random", test_random);
    return g_test_run();
}
