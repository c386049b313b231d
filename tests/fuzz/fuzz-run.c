/* SPDX-License-Identifier: MIT
 *
 * An input is a program of records, an operation each; what data it takes are records behind it.
 * All inputs are valid, and a change in one record leaves the others what they were.
 */
#include "fuzz-world.h"

#include <string.h>
#include "system/block/block.h"
#include "system/char/char-ringbuf.h"
#include "system/display/console.h"
#include "system/display/input.h"
#include "system/loop/main-loop.h"
#include "system/runstate.h"

#define MAX_OPS 2000
/* Timers that a step of the clock runs at most: a period of a microsecond is no reason to wait. */
#define MAX_DEADLINES 64

/* A record.  What each operation makes of its fields is its own business. */
typedef struct Op {
    uint8_t code, where, how, kind;
    uint32_t at;
    uint64_t value;
} Op;

G_STATIC_ASSERT(sizeof(Op) == FUZZ_RECORD);

typedef struct Input {
    const uint8_t *at, *end;
    uint64_t last; /* what was read last */
} Input;

static Op take_op(Input *in)
{
    size_t n = MIN((size_t)(in->end - in->at), sizeof(Op));
    Op op = {0};

    memcpy(&op, in->at, n);
    in->at += n;
    return op;
}

/* Data behind a record, at most so many whole records of it. */
static const uint8_t *take_data(Input *in, unsigned records, size_t *len)
{
    const uint8_t *data = in->at;

    *len = MIN((size_t)(in->end - in->at), (size_t)records * FUZZ_RECORD);
    in->at += *len;
    return data;
}

/* A window of the PCI devices' own, or 0. */
static uint64_t pci_window(FuzzWorld *w, unsigned n)
{
    PCIDevice *dev;

    if (!w->pci->len) {
        return 0;
    }
    dev = g_ptr_array_index(w->pci, n / 6 % w->pci->len);
    return pci_get_long(dev->config + PCI_BASE_ADDRESS_0 + 4 * (n % 6)) & ~0xfu;
}

/* A number, or what a driver would write: an address of fuzzed memory, one bit more or less. */
static uint64_t value_of(FuzzWorld *w, const Input *in, const Op *op)
{
    unsigned n = op->kind >> 3;

    switch (op->kind & 7) {
    case 0:
        return FUZZ_DMA_BASE + (n << 11) + (op->value & 0x70);
    case 1:
        return n & 1 ? UINT64_MAX : 0;
    case 2:
        return 1ull << n;
    case 3:
        return in->last ^ 1ull << n;
    case 4:
        return n < 30 ? pci_window(w, n) : in->last;
    default:
        return op->value;
    }
}

/* ---- registers ------------------------------------------------------------------------------ */

static MemoryRegion *pick_region(FuzzWorld *w, const Op *op, hwaddr *offset, unsigned *size)
{
    MemoryRegion *mr;
    uint64_t room;

    *size = 1u << (op->how & 3);
    if (!w->regions->len) {
        return NULL;
    }
    mr = g_ptr_array_index(w->regions, op->where % w->regions->len);
    room = MAX(memory_region_size(mr), 1);
    /* Registers are at the beginning of what is large for other reasons. */
    *offset = (op->at & 0x80000000 ? op->at & 0x1ff : op->at) % room;
    if ((op->how & 0x14) == 0x14) {
        *offset &= ~(hwaddr)0xf;
    } else if (op->how & 4) {
        *offset &= ~(hwaddr)(*size - 1);
    }
    if (*size > room - *offset) {
        *size = 1;
    }
    return mr;
}

static void op_read(FuzzWorld *w, Input *in, const Op *op)
{
    unsigned size;
    hwaddr offset;
    MemoryRegion *mr = pick_region(w, op, &offset, &size);

    if (mr) {
        memory_region_dispatch_read(mr, offset, &in->last, size, MEMTXATTRS_NONE);
    }
}

static void op_write(FuzzWorld *w, Input *in, const Op *op)
{
    unsigned size;
    hwaddr offset;
    MemoryRegion *mr = pick_region(w, op, &offset, &size);

    if (mr) {
        memory_region_dispatch_write(mr, offset, value_of(w, in, op), size, MEMTXATTRS_NONE);
    }
}

/* One register many times: a FIFO, a queue, an index that goes on by itself. */
static void op_repeat(FuzzWorld *w, Input *in, const Op *op)
{
    unsigned size;
    hwaddr offset;
    MemoryRegion *mr = pick_region(w, op, &offset, &size);

    for (unsigned i = 0; mr && i <= (op->how >> 4) * 4u; i++) {
        if (op->how & 8) {
            memory_region_dispatch_write(mr, offset, value_of(w, in, op) + i, size,
                                         MEMTXATTRS_NONE);
        } else {
            memory_region_dispatch_read(mr, offset, &in->last, size, MEMTXATTRS_NONE);
        }
    }
}

