/* SPDX-License-Identifier: MIT
 *
 * The phases that commands are made of: end, PIO data, DMA data, input and output.
 *
 * A request owns its buffer and remembers which command it belongs to, so a reset need not
 * wait for it: a completion that comes too late is dropped.
 */
#include <errno.h>
#include <string.h>
#include "hw/ide/ide-internal.h"
#include "system/block/media.h"
#include "system/log.h"

/* ---- the end of a command ----------------------------------------------------------------- */

void ide_pio_stop(IDEDevice *d)
{
    d->pio_pos = d->pio_end = 0;
    d->pio_done = NULL;
}

void ide_ended(IDEDevice *d)
{
    IDETransport *transport = ide_bus_of(d)->transport;

    if (transport && transport->ended) {
        transport->ended(transport, d);
    }
}

void ide_complete(IDEDevice *d, uint8_t status)
{
    ide_pio_stop(d);
    d->tf.status = status;
    ide_set_irq(ide_bus_of(d));
    ide_ended(d);
}

void ide_pio_moved(IDEDevice *d)
{
    d->pio_pos = d->pio_end;
    d->pio_done(d);
}

void ide_pio_in_end(IDEDevice *d)
{
    ide_pio_stop(d);
    d->tf.status = ATA_OK;
    ide_ended(d);
}

void ide_success(IDEDevice *d)
{
    d->tf.error = 0;
    ide_complete(d, ATA_OK);
}

void ide_error(IDEDevice *d, uint8_t error)
{
    d->tf.error = error;
    ide_complete(d, ATA_DRDY | ATA_ERR);
}

void ide_cancel(IDEDevice *d)
{
    d->generation++;
    d->dma_run = NULL;
    d->dma_active = false;
    d->buf_pos = d->buf_len = 0;
    d->sectors_left = 0;
    d->atapi.sectors_left = 0;
    g_clear_pointer(&d->trim, g_free);
    for (unsigned i = 0; i < ATA_TAGS; i++) {
        d->tags[i].active = false;
    }
    ide_pio_stop(d);
}

void ide_pio_start(IDEDevice *d, uint32_t pos, uint32_t len, IDEStep done, bool interrupt)
{
    IDETransport *transport = ide_bus_of(d)->transport;

    g_assert(pos + len <= IDE_CHUNK);
    d->pio_pos = pos;
    d->pio_end = pos + len;
    d->pio_done = done;
    d->tf.error = 0;
    d->tf.status = ATA_OK | ATA_DRQ;
    if (interrupt) {
        ide_set_irq(ide_bus_of(d));
    }
    if (transport && transport->pio) {
        transport->pio(transport, d, interrupt);
    }
}

/* ---- input and output ------------------------------------------------------------------------ */

typedef struct IDERequest {
    IDEDevice *d;
    DeviceState *controller; /* a reference, as on d: the request may outlast both in the tree, */
    MachineState *machine;   /* and their bus */
    uint32_t generation;
    IDEIOOp op;
    uint64_t offset;
    uint32_t len;
    uint8_t *data;
    IDEIODone done;
    int tag; /* of a queued command; -1: none */
    IDETagDone tag_done;
    int error; /* errno of a failure */
} IDERequest;

static void ide_request_free(IDERequest *req)
{
    object_unref(req->d);
    object_unref(req->controller);
    g_free(req->data);
    g_free(req);
}

static void ide_request_succeeded(IDERequest *req)
{
    if (req->tag >= 0) {
        req->tag_done(req->d, (unsigned)req->tag, req->data, req->len);
    } else {
        req->done(req->d, req->data, req->len);
    }
}

static void ide_request_submit(IDERequest *req);

/* The VM runs again after an error that stopped it. */
static void ide_request_resume(void *opaque, bool running)
{
    IDERequest *req = opaque;

    if (!running) {
        return;
    }
    vm_del_change_state_handler(req->machine, ide_request_resume, req);
    if (req->generation == req->d->generation) {
        ide_request_submit(req);
    } else { /* a reset has come in between */
        ide_request_free(req);
    }
}

static bool ide_request_stop(IDERequest *req, int error)
{
    if (blk_error_action(req->d->blk, req->op == IDE_IO_READ, error) != BLOCK_ERROR_STOP) {
        return false;
    }
    log_printf("%s: %s error at byte %" G_GUINT64_FORMAT ": %s; the VM is stopped\n",
               blk_id(req->d->blk), req->op == IDE_IO_READ ? "read" : "write", req->offset,
               g_strerror(error));
    vm_add_change_state_handler(req->machine, ide_request_resume, req);
    system_io_error(req->machine);
    return true;
}

static void ide_request_failed(IDERequest *req, int error)
{
    IDEDevice *d = req->d;
    BlockErrorAction action = blk_error_action(d->blk, req->op == IDE_IO_READ, error);

    if (action == BLOCK_ERROR_IGNORE) {
        ide_request_succeeded(req);
        return;
    }
    if (req->tag >= 0) {
        ata_ncq_error(d, (unsigned)req->tag, req->op == IDE_IO_READ ? ATA_UNC : ATA_ABRT);
        return;
    }
    ide_dma_end(d);
    if (d->is_cd) {
        atapi_io_error(d);
        return;
    }
    ata_set_lba(d, req->offset / ATA_SECTOR, d->ext);
    ide_error(d, req->op == IDE_IO_READ ? ATA_UNC : ATA_ABRT);
}

