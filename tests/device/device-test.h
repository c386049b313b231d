/* SPDX-License-Identifier: MIT
 *
 * A harness for device tests: machine "none" with a virtual clock that the test
 * moves, a loop of its own, address spaces, and an ISA bus whose lines are recorded.
 * No accelerator, no vCPU: the test's thread plays the CPU.
 */
#ifndef TESTS_DEVICE_DEVICE_TEST_H
#define TESTS_DEVICE_DEVICE_TEST_H

#include "hw/core/machine.h"
#include "hw/isa/isa.h"

#define DEVICE_TEST_LINES 64

/* A set of lines that remembers. */
typedef struct TestLines {
    IRQ *irqs; /* hand these out */
    int level[DEVICE_TEST_LINES];
    int rises[DEVICE_TEST_LINES]; /* 0 to 1 */
    int sets[DEVICE_TEST_LINES];
} TestLines;

typedef struct DeviceTest {
    MachineState *machine;
    DeviceState *bridge; /* parent of the ISA bus, and of what needs one */
    ISABus *isa;
    TestLines lines; /* the ISA bus's interrupt inputs */
} DeviceTest;

DeviceTest *device_test_new(void);
void device_test_free(DeviceTest *t);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DeviceTest, device_test_free)

void test_lines_init(TestLines *lines);
void test_lines_finish(TestLines *lines);

/* Create and realize on the ISA bus (or on none, for others); fails the test on error. */
DeviceState *device_test_add(DeviceTest *t, const char *type);
/* The same with "name=value" texts before realize; the list ends with NULL. */
DeviceState *device_test_add_with(DeviceTest *t, const char *type, ...) G_GNUC_NULL_TERMINATED;

uint8_t test_inb(DeviceTest *t, uint16_t port);
uint16_t test_inw(DeviceTest *t, uint16_t port);
uint32_t test_inl(DeviceTest *t, uint16_t port);
void test_outb(DeviceTest *t, uint16_t port, uint8_t value);
void test_outw(DeviceTest *t, uint16_t port, uint16_t value);
void test_outl(DeviceTest *t, uint16_t port, uint32_t value);
uint64_t test_read(DeviceTest *t, uint64_t addr, unsigned size);
void test_write(DeviceTest *t, uint64_t addr, uint64_t value, unsigned size);

/* Move virtual time, running timers deadline by deadline; to an absolute time, or by. */
void test_clock_set(DeviceTest *t, int64_t ns);
void test_clock_step(DeviceTest *t, int64_t ns);
int64_t test_clock(DeviceTest *t);
/* Move it past every deadline at once, as a loop that was held up finds it; then run them. */
void test_clock_jump(DeviceTest *t, int64_t ns);
/* Run what is ready in the loop (bottom halves, descriptors) without waiting. */
void test_poll(DeviceTest *t);
/* Cold reset of everything. */
void test_reset(DeviceTest *t);

/* Random accesses of every size all over a range, with the clock moving: nothing may break. */
void test_poke_ports(DeviceTest *t, uint16_t first, unsigned count, unsigned rounds);
void test_poke_memory(DeviceTest *t, uint64_t first, uint64_t count, unsigned rounds);

#endif
