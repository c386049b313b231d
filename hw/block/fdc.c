/* SPDX-License-Identifier: MIT
 *
 * Floppy disk controller, as the Intel 82078 in AT mode (data sheet 290468): registers (2.1),
 * resets (2.3), interrupt and DMA request, phases of a command (5).
 *
 *   +0 SRA   status A (PS/2; not driven in AT mode: ff)
 *   +1 SRB   5 bit 0 of the drive's number   1, 0 motors
 *   +2 DOR   7-4 motors   3 DMA and interrupt gate   2 not reset   1, 0 drive
 *   +3 TDR   1, 0 tape drive
 *   +4 MSR   7 ready for a byte   6 direction (1: to the host)   5 not DMA   4 busy
 *      DSR   7 reset   1, 0 data rate   (write)
 *   +5 FIFO
 *   +7 DIR   7 disk change          CCR   1, 0 data rate   (write)
 */
#include <string.h>
#include "hw/block/fdc-internal.h"
#include "system/log.h"

#define REG_SRB  1
#define REG_DOR  2
#define REG_TDR  3
#define REG_MSR  4
#define REG_FIFO 5

#define DOR_GATE   0x08
#define DOR_RUN    0x04
#define DOR_DRIVE  0x03
#define DSR_RESET  0x80
#define DIR_CHANGE 0x80

/* ---- outputs --------------------------------------------------------------------------- */

void fdc_raise_irq(FDC *fdc)
{
    irq_raise(fdc->irq);
}

void fdc_lower_irq(FDC *fdc)
{
    irq_lower(fdc->irq);
}

static void fdc_request_dma(FDC *fdc, bool level)
{
    if (fdc->dma) {
        ISA_DMA_GET_CLASS(fdc->dma)->set_request(fdc->dma, (int)(fdc->dma_channel & 3), level);
    }
}

/* ---- phases ------------------------------------------------------------------------------ */

void fdc_idle(FDC *fdc)
{
    fdc->phase = FDC_PHASE_COMMAND;
    fdc->command_len = 0;
    g_clear_pointer(&fdc->data, g_free);
    fdc->data_pos = fdc->data_len = 0;
}

void fdc_give_result(FDC *fdc, unsigned len)
{
    fdc_request_dma(fdc, false);
    fdc->result_pos = 0;
    fdc->result_len = len;
    fdc->phase = FDC_PHASE_RESULT;
}

void fdc_start_data(FDC *fdc)
{
    fdc->phase = FDC_PHASE_DATA;
    if (fdc->non_dma) {
        fdc_raise_irq(fdc);
    } else {
        fdc_request_dma(fdc, true);
    }
}

static uint8_t fdc_read_msr(FDC *fdc)
{
    bool to_host = fdc->phase == FDC_PHASE_DATA && !fdc->is_write;

    if (!(fdc->dor & DOR_RUN)) {
        return 0;
    }
    switch (fdc->phase) {
    case FDC_PHASE_COMMAND:
        return (uint8_t)(FDC_MSR_RQM | (fdc->command_len ? FDC_MSR_BUSY : 0));
    case FDC_PHASE_RESULT:
        return FDC_MSR_RQM | FDC_MSR_DIO | FDC_MSR_BUSY;
    case FDC_PHASE_DATA:
        if (fdc->non_dma) {
            return (uint8_t)(FDC_MSR_RQM | (to_host ? FDC_MSR_DIO : 0) | FDC_MSR_NONDMA |
                             FDC_MSR_BUSY);
        }
        return FDC_MSR_BUSY;
    default:
        return FDC_MSR_BUSY;
    }
}

static uint8_t fdc_read_fifo(FDC *fdc)
{
    uint8_t value;

    if (fdc->phase == FDC_PHASE_DATA && fdc->non_dma && !fdc->is_write) {
        return fdc_data_read(fdc);
    }
    if (fdc->phase != FDC_PHASE_RESULT) {
        return 0;
    }
    fdc_lower_irq(fdc);
    value = fdc->result[fdc->result_pos++];
    if (fdc->result_pos == fdc->result_len) {
        fdc_idle(fdc);
    }
    return value;
}

