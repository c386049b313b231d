/* SPDX-License-Identifier: MIT
 *
 * Controllers as a driver leaves them, rings in the fuzzed memory, and one step of such a driver
 * with the input's bytes in it: what random registers alone would hardly reach.
 */
#include "fuzz-world.h"

#include <string.h>

/* ---- access --------------------------------------------------------------------------------- */

static void store(FuzzWorld *w, uint64_t addr, uint64_t value, unsigned size)
{
    address_space_store(&w->machine->address_space_memory, addr, value, size, MEMTXATTRS_NONE);
}

static uint64_t load(FuzzWorld *w, uint64_t addr, unsigned size)
{
    uint64_t value = 0;

    address_space_load(&w->machine->address_space_memory, addr, &value, size, MEMTXATTRS_NONE);
    return value;
}

static void out(FuzzWorld *w, uint16_t port, uint64_t value, unsigned size)
{
    address_space_store(&w->machine->address_space_io, port, value, size, MEMTXATTRS_NONE);
}

/* A page of the fuzzed memory, one of 32: fuzz-run.c writes to their beginnings most. */
static uint32_t page(unsigned n)
{
    return FUZZ_DMA_BASE + n * 0x800;
}

static uint32_t bar(FuzzWorld *w, unsigned n)
{
    PCIDevice *dev = g_ptr_array_index(w->pci, 0);

    return pci_get_long(dev->config + PCI_BASE_ADDRESS_0 + 4 * n) & ~0xfu;
}

/* ---- what ATA and packet devices are asked: a byte picks a command, or is it if high -------- */

static uint8_t ata_command(uint8_t pick)
{
    static const uint8_t commands[] = {
        0x00, 0x06, 0x08, 0x10, 0x20, 0x24, 0x25, 0x27, 0x29, 0x2f, 0x30, 0x34, 0x35, 0x39, 0x3d,
        0x3f, 0x40, 0x42, 0x47, 0x60, 0x61, 0x70, 0x90, 0xa0, 0xa1, 0xb0, 0xb0, 0xb0, 0xc4, 0xc5,
        0xc6, 0xc8, 0xca, 0xce, 0xe0, 0xe1, 0xe5, 0xe6, 0xe7, 0xea, 0xec, 0xec, 0xef, 0xf8, 0xf9,
    };

    return pick < 192 ? commands[pick % G_N_ELEMENTS(commands)] : pick;
}

static uint8_t packet_opcode(uint8_t pick)
{
    static const uint8_t opcodes[] = {
        0x00, 0x03, 0x12, 0x1b, 0x1e, 0x25, 0x28, 0x2b, 0x35, 0x3c, 0x42, 0x43, 0x44, 0x46,
        0x4a, 0x51, 0x52, 0x55, 0x5a, 0xa0, 0xa3, 0xa4, 0xa8, 0xac, 0xad, 0xbb, 0xbd, 0xbe,
    };

    return pick < 192 ? opcodes[pick % G_N_ELEMENTS(opcodes)] : pick;
}

/* LBA, feature and count that a command needs to be more than refused. */
static void fit_registers(uint8_t command, uint8_t *feature, uint8_t *mid, uint8_t *high)
{
    if (command == 0xb0) {
        *feature = *feature < 128 ? 0xd0 + *feature % 16 : *feature;
        *mid = 0x4f;
        *high = 0xc2;
    } else if (*high & 3) {
        *high = 0; /* the disks are small */
    }
}

/* ---- AHCI 1.3.1: two ports, a command list and a table each --------------------------------- */

static uint32_t ahci_port(FuzzWorld *w, unsigned port)
{
    return bar(w, 5) + 0x100 + 0x80 * port;
}

static void ahci_start(FuzzWorld *w)
{
    store(w, bar(w, 5) + 4, 0x80000002, 4);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t regs = ahci_port(w, i);

        store(w, regs, page(4 * i), 4);
        store(w, regs + 8, page(4 * i + 1), 4);
        store(w, regs + 0x18, 0x16, 4);
        store(w, regs + 0x10, UINT32_MAX, 4);
        store(w, regs + 0x14, UINT32_MAX, 4);
        store(w, regs + 0x18, 0x17, 4);
    }
}

