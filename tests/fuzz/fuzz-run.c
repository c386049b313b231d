/* SPDX-License-Identifier: MIT
 *
 * An input is a program: an operation a byte, its operands behind it.  All inputs are valid.
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

typedef struct Input {
    const uint8_t *at, *end;
} Input;

static uint64_t take(Input *in, unsigned bytes)
{
    uint64_t value = 0;
    size_t n = MIN((size_t)(in->end - in->at), bytes);

    memcpy(&value, in->at, n);
    in->at += n;
    return value;
}

/* At most `most` (a power of two) and what is left. */
static size_t take_length(Input *in, size_t most)
{
    size_t len = (size_t)(take(in, 1) & (most - 1)) + 1;
    size_t left = (size_t)(in->end - in->at);

    return MIN(len, left);
}

/* A number, or what a driver would write: an address of fuzzed memory. */
static uint64_t take_value(Input *in, unsigned size)
{
    uint8_t kind = (uint8_t)take(in, 1);

    switch (kind & 7) {
    case 0:
        return FUZZ_DMA_BASE + ((uint32_t)kind >> 3 << 11);
    case 1:
        return 0;
    case 2:
        return UINT64_MAX;
    case 3:
        return 1ull << (kind >> 3 & 31);
    default:
        return take(in, size);
    }
}

/* ---- registers ------------------------------------------------------------------------------ */

static MemoryRegion *pick_region(FuzzWorld *w, Input *in, hwaddr *offset, unsigned *size)
{
    uint8_t n = (uint8_t)take(in, 1);
    MemoryRegion *mr;
    uint64_t room;

    *size = 1u << (n >> 6);
    if (!w->regions->len) {
        return NULL;
    }
    mr = g_ptr_array_index(w->regions, (n & 63) % w->regions->len);
    room = memory_region_size(mr);
    *offset = take(in, room > 65536 ? 4 : room > 256 ? 2 : 1) % MAX(room, 1);
    if (*size > room - *offset) {
        *size = 1;
    }
    return mr;
}

static void op_read(FuzzWorld *w, Input *in)
{
    unsigned size;
    hwaddr offset;
    MemoryRegion *mr = pick_region(w, in, &offset, &size);
    uint64_t value;

    if (mr) {
        memory_region_dispatch_read(mr, offset, &value, size, MEMTXATTRS_NONE);
    }
}

static void op_write(FuzzWorld *w, Input *in)
{
    unsigned size;
    hwaddr offset;
    MemoryRegion *mr = pick_region(w, in, &offset, &size);

    if (mr) {
        memory_region_dispatch_write(mr, offset, take_value(in, size), size, MEMTXATTRS_NONE);
    }
}

/* The whole machine, by address: what the device's registers map, and its neighbours. */
static void op_port(FuzzWorld *w, Input *in)
{
    uint8_t how = (uint8_t)take(in, 1);
    uint16_t port = (uint16_t)take(in, 2);
    unsigned size = 1u << (how & 3) % 3;
    uint64_t value;

    if (how & 4) {
        address_space_store(&w->machine->address_space_io, port, take_value(in, size), size,
                            MEMTXATTRS_NONE);
    } else {
        address_space_load(&w->machine->address_space_io, port, &value, size, MEMTXATTRS_NONE);
    }
}

static void op_memory(FuzzWorld *w, Input *in)
{
    uint8_t how = (uint8_t)take(in, 1);
    uint32_t addr = (uint32_t)take(in, 4);
    unsigned size = 1u << (how & 3);
    uint64_t value;

    if (how & 4) {
        address_space_store(&w->machine->address_space_memory, addr, take_value(in, size), size,
                            MEMTXATTRS_NONE);
    } else {
        address_space_load(&w->machine->address_space_memory, addr, &value, size, MEMTXATTRS_NONE);
    }
}

static void op_pci_config(FuzzWorld *w, Input *in)
{
    uint8_t how = (uint8_t)take(in, 1);
    uint16_t reg = (uint16_t)take(in, how & 8 ? 2 : 1);
    unsigned size = 1u << (how & 3) % 3;

    if (w->pci->len) {
        PCIDevice *dev = g_ptr_array_index(w->pci, (how >> 4) % w->pci->len);
        PCIDeviceClass *pc = PCI_DEVICE_GET_CLASS(dev);

        reg %= pc->is_express ? PCIE_CONFIG_SIZE : PCI_CONFIG_SIZE;
        reg &= (uint16_t) ~(size - 1);
        device_lock(DEVICE(dev));
        if (how & 4) {
            pc->config_write(dev, reg, (uint32_t)take_value(in, size), size);
        } else {
            pc->config_read(dev, reg, size);
        }
        device_unlock(DEVICE(dev));
    }
}

/* ---- the rest of the world ------------------------------------------------------------------ */

static void op_dma_memory(FuzzWorld *w, Input *in)
{
    uint32_t addr = FUZZ_DMA_BASE + (uint32_t)take(in, 2);
    size_t len = take_length(in, 256);

    address_space_write(&w->machine->address_space_memory, addr, MEMTXATTRS_NONE, in->at, len);
    in->at += len;
}

