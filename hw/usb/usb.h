/* SPDX-License-Identifier: MIT
 *
 * USB devices and the buses that host controllers provide.  Universal Serial Bus Specification
 * 2.0, chapters 8 (transactions) and 9 (device framework).
 *
 * Locks: the host controller calls devices with its own device lock held; the functions here take
 * the device's.  A device never calls its host under its lock but by usb_wakeup(), which only
 * leaves a note.
 */
#ifndef HW_USB_USB_H
#define HW_USB_USB_H

#include "hw/core/qdev.h"

#define TYPE_USB_BUS "usb-bus"
OBJECT_DECLARE_SIMPLE(USBBus, USB_BUS, TYPE_USB_BUS)
#define TYPE_USB_DEVICE "usb-device"
OBJECT_DECLARE(USBDevice, USBDeviceClass, USB_DEVICE, TYPE_USB_DEVICE)

typedef enum USBSpeed {
    USB_SPEED_LOW,
    USB_SPEED_FULL,
    USB_SPEED_HIGH,
    USB_SPEED_SUPER,
} USBSpeed;

/* What a transfer comes to, where it is not the number of bytes moved. */
#define USB_RET_NAK   (-1) /* nothing yet: usb_wakeup() will tell */
#define USB_RET_STALL (-2)

#define USB_MAX_CONTROL 4096

/* 9.3; bmRequestType and bRequest in one, as `request`. */
typedef struct USBSetup {
    uint8_t request_type, request;
    uint16_t value, index, length;
} USBSetup;

#define USB_DIR_IN 0x80

enum {
    USB_GET_STATUS = 0,
    USB_CLEAR_FEATURE = 1,
    USB_SET_FEATURE = 3,
    USB_SET_ADDRESS = 5,
    USB_GET_DESCRIPTOR = 6,
    USB_GET_CONFIGURATION = 8,
    USB_SET_CONFIGURATION = 9,
    USB_GET_INTERFACE = 10,
    USB_SET_INTERFACE = 11,
};

enum {
    USB_DT_DEVICE = 1,
    USB_DT_CONFIG = 2,
    USB_DT_STRING = 3,
    USB_DT_INTERFACE = 4,
    USB_DT_ENDPOINT = 5,
    USB_DT_QUALIFIER = 6,
    USB_DT_OTHER_SPEED = 7,
};

/* What a device says of itself: whole descriptors, as the host reads them. */
typedef struct USBDescriptors {
    const uint8_t *device;      /* 18 bytes */
    const uint8_t *config;      /* with all that belongs to it */
    const char *const *strings; /* 1 and on; NULL-terminated */
} USBDescriptors;

struct USBDeviceClass {
    DeviceClass parent_class;
    bool (*realize)(USBDevice *dev, GError **error);
    void (*reset)(USBDevice *dev);
    const USBDescriptors *(*descriptors)(USBDevice *dev);
    /* Requests that are not standard ones of the device.  Bytes of an IN stage, or USB_RET_*. */
    int (*control)(USBDevice *dev, const USBSetup *setup, uint8_t *data);
    /* One transfer of endpoint 1-15: bytes, or USB_RET_*. */
    int (*data)(USBDevice *dev, unsigned endpoint, bool in, uint8_t *buf, size_t len);
};

struct USBDevice {
    DeviceState parent_obj;
    char *port_name; /* property "port" */
    unsigned port;   /* on the bus, from 0; while it is plugged */
    USBSpeed speed;  /* set in realize */
    bool attached;

    uint8_t configuration;
    bool remote_wakeup;
    uint16_t halted; /* endpoints, bit n; bit n + 16 would be IN: see halted_in */
    uint16_t halted_in;
    uint8_t control_data[USB_MAX_CONTROL];
};

/* How a bus reaches its host controller.  Main thread, the big lock; but for wakeup. */
typedef struct USBBusOps {
    void (*attach)(void *opaque, unsigned port);
    void (*detach)(void *opaque, unsigned port);
    /* The device has something to say.  Any thread, under any lock. */
    void (*wakeup)(void *opaque, unsigned port);
} USBBusOps;

struct USBBus {
    BusState parent_obj;
    const USBBusOps *ops;
    void *opaque;
    unsigned nr_ports;
    USBDevice **ports;
};

USBBus *usb_bus_new(DeviceState *host, unsigned nr_ports, const USBBusOps *ops, void *opaque);
/* NULL: nothing there. */
USBDevice *usb_bus_get(USBBus *bus, unsigned port);

/* ---- for host controllers ------------------------------------------------------------------ */

void usb_device_reset(USBDevice *dev);
/* A control transfer; `data` has setup->length bytes and at most USB_MAX_CONTROL. */
int usb_device_control(USBDevice *dev, const USBSetup *setup, uint8_t *data);
int usb_device_data(USBDevice *dev, unsigned endpoint, bool in, uint8_t *buf, size_t len);

/* ---- for devices ---------------------------------------------------------------------------- */

/* An endpoint that answered NAK has data now. */
void usb_wakeup(USBDevice *dev);
void usb_endpoint_halt(USBDevice *dev, unsigned endpoint, bool in, bool halt);

/* usb-desc.c: chapter 9 requests of the device itself.  USB_RET_STALL: unknown. */
int usb_standard_request(USBDevice *dev, const USBSetup *setup, uint8_t *data);

/* Text of `info usb`. */
void usb_machine_print(MachineState *machine, GString *out);

#define DEFINE_USB_STATE_FIELDS(S)                                                                 \
    STATE_FIELD(S, parent_obj.configuration), STATE_FIELD(S, parent_obj.remote_wakeup),            \
        STATE_FIELD(S, parent_obj.halted), STATE_FIELD(S, parent_obj.halted_in)

#endif