/* A command of the ATA or, on the second port, the packet set, in a slot of four. */
static void ahci_step(FuzzWorld *w, const uint8_t *in)
{
    unsigned port = in[0] & 1, slot = in[0] >> 1 & 3;
    uint32_t header = page(4 * port) + 32 * slot;
    uint32_t table = page(4 * port + 2) + 0x200 * slot;
    unsigned prds = in[0] >> 3 & 3;
    uint8_t command = port ? 0xa0 : ata_command(in[1]);
    uint8_t cdb[12], opcode = packet_opcode(in[9]);
    uint8_t fis[20] = {0x27, 0x80,  command, in[2], in[3], in[4], in[5],
                       0x40, in[6], 0,       0,     0,     in[7], in[8]};

    fit_registers(command, &fis[3], &fis[5], &fis[6]);
    if ((command & 0xfe) == 0x60 && (in[22] & 7)) { /* the tag is the slot's, mostly */
        fis[12] = (uint8_t)(slot << 3);
        fis[11] = 0;
    }
    memcpy(cdb, in + 9, sizeof(cdb));
    cdb[0] = opcode;
    address_space_write(&w->machine->address_space_memory, table, MEMTXATTRS_NONE, fis, 20);
    address_space_write(&w->machine->address_space_memory, table + 0x40, MEMTXATTRS_NONE, cdb, 12);
    for (unsigned i = 0; i < prds; i++) {
        store(w, table + 0x80 + 16 * i, page(16 + 4 * i), 8);
        store(w, table + 0x8c + 16 * i, in[21 + i] << 5 | (in[21 + i] & 3), 4);
    }
    store(w, header, 5u | (port ? 0x20u : 0) | (in[0] >> 6) << 6 | prds << 16, 4);
    store(w, header + 8, table, 8);
    if ((command & 0xfe) == 0x60) {
        store(w, ahci_port(w, port) + 0x34, 1u << slot, 4);
    }
    store(w, ahci_port(w, port) + 0x38, 1u << slot, 4);
}

/* ---- IDE: a disk and a CD drive, by ports and by bus master --------------------------------- */

static void ide_start(FuzzWorld *w)
{
    store(w, page(0), page(4), 4);
    store(w, page(0) + 4, 0x80000800, 4);
}

static void ide_packet(FuzzWorld *w, uint16_t base, const uint8_t *in)
{
    for (unsigned i = 0; i < 6; i++) {
        uint8_t low = i ? in[2 * i] : packet_opcode(in[0]);

        out(w, base, (uint64_t)low | (uint64_t)in[2 * i + 1] << 8, 2);
    }
}

static void ide_step(FuzzWorld *w, const uint8_t *in)
{
    unsigned channel = in[0] & 1;
    bool packet = channel && (in[0] & 6);
    uint16_t base = channel ? 0x170 : 0x1f0;
    uint16_t master = (uint16_t)((bar(w, 4) & 0xfff0) + 8 * channel);
    uint8_t command = packet ? 0xa0 : ata_command(in[1]);
    uint8_t regs[5] = {in[2], in[3], in[4], in[5], in[6]};

    fit_registers(command, &regs[0], &regs[3], &regs[4]);
    out(w, base + 6, 0xe0 | (in[7] & 0x10), 1);
    for (unsigned i = 0; i < 5; i++) {
        out(w, (uint16_t)(base + 1 + i), regs[i], 1);
    }
    out(w, base + 7, command, 1);
    if (packet) {
        ide_packet(w, base, in + 9);
    }
    if (in[0] & 8) {
        out(w, master + 4, page(0), 4);
        out(w, master, 1 | (in[0] >> 4 & 8), 1);
    }
    for (unsigned i = 0; i < in[8] % 8u; i++) { /* some of the data, either way */
        out(w, base, in[21], 4);
    }
}