/* The whole machine, by address: what the device's registers map, and its neighbours. */
static void op_port(FuzzWorld *w, Input *in, const Op *op)
{
    unsigned size = 1u << (op->how & 3) % 3;
    uint16_t port = (uint16_t)op->at;

    if (op->kind < 0xe0) {
        port = (uint16_t)(pci_window(w, op->where) + (op->at & 0x3f));
    }
    if (op->how & 4) {
        address_space_store(&w->machine->address_space_io, port, value_of(w, in, op), size,
                            MEMTXATTRS_NONE);
    } else {
        address_space_load(&w->machine->address_space_io, port, &in->last, size, MEMTXATTRS_NONE);
    }
}

static void op_memory(FuzzWorld *w, Input *in, const Op *op)
{
    unsigned size = 1u << (op->how & 3);
    uint64_t addr = op->at;

    switch (op->how >> 4) {
    case 0:
        break;
    case 1: /* the legacy window of displays */
    case 2:
    case 3:
        addr = 0xa0000 + (op->at & 0x1ffff);
        break;
    default:
        addr = pci_window(w, op->where) + (op->at & (op->how & 8 ? 0xffff : 0xffffff));
        break;
    }
    if (op->how & 4) {
        address_space_store(&w->machine->address_space_memory, addr, value_of(w, in, op), size,
                            MEMTXATTRS_NONE);
    } else {
        address_space_load(&w->machine->address_space_memory, addr, &in->last, size,
                           MEMTXATTRS_NONE);
    }
}

static void op_pci_config(FuzzWorld *w, Input *in, const Op *op)
{
    unsigned size = 1u << (op->how & 3) % 3;
    uint16_t reg = (uint16_t)(op->how & 8 ? op->at : op->at & 0xff);

    PCIDeviceClass *pc;
    PCIDevice *dev;

    if (!w->pci->len) {
        op_write(w, in, op);
        return;
    }
    dev = g_ptr_array_index(w->pci, op->where % w->pci->len);
    pc = PCI_DEVICE_GET_CLASS(dev);
    reg %= pc->is_express ? PCIE_CONFIG_SIZE : PCI_CONFIG_SIZE;
    reg &= (uint16_t) ~(size - 1);
    device_lock(DEVICE(dev));
    if (op->how & 4) {
        pc->config_write(dev, reg, (uint32_t)value_of(w, in, op), size);
    } else {
        in->last = pc->config_read(dev, reg, size);
    }
    device_unlock(DEVICE(dev));
}

/* ---- the rest of the world ------------------------------------------------------------------ */

static void op_dma_memory(FuzzWorld *w, Input *in, const Op *op)
{
    size_t len;
    const uint8_t *data = take_data(in, 1 + (op->how & 7), &len);

    address_space_write(&w->machine->address_space_memory, FUZZ_DMA_BASE + (op->at & 0xffff),
                        MEMTXATTRS_NONE, data, len);
}

/* A descriptor, as it were: a word in the DMA memory. */
static void op_dma_word(FuzzWorld *w, Input *in, const Op *op)
{
    /* Half of them where rings and tables are. */
    uint32_t at = op->how & 1 ? (op->at & 0xf800) | (op->at & 0x7c) : op->at & 0xfffc;

    address_space_store(&w->machine->address_space_memory, FUZZ_DMA_BASE + at, value_of(w, in, op),
                        op->how & 2 ? 8 : 4, MEMTXATTRS_NONE);
}

/* As far as `ns` from now, or until timers have run often enough. */
static void advance_clock(MachineState *machine, int64_t ns)
{
    int64_t end = vm_clock_get_ns(machine->clock, CLOCK_VIRTUAL) + ns;

    for (unsigned n = 0; n < MAX_DEADLINES; n++) {
        int64_t next = event_loop_deadline_ns(machine->loop, CLOCK_VIRTUAL);

        if (next < 0 || next > end) {
            vm_clock_advance_to(machine->clock, machine->loop, end);
            break;
        }
        vm_clock_advance_to(machine->clock, machine->loop, next);
    }
}

static void op_clock(FuzzWorld *w, Input *in, const Op *op)
{
    main_loop_lock();
    advance_clock(w->machine, (int64_t)(1 + (op->how & 15)) << (op->how >> 4) * 2);
    main_loop_unlock();
}

/* What the disks were asked for is there. */
static void wait_for_drives(FuzzWorld *w)
{
    for (unsigned i = 0; i < w->drives; i++) {
        g_autofree char *id = g_strdup_printf("fuzz-drive%u", i);
        BlockBackend *blk = blk_by_id(w->machine, id);

        if (blk) {
            blk_drain(blk);
        }
    }
}

