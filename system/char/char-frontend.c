/* SPDX-License-Identifier: MIT
 *
 * The device's side of a character device.
 */
#include <string.h>
#include "system/char/char-internal.h"

static void frontend_lock(CharFrontend *fe)
{
    if (fe->dev) {
        device_lock(fe->dev);
    }
}

static void frontend_unlock(CharFrontend *fe)
{
    if (fe->dev) {
        device_unlock(fe->dev);
    }
}

static void finish_on_unrealize(void *opaque)
{
    char_frontend_finish(opaque);
}

bool char_frontend_init(CharFrontend *fe, Chardev *chr, DeviceState *dev, GError **error)
{
    memset(fe, 0, sizeof(*fe));
    fe->dev = dev;
    if (chr && !chardev_attach(chr, fe, error)) {
        return false;
    }
    fe->chr = chr;
    if (dev) {
        qdev_on_unrealize(dev, finish_on_unrealize, fe);
    }
    return true;
}

void char_frontend_finish(CharFrontend *fe)
{
    Chardev *chr = g_steal_pointer(&fe->chr);

    if (chr) {
        chardev_detach(chr, fe);
    }
}

void char_frontend_set_handlers(CharFrontend *fe, CharCanRead can_read, CharRead read,
                                CharEventHandler event, void *opaque)
{
    frontend_lock(fe);
    fe->can_read = can_read;
    fe->read = read;
    fe->event = event;
    fe->opaque = opaque;
    fe->opened = false;
    frontend_unlock(fe);
    if (fe->chr && char_frontend_is_open(fe)) {
        char_frontend_send_event(fe, CHAR_EVENT_OPENED);
    }
    char_frontend_accept_input(fe);
}

size_t char_frontend_write(CharFrontend *fe, const void *buf, size_t len)
{
    return fe->chr ? chardev_write_buffered(fe->chr, buf, len, CHARDEV_BUFFER) : len;
}

void char_frontend_write_all(CharFrontend *fe, const void *buf, size_t len)
{
    if (fe->chr) {
        chardev_write_all(fe->chr, buf, len);
    }
}

void char_frontend_when_writable(CharFrontend *fe, CharWritable fn, void *opaque)
{
    if (fe->chr) {
        chardev_when_writable(fe->chr, fe, fn, opaque);
    }
}

void char_frontend_accept_input(CharFrontend *fe)
{
    if (fe->chr) {
        bh_schedule(fe->chr->accept_bh);
    }
}

bool char_frontend_connected(const CharFrontend *fe)
{
    return fe->chr;
}

bool char_frontend_is_open(const CharFrontend *fe)
{
    return fe->chr && chardev_sink(fe->chr)->be_open;
}

void char_frontend_set_break(CharFrontend *fe, bool on)
{
}

void char_frontend_set_line(CharFrontend *fe, const CharLineSettings *settings)
{
}

unsigned char_frontend_get_modem(CharFrontend *fe)
{
    return CHAR_MODEM_CTS | CHAR_MODEM_DSR | CHAR_MODEM_CAR;
}

void char_frontend_set_modem(CharFrontend *fe, unsigned lines)
{
}

/* ---- delivery, main thread --------------------------------------------------------- */

size_t char_frontend_can_read(CharFrontend *fe)
{
    size_t room;

    frontend_lock(fe);
    room = fe->can_read ? fe->can_read(fe->opaque) : 0;
    frontend_unlock(fe);
    return room;
}

void char_frontend_read(CharFrontend *fe, const uint8_t *buf, size_t len)
{
    frontend_lock(fe);
    if (fe->read) {
        fe->read(fe->opaque, buf, len);
    }
    frontend_unlock(fe);
}

void char_frontend_send_event(CharFrontend *fe, CharEvent event)
{
    bool news = true;

    frontend_lock(fe);
    if (event == CHAR_EVENT_OPENED || event == CHAR_EVENT_CLOSED) {
        news = fe->opened != (event == CHAR_EVENT_OPENED);
        fe->opened = event == CHAR_EVENT_OPENED;
    }
    if (news && fe->event) {
        fe->event(fe->opaque, event);
    }
    frontend_unlock(fe);
}

void char_frontend_call(CharFrontend *fe, CharWritable fn, void *opaque)
{
    frontend_lock(fe);
    fn(opaque);
    frontend_unlock(fe);
}