/* ---- a diskette (82077AA): one command, its data by DMA (8237A) or FIFO, its results -------- */

enum { FDC_DOR = 0x3f2, FDC_MSR = 0x3f4, FDC_FIFO = 0x3f5, FDC_RATE = 0x3f7 };
enum { MSR_RQM = 0x80, MSR_DIO = 0x40 };

static uint8_t in_byte(FuzzWorld *w, uint16_t port)
{
    uint64_t value = 0;

    address_space_load(&w->machine->address_space_io, port, &value, 1, MEMTXATTRS_NONE);
    return (uint8_t)value;
}

static void fdc_start(FuzzWorld *w)
{
    static const uint8_t specify[] = {0x03, 0xdf, 0x02};

    out(w, FDC_DOR, 0x1c, 1);
    out(w, FDC_RATE, 0, 1);
    fuzz_settle(w);
    for (unsigned i = 0; i < 3; i++) {
        out(w, FDC_FIFO, specify[i], 1);
    }
}

static void fdc_dma(FuzzWorld *w, const uint8_t *in)
{
    out(w, 0x0b, 0x02 | (in[0] & 0xfc), 1);
    out(w, 0x0c, 0, 1);
    out(w, 0x04, 0, 1);
    out(w, 0x04, in[1], 1);
    out(w, 0x05, in[2], 1);
    out(w, 0x05, in[3] & 0x0f, 1);
    out(w, 0x81, FUZZ_DMA_BASE >> 16, 1);
    out(w, 0x0a, 0x02, 1);
}

static void fdc_step(FuzzWorld *w, const uint8_t *in)
{
    static const uint8_t commands[] = {
        0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0c, 0x0d, 0x0e, 0x0f,
        0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x18, 0x19, 0x1d, 0x2e, 0x33, 0x4e, 0x8e,
    };
    uint8_t code = in[4] < 192 ? commands[in[4] % G_N_ELEMENTS(commands)] : in[4];

    if (in[5] & 1) {
        fdc_dma(w, in);
    }
    out(w, FDC_FIFO, code | (in[5] & 0xe0), 1);
    /* As many parameters as it takes; a disk's geometry, mostly. */
    for (unsigned i = 0; i < 8; i++) {
        static const uint8_t geometry[] = {0x03, 79, 1, 18, 2, 36, 0x1b, 0xff};
        uint8_t value = in[6] >> i & 1 ? in[7 + i] : in[7 + i] % (geometry[i] + 1);

        if ((in_byte(w, FDC_MSR) & (MSR_RQM | MSR_DIO)) != MSR_RQM) {
            break;
        }
        out(w, FDC_FIFO, value, 1);
    }
    fuzz_settle(w);
    for (unsigned i = 0; i < in[15] * 8u; i++) { /* data and results, as far as it offers them */
        uint8_t status = in_byte(w, FDC_MSR);

        if (!(status & MSR_RQM)) {
            break;
        }
        if (status & MSR_DIO) {
            in_byte(w, FDC_FIFO);
        } else if (status & 0x20) {
            out(w, FDC_FIFO, in[16 + i % 8], 1);
        } else {
            break;
        }
    }
}

/* ---- files of fw_cfg, which some devices are set up by --------------------------------------- */

enum { FW_CFG_DMA = 0x514, FW_CFG_FILES = 0x20 };

static void fw_cfg_start(FuzzWorld *w)
{
}

static uint32_t be32(uint32_t value)
{
    return GUINT32_TO_BE(value);
}