static void fdc_write_fifo(FDC *fdc, uint8_t value)
{
    if (!(fdc->dor & DOR_RUN)) {
        return;
    }
    if (fdc->phase == FDC_PHASE_DATA && fdc->non_dma && fdc->is_write) {
        fdc_data_write(fdc, value);
        return;
    }
    if (fdc->phase != FDC_PHASE_COMMAND) {
        log_guest_error("fdc: byte %02x while a command is under way\n", value);
        return;
    }
    fdc->command[fdc->command_len++] = value;
    if (fdc->command_len == fdc_command_length(fdc, fdc->command[0])) {
        fdc_run_command(fdc);
    }
}

/* ---- resets ------------------------------------------------------------------------------- */

/* What either kind of reset does, but for the registers that LOCK keeps (5.2.10). */
static void fdc_reset_core(FDC *fdc)
{
    fdc->generation++;
    timer_del(fdc->id_timer);
    fdc_request_dma(fdc, false);
    fdc_lower_irq(fdc);
    fdc_idle(fdc);
    memset(fdc->seek_sense, 0, sizeof(fdc->seek_sense));
    fdc->reset_sense = 0;
    fdc->perpendicular = 0;
    if (!fdc->lock) {
        fdc->config = 0x60; /* implied seek off, FIFO off, poll */
        fdc->pretrk = 0;
    }
}

/* The drives are polled, and each seems to have become ready (4.2, 5.2.4). */
static void fdc_reset_end(FDC *fdc)
{
    fdc->reset_sense = 4;
    fdc_raise_irq(fdc);
}

void fdc_reset(FDC *fdc)
{
    fdc->lock = false;
    fdc_reset_core(fdc);
    fdc->dor = DOR_GATE | DOR_RUN;
    fdc->tdr = fdc->ccr = 0;
    fdc->dsr = 2;
    fdc->srt_hut = fdc->hlt_nd = 0;
    fdc->eot = 18;
}

static void fdc_write_dor(FDC *fdc, uint8_t value)
{
    uint8_t was = fdc->dor;

    fdc->dor = value;
    if ((was & DOR_RUN) && !(value & DOR_RUN)) {
        fdc_reset_core(fdc);
    } else if (!(was & DOR_RUN) && (value & DOR_RUN)) {
        fdc_reset_end(fdc);
    }
}

static void fdc_write_dsr(FDC *fdc, uint8_t value)
{
    fdc->dsr = value & 0x7f;
    if ((value & DSR_RESET) && (fdc->dor & DOR_RUN)) {
        fdc_reset_core(fdc);
        fdc_reset_end(fdc);
    }
}

/* ---- registers ------------------------------------------------------------------------------ */

static uint8_t fdc_read_dir(FDC *fdc)
{
    Floppy *f = floppy_get(fdc, fdc->dor & DOR_DRIVE);

    return !floppy_has_medium(f) || f->changed ? DIR_CHANGE : 0;
}

static uint8_t fdc_read_srb(const FDC *fdc)
{
    return (uint8_t)(0xc0 | (fdc->dor & 1) << 5 | (fdc->dor >> 4 & 3));
}

static uint64_t fdc_read(void *opaque, hwaddr addr, unsigned size)
{
    FDC *fdc = opaque;

    switch (addr) {
    case REG_SRB:
        return fdc_read_srb(fdc);
    case REG_DOR:
        return fdc->dor;
    case REG_TDR:
        return fdc->tdr;
    case REG_MSR:
        return fdc_read_msr(fdc);
    case REG_FIFO:
        return fdc_read_fifo(fdc);
    default:
        return 0xff;
    }
}

static void fdc_write(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    FDC *fdc = opaque;

    switch (addr) {
    case REG_DOR:
        fdc_write_dor(fdc, (uint8_t)value);
        break;
    case REG_TDR:
        fdc->tdr = value & 3;
        break;
    case REG_MSR:
        fdc_write_dsr(fdc, (uint8_t)value);
        break;
    case REG_FIFO:
        fdc_write_fifo(fdc, (uint8_t)value);
        break;
    default:
        break;
    }
}

static uint64_t fdc_read7(void *opaque, hwaddr addr, unsigned size)
{
    return fdc_read_dir(opaque);
}

static void fdc_write7(void *opaque, hwaddr addr, uint64_t value, unsigned size)
{
    FDC *fdc = opaque;

    fdc->ccr = value & 3;
    fdc->dsr = (uint8_t)((fdc->dsr & ~3) | (value & 3));
}

