/* SPDX-License-Identifier: MIT
 *
 * QEMU's extensions of the RFB protocol, as the community's rfbproto document has them: extended
 * key events (-258), pointer motion change (-257), LED state (-261).
 */
#include "system/vnc/vnc-internal.h"

#define ENCODING_MOTION_CHANGE (-257)
#define ENCODING_EXTENDED_KEY  (-258)
#define ENCODING_LED_STATE     (-261)

#define MESSAGE_QEMU         255
#define SUBMESSAGE_KEY_EVENT 0

static rfbBool enable(rfbClientPtr cl, void **data, int encoding)
{
    VNCClient *client = cl->screen->screenData;

    switch (encoding) {
    case ENCODING_MOTION_CHANGE:
        client->motion_sent_absolute = true;
        client->wants_motion_change = true;
        return TRUE;
    case ENCODING_EXTENDED_KEY:
        client->ack_extended_keys = !client->wants_extended_keys;
        client->wants_extended_keys = true;
        return TRUE;
    case ENCODING_LED_STATE:
        client->wants_leds = true;
        return TRUE;
    default:
        return FALSE;
    }
}

static rfbBool handle(rfbClientPtr cl, void *data, const rfbClientToServerMsg *message)
{
    struct __attribute__((packed)) {
        uint8_t submessage;
        uint16_t down;
        uint32_t keysym, keycode;
    } m;

    if (message->type != MESSAGE_QEMU) {
        return FALSE;
    }
    if (rfbReadExact(cl, (char *)&m, sizeof(m)) <= 0 || m.submessage != SUBMESSAGE_KEY_EVENT) {
        rfbCloseClient(cl); /* audio was not offered */
        return TRUE;
    }
    uint32_t code = GUINT32_FROM_BE(m.keycode);
    if (code) {
        vnc_client_post(cl->screen->screenData, VNC_EVENT_KEYCODE, code, m.down != 0, 0, 0);
    } else {
        vnc_client_post(cl->screen->screenData, VNC_EVENT_KEYSYM, GUINT32_FROM_BE(m.keysym),
                        m.down != 0, 0, 0);
    }
    return TRUE;
}

void vnc_extension_register(void)
{
    static int encodings[] = {ENCODING_MOTION_CHANGE, ENCODING_EXTENDED_KEY, ENCODING_LED_STATE, 0};
    static rfbProtocolExtension extension = {
        .pseudoEncodings = encodings,
        .enablePseudoEncoding = enable,
        .handleMessage = handle,
    };
    static gsize registered;

    if (g_once_init_enter(&registered)) {
        rfbRegisterProtocolExtension(&extension);
        g_once_init_leave(&registered, 1);
    }
}

/* A frame buffer update of one rectangle without pixels. */
static bool send_rectangle(VNCClient *client, int encoding, unsigned x, const uint8_t *payload,
                           gsize len)
{
    struct __attribute__((packed)) {
        uint8_t type, pad;
        uint16_t rectangles, x, y, width, height;
        int32_t encoding;
        uint8_t payload[4];
    } m = {
        .rectangles = GUINT16_TO_BE(1),
        .x = GUINT16_TO_BE(x),
        .width = GUINT16_TO_BE(client->screen->width),
        .height = GUINT16_TO_BE(client->screen->height),
        .encoding = GINT32_TO_BE(encoding),
    };

    if (len) {
        memcpy(m.payload, payload, len);
    }
    return rfbWriteExact(client->cl, (char *)&m, (int)(sizeof(m) - sizeof(m.payload) + len)) >= 0;
}

bool vnc_extension_send(VNCClient *client, bool absolute, unsigned leds)
{
    uint8_t lights = (uint8_t)leds;
    bool ok = true;

    if (client->ack_extended_keys) {
        client->ack_extended_keys = false;
        ok = send_rectangle(client, ENCODING_EXTENDED_KEY, 0, NULL, 0);
    }
    if (ok && client->wants_motion_change && client->motion_sent_absolute != absolute) {
        client->motion_sent_absolute = absolute;
        ok = send_rectangle(client, ENCODING_MOTION_CHANGE, absolute, NULL, 0);
    }
    if (ok && client->wants_leds && client->leds_sent != (int)leds) {
        client->leds_sent = (int)leds;
        ok = send_rectangle(client, ENCODING_LED_STATE, 0, &lights, 1);
    }
    return ok;
}