/* A file read, or written with the input's bytes in words of which a byte is what counts. */
static void fw_cfg_step(FuzzWorld *w, const uint8_t *in)
{
    uint32_t key = FW_CFG_FILES + in[0] % 32u, addr = page(4);

    for (unsigned i = 0; i < 7; i++) {
        store(w, addr + 4 * i, be32((uint32_t)in[2 * i + 2] << 8 * (in[1] & 3) | in[2 * i + 3]), 4);
    }
    if (in[1] & 4) { /* a picture, for one that takes it */
        static const uint32_t formats[] = {0x34325258, 0x34324752, 0x36314752};

        store(w, addr, 0, 4);
        store(w, addr + 4, be32(addr), 4);
        store(w, addr + 8, be32(formats[in[3] % 3]), 4);
    }
    store(w, page(0), be32(key << 16 | 8 | (in[1] & 8 ? 2 : 16)), 4);
    store(w, page(0) + 4, be32(in[17] & 64 ? in[18] : 28), 4);
    store(w, page(0) + 8, 0, 4);
    store(w, page(0) + 12, be32(addr + (in[17] & 63)), 4);
    out(w, FW_CFG_DMA, 0, 4);
    out(w, FW_CFG_DMA + 4, be32(page(0)), 4);
}

/* ---- xHCI 1.2: a slot addressed, endpoint 1 IN configured ----------------------------------- */

enum { DCBAA, COMMANDS, ERST, EVENTS, INPUT, CONTEXT, EP0_RING, EP_RING, XHCI_DATA };

enum { RING_COMMANDS, RING_EP0, RING_EP };
static const unsigned ring_page[] = {COMMANDS, EP0_RING, EP_RING};

static void put_trb(FuzzWorld *w, unsigned ring, uint64_t parameter, uint32_t status,
                    uint32_t control)
{
    FuzzRing *r = &w->rings[ring];
    uint32_t addr = page(ring_page[ring]) + r->at;

    store(w, addr, parameter, 8);
    store(w, addr + 8, status, 4);
    store(w, addr + 12, (control & ~1u) | !r->flipped, 4);
    r->at += 16;
    if (r->at == 0x7f0) {
        put_trb(w, ring, page(ring_page[ring]), 0, 6 << 10 | 2);
        r->at = 0;
        r->flipped = !r->flipped;
    }
}

static void doorbell(FuzzWorld *w, unsigned slot, uint32_t target)
{
    store(w, bar(w, 0) + load(w, bar(w, 0) + 0x14, 4) + 4 * slot, target, 4);
}

static void xhci_slot(FuzzWorld *w)
{
    put_trb(w, RING_COMMANDS, 0, 0, 9 << 10);
    store(w, page(DCBAA) + 8, page(CONTEXT), 8);
    store(w, page(INPUT) + 4, 3, 4);
    store(w, page(INPUT) + 32, 3u << 27 | 3u << 20, 4);
    store(w, page(INPUT) + 36, 1u << 16, 4);
    store(w, page(INPUT) + 68, 4u << 3 | 64u << 16, 4);
    store(w, page(INPUT) + 72, page(EP0_RING) | 1, 8);
    put_trb(w, RING_COMMANDS, page(INPUT), 0, 11 << 10 | 1u << 24);
    doorbell(w, 0, 0);
    store(w, page(INPUT) + 4, 1 | 1u << 3, 4);
    store(w, page(INPUT) + 132, 7u << 3 | 8u << 16, 4);
    store(w, page(INPUT) + 136, page(EP_RING) | 1, 8);
    put_trb(w, RING_COMMANDS, page(INPUT), 0, 12 << 10 | 1u << 24);
    doorbell(w, 0, 0);
}

static void xhci_start(FuzzWorld *w)
{
    memset(w->rings, 0, sizeof(w->rings));
    uint64_t op = bar(w, 0) + (load(w, bar(w, 0), 4) & 0xff);
    uint64_t runtime = bar(w, 0) + load(w, bar(w, 0) + 0x18, 4);

    store(w, op + 0x38, 8, 4);
    store(w, op + 0x30, page(DCBAA), 8);
    store(w, op + 0x18, page(COMMANDS) | 1, 8);
    store(w, page(ERST), page(EVENTS), 8);
    store(w, page(ERST) + 8, 32, 4);
    store(w, runtime + 0x28, 1, 4);
    store(w, runtime + 0x38, page(EVENTS), 8);
    store(w, runtime + 0x30, page(ERST), 8);
    store(w, runtime + 0x20, 2, 4);
    store(w, op, 5, 4);
    store(w, op + 0x400, 0x20210, 4);
    xhci_slot(w);
}