/* What stops the VM, and who waits for it to run, belong to the main thread. */
static void ide_request_error(void *opaque)
{
    IDERequest *req = opaque;
    DeviceState *controller = req->controller;
    bool kept = false;

    device_lock(controller);
    if (!controller->lock.dead && req->generation == req->d->generation) {
        blk_device_io_error(req->machine, DEVICE(req->d), req->d->blk, req->op == IDE_IO_READ,
                            blk_error_action(req->d->blk, req->op == IDE_IO_READ, req->error),
                            req->error);
        kept = ide_request_stop(req, req->error);
        if (!kept) {
            ide_request_failed(req, req->error);
        }
    }
    device_unlock(controller);
    if (!kept) {
        ide_request_free(req);
    }
}

/* In the loop that the device is bound to. */
static void ide_request_done(void *opaque, int ret)
{
    IDERequest *req = opaque;
    DeviceState *controller = req->controller;

    if (ret < 0) {
        req->error = -ret;
        event_loop_call(req->machine->loop, ide_request_error, req);
        return;
    }
    device_lock(controller);
    if (!controller->lock.dead && req->generation == req->d->generation) {
        ide_request_succeeded(req);
    }
    device_unlock(controller);
    ide_request_free(req);
}

static void ide_request_submit(IDERequest *req)
{
    IOThread *iothread = req->d->iothread;
    EventLoop *loop = iothread ? iothread_event_loop(iothread) : req->machine->loop;
    struct iovec iov = {req->data, req->len};
    int64_t offset = (int64_t)req->offset;

    switch (req->op) {
    case IDE_IO_READ:
        blk_preadv(req->d->blk, loop, offset, &iov, 1, ide_request_done, req);
        break;
    case IDE_IO_WRITE:
        blk_pwritev(req->d->blk, loop, offset, &iov, 1, ide_request_done, req);
        break;
    case IDE_IO_FLUSH:
        blk_flush(req->d->blk, loop, ide_request_done, req);
        break;
    case IDE_IO_DISCARD:
        blk_discard(req->d->blk, loop, offset, (int64_t)req->len * ATA_SECTOR, ide_request_done,
                    req);
        break;
    }
}

/* For IDE_IO_DISCARD len counts sectors: a range may be longer than any transfer. */
static IDERequest *ide_request_new(IDEDevice *d, IDEIOOp op, uint64_t offset, uint32_t len,
                                   const void *data)
{
    IDERequest *req = g_new0(IDERequest, 1);
    IDEBus *bus = ide_bus_of(d);
    bool has_data = op == IDE_IO_READ || op == IDE_IO_WRITE;

    *req = (IDERequest){.d = IDE_DEVICE(object_ref(d)),
                        .controller = DEVICE(object_ref(bus->controller)),
                        .machine = bus->machine,
                        .generation = d->generation,
                        .op = op,
                        .offset = offset,
                        .len = len,
                        .data = has_data ? g_malloc(len) : NULL,
                        .tag = -1};
    if (op == IDE_IO_WRITE) {
        memcpy(req->data, data, len);
    }
    return req;
}

void ide_io(IDEDevice *d, IDEIOOp op, uint64_t offset, uint32_t len, const void *data,
            IDEIODone done)
{
    IDERequest *req = ide_request_new(d, op, offset, len, data);

    req->done = done;
    d->tf.status = ATA_BSY | (d->tf.status & (ATA_DRDY | ATA_DSC));
    ide_request_submit(req);
}

void ide_io_tag(IDEDevice *d, unsigned tag, IDEIOOp op, uint64_t offset, uint32_t len,
                const void *data, IDETagDone done)
{
    IDERequest *req = ide_request_new(d, op, offset, len, data);

    req->tag = (int)tag;
    req->tag_done = done;
    ide_request_submit(req);
}

/* ---- DMA ------------------------------------------------------------------------------------ */

void ide_dma_start(IDEDevice *d, IDEStep run)
{
    IDEBus *bus = ide_bus_of(d);

    d->tf.status = ATA_OK | ATA_DRQ;
    d->dma_run = run;
    d->dma_active = true;
    if (bus->transport) {
        bus->transport->prepare(bus->transport);
    }
}

void ide_dma_run(IDEBus *bus)
{
    IDEDevice *d = bus->devices[bus->unit];
    IDEStep run = d ? d->dma_run : NULL;

    if (run) {
        d->dma_run = NULL;
        run(d);
    }
}

void ide_dma_stop(IDEBus *bus)
{
    for (int i = 0; i < IDE_UNITS; i++) {
        IDEDevice *d = bus->devices[i];

        if (d && d->dma_active) {
            ide_cancel(d);
            d->tf.status = ATA_OK;
        }
    }
}

bool ide_dma_transfer(IDEDevice *d, void *buf, uint32_t len, bool to_memory)
{
    IDEBus *bus = ide_bus_of(d);

    if (bus->transport->transfer(bus->transport, buf, len, to_memory) == len ||
        (bus->transport->tolerates_short && to_memory)) {
        return true;
    }
    if (bus->transport->tolerates_short) {
        ide_dma_end(d);
        ide_abort(d);
        return false;
    }
    log_guest_error("ide: the PRDs end before the transfer does\n");
    ide_cancel(d);
    d->tf.status = ATA_OK; /* no interrupt: the driver's time runs out */
    return false;
}

void ide_dma_end(IDEDevice *d)
{
    IDEBus *bus = ide_bus_of(d);

    if (d->dma_active && bus->transport) {
        d->dma_active = false;
        bus->transport->finish(bus->transport);
    }
}
