/* SPDX-License-Identifier: MIT
 *
 * Keyboard, mouse and tablet.  Device Class Definition for Human Interface Devices 1.11: 6.2
 * (descriptors), 7.2 (requests), appendix B (boot reports); HID Usage Tables.
 */
#include <string.h>
#include "hw/core/machine.h"
#include "hw/usb/usb.h"
#include "system/display/input.h"

#define TYPE_USB_HID    "usb-hid"
#define TYPE_USB_KBD    "usb-kbd"
#define TYPE_USB_MOUSE  "usb-mouse"
#define TYPE_USB_TABLET "usb-tablet"
OBJECT_DECLARE_SIMPLE(USBHIDState, USB_HID, TYPE_USB_HID)

#define HID_DESCRIPTOR    0x21
#define REPORT_DESCRIPTOR 0x22
enum {
    HID_GET_REPORT = 1,
    HID_GET_IDLE = 2,
    HID_GET_PROTOCOL = 3,
    HID_SET_REPORT = 9,
    HID_SET_IDLE = 10,
    HID_SET_PROTOCOL = 11,
};

#define REPORT_MAX   8
#define QUEUE_LENGTH 32 /* reports; a power of two */
#define KEYS_MAX     6
#define KEY_MODIFIER 0xe0 /* usages from here on are bits of the first byte */
#define KEY_ROLLOVER 1

typedef struct HIDKind {
    USBDescriptors high, full;
    const uint8_t *report_descriptor;
    uint16_t report_descriptor_length;
    uint8_t report_length;
    const InputHandler *input;
} HIDKind;

struct USBHIDState {
    USBDevice parent_obj;
    uint32_t usb_version;
    const HIDKind *kind;
    InputAttachment *attachment;

    uint8_t queue[QUEUE_LENGTH][REPORT_MAX];
    uint8_t head, used;
    uint8_t last[REPORT_MAX]; /* as it would be reported now */
    uint8_t last_buttons;
    uint8_t idle, protocol, leds;
    uint8_t keys[32]; /* that are down, as a bit each by usage */
};

/* ---- reports ------------------------------------------------------------------------------ */

static bool queue_is_full(const USBHIDState *s)
{
    return s->used == QUEUE_LENGTH;
}

/* The newest, to be merged into; NULL: the host has them all. */
static uint8_t *queue_newest(USBHIDState *s)
{
    return s->used ? s->queue[(s->head + s->used - 1) % QUEUE_LENGTH] : NULL;
}

static void queue_report(USBHIDState *s, const uint8_t report[REPORT_MAX])
{
    if (queue_is_full(s)) {
        memcpy(queue_newest(s), report, REPORT_MAX);
    } else {
        memcpy(s->queue[(s->head + s->used++) % QUEUE_LENGTH], report, REPORT_MAX);
    }
    memcpy(s->last, report, REPORT_MAX);
    usb_wakeup(&s->parent_obj);
}

/* ---- keyboard ------------------------------------------------------------------------------- */

static bool key_is_down(const USBHIDState *s, unsigned usage)
{
    return s->keys[usage / 8] >> usage % 8 & 1;
}

static void kbd_report(USBHIDState *s)
{
    uint8_t report[REPORT_MAX] = {0};
    unsigned n = 0;

    report[0] = s->keys[KEY_MODIFIER / 8];
    for (unsigned usage = 4; usage < KEY_MODIFIER; usage++) {
        if (key_is_down(s, usage)) {
            if (n < KEYS_MAX) {
                report[2 + n] = (uint8_t)usage;
            }
            n++;
        }
    }
    if (n > KEYS_MAX) {
        memset(report + 2, KEY_ROLLOVER, KEYS_MAX);
    }
    queue_report(s, report);
}

static void kbd_key(void *opaque, const InputKey *key, bool down)
{
    USBHIDState *s = opaque;
    uint8_t bit = (uint8_t)(1u << key->hid % 8);

    if (!key->hid || key_is_down(s, key->hid) == down) {
        return;
    }
    s->keys[key->hid / 8] ^= bit;
    kbd_report(s);
}

/* ---- pointers ------------------------------------------------------------------------------- */

static int8_t clip(int v)
{
    return (int8_t)CLAMP(v, -127, 127);
}

/* Input's bits are those of the report: left, right, middle, side, extra. */
static void mouse_move(void *opaque, int dx, int dy, int dz, unsigned buttons)
{
    USBHIDState *s = opaque;

    do {
        uint8_t report[REPORT_MAX] = {(uint8_t)buttons};
        int8_t x = clip(dx), y = clip(dy), z = clip(-dz);

        report[1] = (uint8_t)x;
        report[2] = (uint8_t)y;
        report[3] = (uint8_t)z;
        queue_report(s, report);
        dx -= x;
        dy -= y;
        dz += z;
    } while ((dx || dy || dz) && !queue_is_full(s));
}

