/* SPDX-License-Identifier: MIT
 *
 * A machine with a device to be fuzzed, known only by what the type registry says of it.
 */
#ifndef TESTS_FUZZ_FUZZ_WORLD_H
#define TESTS_FUZZ_FUZZ_WORLD_H

#include "hw/core/machine.h"
#include "hw/pci/pci.h"
#include "hw/usb/usb.h"

#define FUZZ_RAM (16ull << 20)
/* Where values that look like addresses point: fuzzed DMA finds fuzzed bytes there. */
#define FUZZ_DMA_BASE 0x100000u
#define FUZZ_DMA_SIZE 0x10000u

#define FUZZ_STEP 24 /* bytes that a driver's step takes */

typedef struct FuzzWorld FuzzWorld;

typedef struct FuzzDriver {
    const char *type;
    void (*start)(FuzzWorld *w); /* as a driver leaves it */
    void (*step)(FuzzWorld *w,
                 const uint8_t *in); /* one command with FUZZ_STEP bytes of the input */
} FuzzDriver;

typedef struct FuzzRing {
    unsigned at; /* bytes */
    bool flipped;
} FuzzRing;

struct FuzzWorld {
    MachineState *machine;
    DeviceState *dev;
    GPtrArray *regions; /* of MemoryRegion with callbacks: the device's own, or its controller's */
    GPtrArray *pci;     /* of PCIDevice: it, if it is one, what is below it, or its controller */
    USBDevice *usb;     /* it, if it is one, or NULL */
    Chardev *chr;       /* the other side of its character device, or NULL */
    unsigned drives;
    const FuzzDriver *driver;
    FuzzRing rings[3]; /* the driver's, where it writes next */
};

/* Names of the types that there is something to fuzz of, sorted. */
GPtrArray *fuzz_types(void);
/* NULL and an error: no machine has it or takes it. */
FuzzWorld *fuzz_world_new(const char *type, GError **error);
void fuzz_world_free(FuzzWorld *w);

/* NULL: there is none for it. */
const FuzzDriver *fuzz_driver_for(FuzzWorld *w);
void fuzz_driver_start(FuzzWorld *w);
/* As firmware and a driver leave it: decoding and mastering the bus. */
void fuzz_enable_pci(FuzzWorld *w);

/* One input: a program of accesses. */
void fuzz_run(FuzzWorld *w, const uint8_t *data, size_t size);

#endif