/* A descriptor, as it were: a word in the DMA memory. */
static void op_dma_word(FuzzWorld *w, Input *in)
{
    uint32_t at = (uint32_t)take(in, 2);
    /* Half of them where rings and tables are. */
    uint32_t addr = FUZZ_DMA_BASE + (at & 1 ? (at & 0xf800) | (at & 0x7c) : at & ~3u);

    address_space_store(&w->machine->address_space_memory, addr, take_value(in, 4) & UINT32_MAX, 4,
                        MEMTXATTRS_NONE);
}

static void op_clock(FuzzWorld *w, Input *in)
{
    uint8_t how = (uint8_t)take(in, 1);
    int64_t ns = (int64_t)(1 + (how & 15)) << (how >> 4) * 2;

    main_loop_lock();
    vm_clock_advance_to(w->machine->clock, w->machine->loop,
                        vm_clock_get_ns(w->machine->clock, CLOCK_VIRTUAL) + ns);
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

static void op_loop(FuzzWorld *w, Input *in)
{
    wait_for_drives(w);
    for (int i = 0; i < 4; i++) {
        g_main_context_iteration(event_loop_context(w->machine->loop), FALSE);
    }
    main_loop_lock();
    main_loop_should_exit(w->machine);
    main_loop_unlock();
}

static void op_input(FuzzWorld *w, Input *in)
{
    uint8_t how = (uint8_t)take(in, 1);

    main_loop_lock();
    if (w->chr) {
        size_t len = take_length(in, 32);

        chardev_ringbuf_input(w->chr, in->at, len);
        in->at += len;
    } else if (how & 1) {
        const InputKey *key = input_key_by_number((unsigned)take(in, 1));

        if (key) {
            input_send_key(w->machine, key, how & 2);
        }
    } else if (how & 2) {
        input_absolute(w->machine, INPUT_AXIS_X, (int)take(in, 2) & INPUT_ABS_MAX);
        input_absolute(w->machine, INPUT_AXIS_Y, (int)take(in, 2) & INPUT_ABS_MAX);
        input_sync(w->machine);
    } else {
        input_send_move(w->machine, (int16_t)take(in, 2), (int16_t)take(in, 2), (int8_t)how >> 4,
                        how & 0x1f);
    }
    main_loop_unlock();
}

/* What a display asks of the screen as often as it likes. */
static void op_screen(FuzzWorld *w, Input *in)
{
    Console *console = console_by_device(w->machine, w->dev, 0);

    if (console) {
        main_loop_lock();
        console_refresh(console);
        g_free(console_text(console));
        main_loop_unlock();
    }
}

/* What a controller would, without one's rings: the device's own end of a transfer. */
static void op_usb(FuzzWorld *w, Input *in)
{
    uint8_t how = (uint8_t)take(in, 1);
    g_autofree uint8_t *data = NULL;
    size_t len;

    if (!w->usb) {
        return;
    }
    len = how & 1 ? (size_t)take(in, 2) % (USB_MAX_CONTROL + 1) : (size_t)take(in, 1);
    data = g_malloc0(MAX(len, 1)); /* no longer than that: the sanitizer watches its end */
    if (how == 0xff) {
        usb_device_reset(w->usb);
    } else if (how & 1) {
        USBSetup setup = {
            .request_type = (uint8_t)take(in, 1),
            .request = (uint8_t)take(in, 1) & (how & 2 ? 0x0f : 0xff),
            .value = (uint16_t)take(in, 2),
            .index = (uint16_t)take(in, 2),
            .length = (uint16_t)len,
        };
        usb_device_control(w->usb, &setup, data);
    } else {
        usb_device_data(w->usb, how >> 2 & 15, how & 2, data, len);
    }
}

static void op_driver(FuzzWorld *w, Input *in)
{
    uint8_t bytes[FUZZ_STEP];

    for (unsigned i = 0; i < FUZZ_STEP; i++) {
        bytes[i] = (uint8_t)take(in, 1);
    }
    if (w->driver) {
        w->driver->step(w, bytes);
        if (bytes[FUZZ_STEP - 1] & 3) {
            op_loop(w, in);
        }
    }
}

/* Not often: a device that was just reset is all alike. */
static void op_reset(FuzzWorld *w, Input *in)
{
    uint8_t how = (uint8_t)take(in, 1);

    if (how >= 48) {
        return;
    }
    main_loop_lock();
    if (how < 8) {
        system_reset(w->machine, SHUTDOWN_CAUSE_NONE);
        fuzz_enable_pci(w);
    } else {
        device_cold_reset(w->dev);
    }
    main_loop_unlock();
    fuzz_driver_start(w);
}

void fuzz_run(FuzzWorld *w, const uint8_t *data, size_t size)
{
    /* What occurs twice is the more likely. */
    static void (*const ops[])(FuzzWorld *, Input *) = {
        op_read,   op_write,      op_write,    op_write,  op_port,   op_memory, op_pci_config,
        op_loop,   op_dma_memory, op_dma_word, op_clock,  op_loop,   op_input,  op_reset,
        op_screen, op_dma_word,   op_usb,      op_driver, op_driver,
    };
    Input in = {data, data + size};

    if (take(&in, 1) & 7) {
        fuzz_driver_start(w);
    }
    for (unsigned n = 0; in.at < in.end && n < MAX_OPS; n++) {
        ops[take(&in, 1) % G_N_ELEMENTS(ops)](w, &in);
    }
    op_loop(w, &in);
}