static const MemoryRegionOps fdc_ops = {
    .read = fdc_read,
    .write = fdc_write,
    .valid = {1, 4, true },
    .impl = {1, 1, false},
};

static const MemoryRegionOps fdc_ops7 = {
    .read = fdc_read7,
    .write = fdc_write7,
    .valid = {1, 1, false},
    .impl = {1, 1, false},
};

/* ---- the device ----------------------------------------------------------------------------- */

static void fdc_id_found(void *opaque)
{
    FDC *fdc = opaque;

    fdc_give_result(fdc, 7);
    fdc_raise_irq(fdc);
}

static void fdc_leave_dma(void *opaque)
{
    FDC *fdc = opaque;

    ISA_DMA_GET_CLASS(fdc->dma)->register_channel(fdc->dma, (int)(fdc->dma_channel & 3), NULL,
                                                  NULL);
    object_unref(OBJECT(fdc->dma));
}

static bool fdc_take_lines(FDC *fdc, GError **error)
{
    DeviceState *dev = DEVICE(fdc);
    ISABus *bus = isa_bus_from_device(&fdc->parent_obj);

    if (!isa_check_irq(&fdc->parent_obj, "irq", fdc->irq_line, error)) {
        return false;
    }
    fdc->irq = isa_get_irq(&fdc->parent_obj, fdc->irq_line);
    fdc->dma = isa_get_dma(bus, fdc->dma_channel);
    if (fdc->dma) {
        ISA_DMA_GET_CLASS(fdc->dma)->register_channel(fdc->dma, (int)(fdc->dma_channel & 3),
                                                      fdc_dma_transfer, fdc);
        object_ref(OBJECT(fdc->dma)); /* it may go first at the machine's end */
        qdev_on_unrealize(dev, fdc_leave_dma, fdc);
    }
    return true;
}

static void fdc_forget(void *opaque)
{
    FDC *fdc = opaque;

    fdc->generation++;
    g_clear_pointer(&fdc->data, g_free);
}

static bool fdc_realize(DeviceState *dev, GError **error)
{
    FDC *fdc = FDC_STATE(dev);

    fdc->machine = qdev_get_machine(dev);
    if (!fdc_take_lines(fdc, error)) {
        return false;
    }
    qdev_on_unrealize(dev, fdc_forget, fdc);
    fdc->id_timer = device_timer_new(dev, CLOCK_VIRTUAL, fdc_id_found, fdc);
    /* Port +6 is the IDE channel's. */
    memory_region_init_io(&fdc->io, OBJECT(fdc), &fdc_ops, fdc, "fdc", 6);
    memory_region_init_io(&fdc->io7, OBJECT(fdc), &fdc_ops7, fdc, "fdc-dir", 1);
    isa_register_ioport(&fdc->parent_obj, &fdc->io, (uint16_t)fdc->iobase);
    isa_register_ioport(&fdc->parent_obj, &fdc->io7, (uint16_t)(fdc->iobase + 7));
    fdc->bus = FLOPPY_BUS(qbus_new(TYPE_FLOPPY_BUS, dev, "floppy-bus.0"));
    fdc->bus->fdc = fdc;
    return true;
}

static void fdc_reset_enter(DeviceState *dev, ResetType type)
{
    FDC *fdc = FDC_STATE(dev);

    for (unsigned i = 0; i < FDC_DRIVES; i++) {
        if (fdc->drives[i]) {
            fdc->drives[i]->track = 0;
            fdc->drives[i]->changed = true;
        }
    }
}

static void fdc_reset_hold(DeviceState *dev)
{
    fdc_reset(FDC_STATE(dev));
}

static const Property fdc_properties[] = {
    DEFINE_PROP_UINT32("iobase", FDC, iobase, 0x3f0, "first of its ports", .max = 0xfff8),
    DEFINE_PROP_UINT32("irq", FDC, irq_line, 6, "ISA line"),
    DEFINE_PROP_UINT32("dma", FDC, dma_channel, 2, "ISA DMA channel", .max = 3),
    DEFINE_PROP_INT32("bootindexA", FDC, bootindex[0], -1, "drive A's place in the boot order"),
    DEFINE_PROP_INT32("bootindexB", FDC, bootindex[1], -1, "drive B's place in the boot order"),
    DEFINE_PROP_ENUM("fdtypeA", FDC, drive_type[0], &floppy_drive_enum, FLOPPY_DRIVE_AUTO,
                     "type of drive A"),
    DEFINE_PROP_ENUM("fdtypeB", FDC, drive_type[1], &floppy_drive_enum, FLOPPY_DRIVE_AUTO,
                     "type of drive B"),
    DEFINE_PROP_ENUM("fallback", FDC, fallback, &floppy_drive_enum, FLOPPY_DRIVE_288,
                     "type of an empty drive whose type is auto"),
    DEFINE_PROP_END,
};