/* A position that the host has not yet fetched is replaced, a button's change never. */
static void tablet_point(void *opaque, int x, int y, int dz, unsigned buttons)
{
    USBHIDState *s = opaque;
    uint8_t *newest = queue_newest(s);
    int8_t z = clip(-dz);
    uint8_t report[REPORT_MAX] = {(uint8_t)buttons, (uint8_t)x,        (uint8_t)(x >> 8),
                                  (uint8_t)y,       (uint8_t)(y >> 8), (uint8_t)z};

    if (newest && !z && !newest[5] && newest[0] == buttons && s->last_buttons == buttons) {
        memcpy(newest, report, REPORT_MAX);
        memcpy(s->last, report, REPORT_MAX);
        usb_wakeup(&s->parent_obj);
    } else {
        s->last_buttons = (uint8_t)buttons;
        queue_report(s, report);
    }
}

/* ---- descriptors ---------------------------------------------------------------------------- */

static const uint8_t kbd_reports[] = {
    0x05, 0x01, /* usage page: generic desktop */
    0x09, 0x06, /* keyboard */
    0xa1, 0x01, /* collection: application */
    0x75, 0x01, /*   8 bits: modifiers */
    0x95, 0x08, 0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15,
    0x00, 0x25, 0x01, 0x81, 0x02, 0x95, 0x01, /*   a byte that is reserved */
    0x75, 0x08, 0x81, 0x01, 0x95, 0x05,       /*   output: 5 lights */
    0x75, 0x01, 0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x91,
    0x02, 0x95, 0x01, 0x75, 0x03, 0x91, 0x01, 0x95, 0x06, /*   6 bytes: keys that are down */
    0x75, 0x08, 0x15, 0x00, 0x26, 0xff, 0x00, 0x05, 0x07,
    0x19, 0x00, 0x2a, 0xff, 0x00, 0x81, 0x00, 0xc0,
};

static const uint8_t mouse_reports[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, /* mouse */
    0x09, 0x01, 0xa1, 0x00,             /* pointer, physical */
    0x05, 0x09, 0x19, 0x01, 0x29, 0x05, /* 5 buttons */
    0x15, 0x00, 0x25, 0x01, 0x95, 0x05, 0x75, 0x01, 0x81, 0x02, 0x95, 0x01,
    0x75, 0x03, 0x81, 0x01,                         /* 3 bits of nothing */
    0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x09, 0x38, /* x, y, wheel: relative bytes */
    0x15, 0x81, 0x25, 0x7f, 0x75, 0x08, 0x95, 0x03, 0x81, 0x06, 0xc0, 0xc0,
};

static const uint8_t tablet_reports[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, /* mouse */
    0x09, 0x01, 0xa1, 0x00,             /* pointer, physical */
    0x05, 0x09, 0x19, 0x01, 0x29, 0x05, /* 5 buttons */
    0x15, 0x00, 0x25, 0x01, 0x95, 0x05, 0x75, 0x01, 0x81, 0x02,
    0x95, 0x01, 0x75, 0x03, 0x81, 0x01, /* 3 bits of nothing */
    0x05, 0x01, 0x09, 0x30, 0x09, 0x31, /* x, y: absolute, 16 bits */
    0x15, 0x00, 0x26, 0xff, 0x7f, 0x35, 0x00, 0x46, 0xff, 0x7f,
    0x75, 0x10, 0x95, 0x02, 0x81, 0x02, 0x05, 0x01, 0x09, 0x38, /* wheel: a relative byte */
    0x15, 0x81, 0x25, 0x7f, 0x35, 0x00, 0x45, 0x00, 0x75, 0x08,
    0x95, 0x01, 0x81, 0x06, 0xc0, 0xc0,
};

/* Device, then configuration, interface, HID and endpoint: they differ in what is named. */
#define DEVICE_DESCRIPTOR(usb)                                                                     \
    {                                                                                              \
        18, USB_DT_DEVICE, 0x00, usb, 0, 0, 0, (usb) == 2 ? 64 : 8, 0x27, 0x06, 0x01, 0x00, 0x00,  \
            0x00, 1, 2, 3, 1                                                                       \
    }
#define CONFIG_DESCRIPTOR(subclass, protocol, report_bytes, packet, interval)                      \
    {                                                                                              \
        9, USB_DT_CONFIG, 34, 0, 1, 1, 0, 0xa0, 50, 9, USB_DT_INTERFACE, 0, 0, 1, 3, subclass,     \
            protocol, 0, 9, HID_DESCRIPTOR, 0x11, 0x01, 0, 1, REPORT_DESCRIPTOR,                   \
            (report_bytes)&0xff, (report_bytes) >> 8, 7, USB_DT_ENDPOINT, 0x81, 3, packet, 0,      \
            interval                                                                               \
    }

