/* SPDX-License-Identifier: MIT
 *
 * Standard device requests (USB 2.0, 9.4), answered from a device's descriptors.
 */
#include <string.h>
#include "hw/usb/usb.h"

#define FEATURE_ENDPOINT_HALT 0
#define FEATURE_REMOTE_WAKEUP 1
#define LANGUAGE_ENGLISH_US   0x0409
#define DEVICE_LENGTH         18
#define CONFIG_ATTRIBUTES     7
#define ATTRIBUTE_SELF        0x40
#define ATTRIBUTE_WAKEUP      0x20
#define STRING_MAX            126

static const uint8_t *config_of(USBDevice *dev, uint16_t *ret_length)
{
    const uint8_t *config = USB_DEVICE_GET_CLASS(dev)->descriptors(dev)->config;

    *ret_length = (uint16_t)(config[2] | config[3] << 8);
    return config;
}

static int reply(const void *bytes, size_t len, const USBSetup *setup, uint8_t *data)
{
    len = MIN(len, setup->length);
    memcpy(data, bytes, len);
    return (int)len;
}

static int get_string(USBDevice *dev, unsigned n, const USBSetup *setup, uint8_t *data)
{
    const char *const *strings = USB_DEVICE_GET_CLASS(dev)->descriptors(dev)->strings;
    uint8_t d[2 + 2 * STRING_MAX] = {4, USB_DT_STRING, LANGUAGE_ENGLISH_US & 0xff,
                                     LANGUAGE_ENGLISH_US >> 8};
    size_t len = 0;

    if (n == 0) {
        return reply(d, 4, setup, data);
    }
    for (unsigned i = 1; i < n && *strings; i++) {
        strings++;
    }
    if (!*strings) {
        return USB_RET_STALL;
    }
    for (const char *p = *strings; *p && len < STRING_MAX; p++, len++) {
        d[2 + 2 * len] = (uint8_t)*p;
        d[3 + 2 * len] = 0;
    }
    d[0] = (uint8_t)(2 + 2 * len);
    return reply(d, d[0], setup, data);
}

static int get_descriptor(USBDevice *dev, const USBSetup *setup, uint8_t *data)
{
    const uint8_t *device = USB_DEVICE_GET_CLASS(dev)->descriptors(dev)->device;
    uint16_t length;
    const uint8_t *config = config_of(dev, &length);
    uint8_t qualifier[10] = {sizeof(qualifier), USB_DT_QUALIFIER};

    switch (setup->value >> 8) {
    case USB_DT_DEVICE:
        return reply(device, DEVICE_LENGTH, setup, data);
    case USB_DT_CONFIG:
        return setup->value & 0xff ? USB_RET_STALL : reply(config, length, setup, data);
    case USB_DT_STRING:
        return get_string(dev, setup->value & 0xff, setup, data);
    case USB_DT_QUALIFIER:
        if (dev->speed != USB_SPEED_HIGH) {
            return USB_RET_STALL;
        }
        memcpy(qualifier + 2, device + 2, 6);
        qualifier[8] = device[17];
        return reply(qualifier, sizeof(qualifier), setup, data);
    default:
        return USB_RET_STALL;
    }
}

static int get_status(USBDevice *dev, const USBSetup *setup, uint8_t *data)
{
    uint16_t length;
    const uint8_t *config = config_of(dev, &length);
    uint8_t status[2] = {0};
    unsigned endpoint = setup->index & 15;

    switch (setup->request_type & 0x1f) {
    case 0:
        status[0] = (uint8_t)((config[CONFIG_ATTRIBUTES] & ATTRIBUTE_SELF ? 1 : 0) |
                              (dev->remote_wakeup ? 2 : 0));
        break;
    case 2:
        status[0] = (setup->index & USB_DIR_IN ? dev->halted_in : dev->halted) >> endpoint & 1;
        break;
    }
    return reply(status, sizeof(status), setup, data);
}

static int set_feature(USBDevice *dev, const USBSetup *setup, bool on)
{
    unsigned recipient = setup->request_type & 0x1f;

    if (recipient == 0 && setup->value == FEATURE_REMOTE_WAKEUP) {
        dev->remote_wakeup = on;
        return 0;
    }
    if (recipient == 2 && setup->value == FEATURE_ENDPOINT_HALT) {
        usb_endpoint_halt(dev, setup->index & 15, setup->index & USB_DIR_IN, on);
        return 0;
    }
    return USB_RET_STALL;
}

static int set_configuration(USBDevice *dev, uint8_t value)
{
    uint16_t length;
    const uint8_t *config = config_of(dev, &length);

    if (value != 0 && value != config[5]) {
        return USB_RET_STALL;
    }
    dev->configuration = value;
    dev->halted = dev->halted_in = 0;
    return 0;
}

int usb_standard_request(USBDevice *dev, const USBSetup *setup, uint8_t *data)
{
    static const uint8_t zero;

    switch (setup->request) {
    case USB_GET_STATUS:
        return get_status(dev, setup, data);
    case USB_CLEAR_FEATURE:
        return set_feature(dev, setup, false);
    case USB_SET_FEATURE:
        return set_feature(dev, setup, true);
    case USB_SET_ADDRESS: /* by the host controller's own command where there is one */
        return 0;
    case USB_GET_DESCRIPTOR:
        return get_descriptor(dev, setup, data);
    case USB_GET_CONFIGURATION:
        return reply(&dev->configuration, 1, setup, data);
    case USB_SET_CONFIGURATION:
        return set_configuration(dev, (uint8_t)setup->value);
    case USB_GET_INTERFACE:
        return reply(&zero, 1, setup, data);
    case USB_SET_INTERFACE: /* there is no alternate setting */
        return setup->value ? USB_RET_STALL : 0;
    default:
        return USB_RET_STALL;
    }
}