static const StateField fdc_state[] = {
    STATE_FIELD(FDC, dor),           STATE_FIELD(FDC, tdr),         STATE_FIELD(FDC, dsr),
    STATE_FIELD(FDC, ccr),           STATE_FIELD(FDC, srt_hut),     STATE_FIELD(FDC, hlt_nd),
    STATE_FIELD(FDC, config),        STATE_FIELD(FDC, pretrk),      STATE_FIELD(FDC, eot),
    STATE_FIELD(FDC, perpendicular), STATE_FIELD(FDC, lock),        STATE_FIELD(FDC, phase),
    STATE_FIELD(FDC, command),       STATE_FIELD(FDC, command_len), STATE_FIELD(FDC, result),
    STATE_FIELD(FDC, result_pos),    STATE_FIELD(FDC, result_len),  STATE_FIELD(FDC, reset_sense),
    STATE_FIELD(FDC, seek_sense),    STATE_FIELD(FDC, seek_st0),    STATE_END,
};

static void fdc_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = fdc_realize;
    dc->reset_enter = fdc_reset_enter;
    dc->reset_hold = fdc_reset_hold;
    dc->fw_name = "fdc";
    dc->category = DEVICE_CATEGORY_STORAGE;
    dc->state = fdc_state;
}

static const TypeInfo fdc_types[] = {
    {
     .name = TYPE_ISA_FDC,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(FDC),
     .class_init = fdc_class_init,
     .properties = fdc_properties,
     .doc = "Floppy disk controller (82078) for two drives",
     },
};

DEFINE_TYPES(fdc_types)

/* ---- for machines --------------------------------------------------------------------------- */

static bool fdc_create_drive(FDC *fdc, int unit, const char *drive, GError **error)
{
    DeviceState *dev = qdev_new(TYPE_FLOPPY, error);

    if (!dev) {
        return false;
    }
    FLOPPY(dev)->unit_prop = (uint32_t)unit;
    FLOPPY(dev)->drive = g_strdup(drive);
    return qdev_realize_and_unref(dev, BUS(fdc->bus), error);
}

ISADevice *fdc_create(ISABus *bus, bool default_drive, GError **error)
{
    ISADevice *isa = isa_create_simple(bus, TYPE_ISA_FDC, error);
    FDC *fdc = isa ? FDC_STATE(isa) : NULL;

    if (isa && default_drive && !(fdc->machine->absent_defaults & MACHINE_DEFAULT_FLOPPY) &&
        !drive_get(fdc->machine, BLOCK_IF_FLOPPY, 0, 0) &&
        !blk_drive_add(fdc->machine, "if=floppy,index=0", error)) {
        return NULL;
    }
    for (int i = 0; isa && i < FDC_DRIVES; i++) {
        DriveInfo *drive = drive_get(fdc->machine, BLOCK_IF_FLOPPY, 0, i);

        if (drive && !fdc_create_drive(fdc, i, drive->id, error)) {
            return NULL;
        }
    }
    return isa;
}

uint8_t fdc_cmos_types(ISADevice *isa)
{
    static const uint8_t codes[] = {[FLOPPY_DRIVE_144] = 4,
                                    [FLOPPY_DRIVE_288] = 5,
                                    [FLOPPY_DRIVE_120] = 2,
                                    [FLOPPY_DRIVE_NONE] = 0,
                                    [FLOPPY_DRIVE_AUTO] = 0};
    FDC *fdc = FDC_STATE(isa);
    uint8_t types = 0;

    for (unsigned i = 0; i < FDC_DRIVES; i++) {
        types = (uint8_t)(types << 4 | (fdc->drives[i] ? codes[fdc->drives[i]->type] : 0));
    }
    return types;
}