static const uint8_t device_high[] = DEVICE_DESCRIPTOR(2), device_full[] = DEVICE_DESCRIPTOR(1);
static const char *const kbd_strings[] = {"QUOIN", "QUOIN USB Keyboard", "1", NULL};
static const char *const mouse_strings[] = {"QUOIN", "QUOIN USB Mouse", "1", NULL};
static const char *const tablet_strings[] = {"QUOIN", "QUOIN USB Tablet", "1", NULL};

/* An interval is 2^(n-1) microframes at high speed: 8 ms, and 4 for the tablet; ms at full. */
static const uint8_t kbd_high[] = CONFIG_DESCRIPTOR(1, 1, sizeof(kbd_reports), 8, 7);
static const uint8_t kbd_full[] = CONFIG_DESCRIPTOR(1, 1, sizeof(kbd_reports), 8, 10);
static const uint8_t mouse_high[] = CONFIG_DESCRIPTOR(1, 2, sizeof(mouse_reports), 4, 7);
static const uint8_t mouse_full[] = CONFIG_DESCRIPTOR(1, 2, sizeof(mouse_reports), 4, 10);
static const uint8_t tablet_high[] = CONFIG_DESCRIPTOR(0, 0, sizeof(tablet_reports), 8, 4);
static const uint8_t tablet_full[] = CONFIG_DESCRIPTOR(0, 0, sizeof(tablet_reports), 8, 10);

static const InputHandler kbd_input = {.name = "USB Keyboard", .key = kbd_key};
static const InputHandler mouse_input = {.name = "USB Mouse", .move = mouse_move};
static const InputHandler tablet_input = {.name = "USB Tablet", .point = tablet_point};

static const HIDKind hid_kbd = {
    {device_high, kbd_high, kbd_strings},
    {device_full, kbd_full, kbd_strings},
    kbd_reports,
    sizeof(kbd_reports),
    8,
    &kbd_input,
};
static const HIDKind hid_mouse = {
    {device_high, mouse_high, mouse_strings},
    {device_full, mouse_full, mouse_strings},
    mouse_reports,
    sizeof(mouse_reports),
    4,
    &mouse_input,
};
static const HIDKind hid_tablet = {
    {device_high, tablet_high, tablet_strings},
    {device_full, tablet_full, tablet_strings},
    tablet_reports,
    sizeof(tablet_reports),
    6,
    &tablet_input,
};

static const USBDescriptors *hid_descriptors(USBDevice *dev)
{
    const HIDKind *kind = USB_HID(dev)->kind;

    return dev->speed == USB_SPEED_HIGH ? &kind->high : &kind->full;
}

/* ---- requests ------------------------------------------------------------------------------- */

static int give(const void *bytes, size_t len, const USBSetup *setup, uint8_t *data)
{
    len = MIN(len, setup->length);
    memcpy(data, bytes, len);
    return (int)len;
}

static int hid_get_descriptor(USBHIDState *s, const USBSetup *setup, uint8_t *data)
{
    const HIDKind *kind = s->kind;

    switch (setup->value >> 8) {
    case HID_DESCRIPTOR:
        return give(kind->high.config + 18, 9, setup, data);
    case REPORT_DESCRIPTOR:
        return give(kind->report_descriptor, kind->report_descriptor_length, setup, data);
    default:
        return USB_RET_STALL;
    }
}

static int hid_set_report(USBHIDState *s, const USBSetup *setup, const uint8_t *data)
{
    if (s->kind != &hid_kbd || setup->length < 1 || setup->value >> 8 != 2) {
        return USB_RET_STALL;
    }
    s->leds = data[0];
    input_set_leds(DEVICE(s), ((data[0] & 1) ? INPUT_LED_NUM : 0) |
                                  ((data[0] & 2) ? INPUT_LED_CAPS : 0) |
                                  ((data[0] & 4) ? INPUT_LED_SCROLL : 0));
    return setup->length;
}

/* Main thread.  The reference keeps the memory, not the device. */
static void hid_activate(void *opaque)
{
    USBHIDState *s = opaque;

    if (DEVICE(s)->realized) {
        input_activate(s->attachment);
    }
    object_unref(s);
}