/* Requests that a HID or any device knows, mostly. */
static uint64_t usb_setup(const uint8_t *in)
{
    static const uint8_t kinds[] = {0x80, 0x81, 0x82, 0x00, 0x01, 0x02, 0x21, 0xa1};
    uint64_t setup;

    memcpy(&setup, in, 8);
    if (in[0] & 0x80) {
        setup = (setup & ~0xe000f0ffull) | kinds[in[0] & 7];
    }
    return setup & ~(0xf0ull << 56);
}

/* A command or a part of a transfer; addresses are pages, sizes and flags the input's. */
static void xhci_step(FuzzWorld *w, const uint8_t *in)
{
    uint64_t parameter = page(in[1] & 31) + (in[2] & 0xf0u);
    uint32_t flags = in[3] & 0x7eu, high = (uint32_t)in[4] << 16;
    uint32_t status = in[5] | (uint32_t)in[6] << 8 | (uint32_t)(in[7] & 1) << 16;

    switch (in[0] & 3) {
    case 0:
        put_trb(w, RING_COMMANDS, parameter, status,
                (9u + in[8] % 16) << 10 | (flags & 2) << 8 | (in[4] & 31u) << 16 |
                    (in[0] >> 2 & 3u) << 24);
        doorbell(w, 0, 0);
        break;
    case 1: /* a whole control transfer */
        parameter = usb_setup(in + 9);
        put_trb(w, RING_EP0, parameter, 8,
                2 << 10 | 1 << 6 | (parameter & 0x80 ? 3 << 16 : 2 << 16));
        put_trb(w, RING_EP0, page(XHCI_DATA + (in[1] & 15)), (uint32_t)(parameter >> 48),
                3 << 10 | (uint32_t)(parameter & 0x80) << 9);
        put_trb(w, RING_EP0, 0, 0, 4 << 10 | 1 << 5);
        doorbell(w, 1, 1);
        break;
    case 2:
        put_trb(w, RING_EP0, parameter, status, (in[8] & 15u) << 10 | flags | high);
        doorbell(w, 1, 1);
        break;
    default:
        put_trb(w, RING_EP, parameter, status, (in[8] & 7u) << 10 | flags | high);
        doorbell(w, 1, 3);
        break;
    }
}

/* ---- which ---------------------------------------------------------------------------------- */

static const FuzzDriver drivers[] = {
    {"floppy",       fdc_start,    fdc_step   },
    {"isa-fdc",      fdc_start,    fdc_step   },
    {"fw_cfg_io",    fw_cfg_start, fw_cfg_step},
    {"ramfb",        fw_cfg_start, fw_cfg_step},
    {"vmcoreinfo",   fw_cfg_start, fw_cfg_step},
    {"vmgenid",      fw_cfg_start, fw_cfg_step},
    {"ich9-ahci",    ahci_start,   ahci_step  },
    {"piix3-ide",    ide_start,    ide_step   },
    {"piix4-ide",    ide_start,    ide_step   },
    {"qemu-xhci",    xhci_start,   xhci_step  },
    {"nec-usb-xhci", xhci_start,   xhci_step  },
};

const FuzzDriver *fuzz_driver_for(FuzzWorld *w)
{
    Object *dev = w->pci->len ? g_ptr_array_index(w->pci, 0) : OBJECT(w->dev);

    for (size_t i = 0; i < G_N_ELEMENTS(drivers); i++) {
        if (g_str_equal(object_get_typename(dev), drivers[i].type)) {
            return &drivers[i];
        }
    }
    return NULL;
}

void fuzz_driver_start(FuzzWorld *w)
{
    if (w->driver) {
        w->driver->start(w);
    }
}