void fuzz_settle(FuzzWorld *w)
{
    wait_for_drives(w);
    for (int i = 0; i < 4; i++) {
        if (!g_main_context_iteration(event_loop_context(w->machine->loop), FALSE)) {
            break;
        }
    }
    main_loop_lock();
    fuzz_coverage_pause(); /* it may be that a reset is what was asked for */
    main_loop_should_exit(w->machine);
    fuzz_coverage_resume();
    main_loop_unlock();
}

static void op_loop(FuzzWorld *w, Input *in, const Op *op)
{
    fuzz_settle(w);
}

static void op_input(FuzzWorld *w, Input *in, const Op *op)
{
    main_loop_lock();
    if (w->chr && !(op->how & 8)) {
        chardev_ringbuf_input(w->chr, (const uint8_t *)&op->value, 1 + (op->kind & 7));
    } else if (op->how & 1) {
        const InputKey *key = input_key_by_number((unsigned)op->at & 0xff);

        if (key) {
            input_send_key(w->machine, key, op->how & 2);
        }
    } else if (op->how & 2) {
        input_absolute(w->machine, INPUT_AXIS_X, (int)op->at & INPUT_ABS_MAX);
        input_absolute(w->machine, INPUT_AXIS_Y, (int)op->value & INPUT_ABS_MAX);
        input_sync(w->machine);
    } else {
        input_send_move(w->machine, (int16_t)op->at, (int16_t)op->value, (int8_t)op->how >> 4,
                        op->kind & 0x1f);
    }
    main_loop_unlock();
}

/* What a display asks of the screen as often as it likes. */
static void op_screen(FuzzWorld *w, Input *in, const Op *op)
{
    Console *console = console_by_device(w->machine, w->dev, 0);

    if (!console) {
        op_write(w, in, op);
        return;
    }
    main_loop_lock();
    console_refresh(console);
    g_free(console_text(console));
    main_loop_unlock();
}

/* What a controller would, without one's rings: the device's own end of a transfer. */
static void op_usb(FuzzWorld *w, Input *in, const Op *op)
{
    g_autofree uint8_t *data = NULL;
    size_t len;

    if (!w->usb) {
        op_read(w, in, op);
        return;
    }
    len = op->kind & 1 ? op->at % (USB_MAX_CONTROL + 1) : op->at & 0xff;
    data = g_malloc0(MAX(len, 1)); /* no longer than that: the sanitizer watches its end */
    if (op->how == 0xff) {
        usb_device_reset(w->usb);
    } else if (op->how & 1) {
        USBSetup setup;

        memcpy(&setup, &op->value, sizeof(setup));
        setup.request &= op->how & 2 ? 0x0f : 0xff;
        setup.length = (uint16_t)len;
        usb_device_control(w->usb, &setup, data);
    } else {
        usb_device_data(w->usb, op->how >> 2 & 15, op->how & 2, data, len);
    }
}

static void op_driver(FuzzWorld *w, Input *in, const Op *op)
{
    uint8_t bytes[2 * FUZZ_RECORD] = {0};
    size_t len;
    const uint8_t *more;

    if (!w->driver) {
        op_write(w, in, op);
        return;
    }
    memcpy(bytes, (const uint8_t *)op + 1, FUZZ_RECORD - 1);
    more = take_data(in, 1, &len);
    memcpy(bytes + FUZZ_RECORD - 1, more, len);
    w->driver->step(w, bytes);
    if (bytes[FUZZ_STEP - 1] & 3) {
        fuzz_settle(w);
    }
}

/* Not often: a device that was just reset is all alike. */
static void op_reset(FuzzWorld *w, Input *in, const Op *op)
{
    if (op->how >= 48) {
        return;
    }
    if (op->how < 4) {
        fuzz_coverage_pause();
        fuzz_world_reset(w);
        fuzz_coverage_resume();
    } else {
        fuzz_device_reset(w);
    }
    fuzz_driver_start(w);
}

void fuzz_run(FuzzWorld *w, const uint8_t *data, size_t size)
{
    /* What occurs twice is the more likely.  What a device has no use for is an access instead. */
    static void (*const ops[])(FuzzWorld *, Input *, const Op *) = {
        op_read,   op_write, op_write,      op_write,    op_repeat, op_port,   op_memory,
        op_memory, op_loop,  op_dma_memory, op_dma_word, op_clock,  op_clock,  op_pci_config,
        op_input,  op_reset, op_screen,     op_dma_word, op_usb,    op_driver, op_driver,
    };
    Input in = {data, data + size, 0};

    if (take_op(&in).code & 7) {
        fuzz_driver_start(w);
    }
    for (unsigned n = 0; in.at < in.end && n < MAX_OPS && fuzz_world_intact(w); n++) {
        Op op = take_op(&in);

        ops[op.code % G_N_ELEMENTS(ops)](w, &in, &op);
    }
    if (fuzz_world_intact(w)) {
        fuzz_settle(w);
    }
}