static int hid_control(USBDevice *dev, const USBSetup *setup, uint8_t *data)
{
    USBHIDState *s = USB_HID(dev);

    if (setup->request_type == 0x81 && setup->request == USB_GET_DESCRIPTOR) {
        return hid_get_descriptor(s, setup, data);
    }
    switch (setup->request_type << 8 | setup->request) {
    case 0xa100 | HID_GET_REPORT:
        return give(s->last, s->kind->report_length, setup, data);
    case 0xa100 | HID_GET_IDLE:
        return give(&s->idle, 1, setup, data);
    case 0xa100 | HID_GET_PROTOCOL:
        return give(&s->protocol, 1, setup, data);
    case 0x2100 | HID_SET_REPORT:
        return hid_set_report(s, setup, data);
    case 0x2100 | HID_SET_IDLE:
        s->idle = (uint8_t)(setup->value >> 8);
        return 0;
    case 0x2100 | HID_SET_PROTOCOL:
        s->protocol = (uint8_t)(setup->value & 1);
        return 0;
    case USB_SET_CONFIGURATION: /* the guest has a driver: events go here from now on */
        if (setup->value) {
            event_loop_call(device_event_loop(DEVICE(s)), hid_activate, object_ref(s));
        }
        return USB_RET_STALL; /* the rest is the standard's */
    default:
        return USB_RET_STALL;
    }
}

static int hid_data(USBDevice *dev, unsigned endpoint, bool in, uint8_t *buf, size_t len)
{
    USBHIDState *s = USB_HID(dev);

    if (endpoint != 1 || !in) {
        return USB_RET_STALL;
    }
    if (!s->used) {
        return USB_RET_NAK;
    }
    len = MIN(len, s->kind->report_length);
    memcpy(buf, s->queue[s->head], len);
    s->head = (s->head + 1) % QUEUE_LENGTH;
    s->used--;
    return (int)len;
}

/* ---- life ----------------------------------------------------------------------------------- */

static bool hid_realize(USBDevice *dev, GError **error)
{
    USBHIDState *s = USB_HID(dev);
    ObjectClass *klass = object_get_class(OBJECT(dev));

    s->kind = object_class_dynamic_cast(klass, TYPE_USB_KBD)     ? &hid_kbd
              : object_class_dynamic_cast(klass, TYPE_USB_MOUSE) ? &hid_mouse
                                                                 : &hid_tablet;
    dev->speed = s->usb_version == 2 ? USB_SPEED_HIGH : USB_SPEED_FULL;
    s->attachment = input_attach(DEVICE(dev), s->kind->input, s);
    return true;
}

static void hid_reset(USBDevice *dev)
{
    USBHIDState *s = USB_HID(dev);

    s->head = s->used = 0;
    memset(s->last, 0, sizeof(s->last));
    memset(s->keys, 0, sizeof(s->keys));
    s->last_buttons = s->idle = s->leds = 0;
    s->protocol = 1;
}

static const Property hid_properties[] = {
    DEFINE_PROP_UINT32("usb_version", USBHIDState, usb_version, 2,
                       "2: a high-speed device; 1: a full-speed one", .min = 1, .max = 2),
    DEFINE_PROP_END,
};

static const StateField hid_state[] = {
    DEFINE_USB_STATE_FIELDS(USBHIDState),
    STATE_FIELD(USBHIDState, queue),
    STATE_FIELD(USBHIDState, head),
    STATE_FIELD(USBHIDState, used),
    STATE_FIELD(USBHIDState, last),
    STATE_FIELD(USBHIDState, last_buttons),
    STATE_FIELD(USBHIDState, idle),
    STATE_FIELD(USBHIDState, protocol),
    STATE_FIELD(USBHIDState, leds),
    STATE_FIELD(USBHIDState, keys),
    STATE_END,
};

static void hid_class_init(ObjectClass *klass, const void *data)
{
    USBDeviceClass *uc = USB_DEVICE_CLASS(klass);

    uc->realize = hid_realize;
    uc->reset = hid_reset;
    uc->descriptors = hid_descriptors;
    uc->control = hid_control;
    uc->data = hid_data;
    DEVICE_CLASS(klass)->state = hid_state;
}

static const TypeInfo hid_types[] = {
    {.name = TYPE_USB_HID,
     .parent = TYPE_USB_DEVICE,
     .instance_size = sizeof(USBHIDState),
     .abstract = true,
     .class_init = hid_class_init,
     .properties = hid_properties,
     .doc = "human interface device"},
    {.name = TYPE_USB_KBD, .parent = TYPE_USB_HID,                           .doc = "USB keyboard"                                                              },
    {.name = TYPE_USB_MOUSE,         .parent = TYPE_USB_HID,           .doc = "USB mouse"},
    {.name = TYPE_USB_TABLET,
     .parent = TYPE_USB_HID,
     .doc = "USB tablet: a pointer with absolute positions"         },
};
DEFINE_TYPES(hid_types)
