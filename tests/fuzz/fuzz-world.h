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

#define FUZZ_RECORD 16 /* bytes of an operation */
#define FUZZ_STEP   24 /* bytes that a driver's step takes */

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
    GArray *headers;    /* of SavedHeader: of each of these, after the last reset */
    USBDevice *usb;     /* it, if it is one, or NULL */
    Chardev *chr;       /* the other side of its character device, or NULL */
    unsigned drives;
    GPtrArray *kept; /* of Object: owners of these, which hold a reference */
    const FuzzDriver *driver;
    FuzzRing rings[3]; /* the driver's, where it writes next */
};

/* Names of the types that there is something to fuzz of, sorted. */
GPtrArray *fuzz_types(void);
/* NULL and an error: no machine has it or takes it. */
FuzzWorld *fuzz_world_new(const char *type, GError **error);
void fuzz_world_free(FuzzWorld *w);
/* The machine as it was when it was new, as far as a reset makes it so; its memory is cleared. */
void fuzz_world_reset(FuzzWorld *w);
/* The device alone, and what it is reached through.  Much quicker. */
void fuzz_device_reset(FuzzWorld *w);
/* Whether nothing of it was unplugged.  If not, it is good for fuzz_world_free() only. */
bool fuzz_world_intact(FuzzWorld *w);

/* NULL: there is none for it. */
const FuzzDriver *fuzz_driver_for(FuzzWorld *w);
void fuzz_driver_start(FuzzWorld *w);
/* What makes or resets a whole machine is not the input's doing: libFuzzer is not told of it. */
void fuzz_coverage_forget(void);
void fuzz_coverage_pause(void);
void fuzz_coverage_resume(void);

/* What disks were asked for, and what the loop has to do at once. */
void fuzz_settle(FuzzWorld *w);
/* One input: a program of accesses. */
void fuzz_run(FuzzWorld *w, const uint8_t *data, size_t size);

#endif
