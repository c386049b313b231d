/* SPDX-License-Identifier: MIT
 *
 * Devices and buses.  Life of a device: new -> properties set -> wired ->
 * realized -> (reset)* -> unrealized -> dead.  Everything a device registers during
 * realize with the functions below (regions, timers, lines, children) is undone in
 * reverse order when it is unrealized, so most devices have no unrealize.
 */
#ifndef HW_CORE_QDEV_H
#define HW_CORE_QDEV_H

#include "hw/core/irq.h"
#include "qom/object.h"
#include "system/loop/event-loop.h"
#include "system/memory/owner.h"

#define TYPE_DEVICE "device"
OBJECT_DECLARE(DeviceState, DeviceClass, DEVICE, TYPE_DEVICE)
#define TYPE_BUS "bus"
OBJECT_DECLARE(BusState, BusClass, BUS, TYPE_BUS)

typedef struct MemoryRegion MemoryRegion;
typedef struct MachineState MachineState;
typedef struct HotplugOps HotplugOps;

typedef enum DeviceCategory {
    DEVICE_CATEGORY_MISC,
    DEVICE_CATEGORY_BRIDGE,
    DEVICE_CATEGORY_USB,
    DEVICE_CATEGORY_STORAGE,
    DEVICE_CATEGORY_NETWORK,
    DEVICE_CATEGORY_INPUT,
    DEVICE_CATEGORY_DISPLAY,
    DEVICE_CATEGORY_SOUND,
    DEVICE_CATEGORY_CPU,
    DEVICE_CATEGORY_COUNT,
} DeviceCategory;

typedef enum ResetType {
    RESET_COLD, /* power on, system reset */
    RESET_BUS,  /* of the bus it sits on */
} ResetType;

/* One field of a device's state, for migration and for the state test. */
typedef struct StateField StateField;

struct DeviceClass {
    ObjectClass parent_class;

    /*
     * Make the device work: check the properties, register regions, take the
     * back ends.  Main thread, big lock held.  Once.  On failure, set *error and return
     * false: what was registered is undone.  Subclasses chain to parent_realize themselves.
     */
    bool (*realize)(DeviceState *dev, GError **error);
    /* Optional: after realize, for base classes that put a device where its properties say. */
    bool (*place)(DeviceState *dev, GError **error);
    /* Optional; before what realize registered is undone. */
    void (*unrealize)(DeviceState *dev);

    /*
     * Reset in three phases over a subtree: enter (own registers only), hold (outputs: lines
     * and side effects on others), exit (start doing things).  vCPUs are stopped, big and
     * device lock held.  Each optional.  Children's and bus children's run before the own.
     */
    void (*reset_enter)(DeviceState *dev, ResetType type);
    void (*reset_hold)(DeviceState *dev);
    void (*reset_exit)(DeviceState *dev);

    const char *alias;    /* another name for -device; NULL: none */
    const char *fw_name;  /* in firmware's paths; NULL: none there */
    const char *bus_type; /* type of bus it plugs into; NULL: none ("sysbus" devices too) */
    bool user_creatable;  /* default true; false: only machines make it */
    bool hotpluggable;    /* default true */
    DeviceCategory category;
    const StateField *state; /* ends with a row whose name is NULL */
};

typedef struct GPIOList GPIOList;

struct DeviceState {
    Object parent_obj;
    char *id; /* of -device, or NULL */
    bool realized;
    bool pending_deleted; /* the guest was asked to let go of it */
    int64_t pending_deleted_until; /* CLOCK_REALTIME_NS when it may be asked again; 0: never */
    bool hotplugged;
    bool realizing;       /* what is registered now is undone by unrealize */
    OwnerLock lock;       /* the device lock */
    BusState *parent_bus; /* NULL: none; holds a reference */
    GSList *child_buses;
    GPtrArray *undo;      /* what to take back, last first */
    GHashTable *gpios;    /* name ("" for unnamed) -> GPIOList */
};

struct BusClass {
    ObjectClass parent_class;
    /* A device is about to be realized on it: give it an address or refuse. Optional. */
    bool (*plug)(BusState *bus, DeviceState *dev, GError **error);
    void (*unplug)(BusState *bus, DeviceState *dev);
    /* Address of a child on the bus, for messages and firmware paths; free it.  Optional. */
    char *(*get_dev_path)(DeviceState *dev);
    char *(*get_fw_dev_path)(DeviceState *dev);
    void (*reset_hold)(BusState *bus);
    int max_dev; /* of every such bus; 0: no limit */
};

struct BusState {
    Object parent_obj;
    DeviceState *parent; /* the device that provides it, or NULL */
    const HotplugOps *hotplug; /* hw/core/hotplug.h; NULL: nothing comes or goes at run time */
    void *hotplug_opaque;
    bool auto_named; /* "TYPE.N" */
    GQueue children;     /* of DeviceState */
    int max_dev;         /* of this bus, below its class's limit; 0: only that */
    int next_index;
};

/* ---- creation -------------------------------------------------------------- */

/* As object_new(), of a type that must be a device. */
DeviceState *qdev_new(const char *type, GError **error);
/*
 * Plug into `bus` (NULL: none) and realize.  The device must have a parent in
 * the tree (else it becomes /machine/unattached/device[N]); the caller keeps its reference.
 */
bool qdev_realize(DeviceState *dev, BusState *bus, GError **error);
/* The same, and drop the caller's reference (the tree has its own). */
bool qdev_realize_and_unref(DeviceState *dev, BusState *bus, GError **error);
void qdev_unrealize(DeviceState *dev);
static inline bool qdev_is_realized(const DeviceState *dev)
{
    return dev->realized;
}

/*
 * New bus below a device (may be NULL); the name must be unique below it ("pci.0").  NULL: the id
 * of the device, or the type in lower case and the next free number.
 */
BusState *qbus_new(const char *type, DeviceState *parent, const char *name);
void qbus_init(void *bus, size_t size, const char *type, DeviceState *parent, const char *name);
BusState *qdev_get_child_bus(DeviceState *dev, const char *name);
static inline BusState *qdev_get_parent_bus(const DeviceState *dev)
{
    return dev->parent_bus;
}
/* A bus anywhere under `root` by name or path ("pci.0", "/machine/..."); NULL and error. */
BusState *qbus_find(Object *root, const char *name, GError **error);
/* A bus of that type with room, for -device without bus=. */
BusState *qbus_find_by_type(Object *root, const char *type);

/* The machine that the device belongs to; aborts if it is in no machine. */
MachineState *qdev_get_machine(const void *dev);

/* ---- what realize registers (all undone by unrealize) ------------------------- */

/* Call fn(opaque) when the device is unrealized, or if realize fails. */
void qdev_on_unrealize(DeviceState *dev, void (*fn)(void *opaque), void *opaque);

/*
 * Timer whose callback has the device lock, in the device's event loop; freed by
 * unrealize.  The clock read is the machine's.
 */
Timer *device_timer_new(DeviceState *dev, ClockType type, void (*cb)(void *opaque), void *opaque);
int64_t device_clock_ns(DeviceState *dev, ClockType type);
EventLoop *device_event_loop(DeviceState *dev);

/* Input lines 0..n-1 (added to those there).  In instance_init or realize. */
void qdev_init_gpio_in(DeviceState *dev, IRQHandler handler, int n);
void qdev_init_gpio_in_named(DeviceState *dev, IRQHandler handler, const char *name, int n);
/* Output lines: `pins` is the device's own array of n IRQ, filled by whoever connects. */
void qdev_init_gpio_out(DeviceState *dev, IRQ *pins, int n);
void qdev_init_gpio_out_named(DeviceState *dev, IRQ *pins, const char *name, int n);
IRQ qdev_get_gpio_in(DeviceState *dev, int n); /* borrowed */
IRQ qdev_get_gpio_in_named(DeviceState *dev, const char *name, int n);
void qdev_connect_gpio_out(DeviceState *dev, int n, IRQ irq);
void qdev_connect_gpio_out_named(DeviceState *dev, const char *name, int n, IRQ irq);
/* Number of lines, for introspection. */
int qdev_count_gpio_in(DeviceState *dev, const char *name);
int qdev_count_gpio_out(DeviceState *dev, const char *name);
/* Put `hook` before the handler of inputs (or outputs) of that name; for the qtest accelerator. */
void qdev_intercept_gpio(DeviceState *dev, const char *name, bool outputs, IRQHandler hook,
                         void *opaque);

/* ---- reset, traversal ------------------------------------------------------- */

/* All three phases over the subtree of devices and buses below obj. */
void device_cold_reset(DeviceState *dev);
void resettable_reset(Object *root, ResetType type);

/* The device lock (recursive). */
static inline void device_lock(DeviceState *dev)
{
    owner_lock(&dev->lock);
}
static inline void device_unlock(DeviceState *dev)
{
    owner_unlock(&dev->lock);
}

/* `id` or the path, for messages; free it. */
char *qdev_get_display_name(DeviceState *dev);

/* ---- state ------------------------------------------------------------------ */

struct StateField {
    const char *name;
    size_t offset, size; /* plain data: size bytes, little-endian words of the host */
};
#define STATE_FIELD(S, f)                                                                          \
    {                                                                                              \
        #f, offsetof(S, f), sizeof(((S *)NULL)->f)                                                 \
    }
#define STATE_END                                                                                  \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

/* ---- system bus: devices that a machine maps itself --------------------------- */

#define TYPE_SYS_BUS_DEVICE "sys-bus-device"
#define SYSBUS_MAX_MMIO 32
#define SYSBUS_MAX_IRQ  64

typedef struct SysBusDevice {
    DeviceState parent_obj;
    int num_mmio, num_irq;
    MemoryRegion *mmio[SYSBUS_MAX_MMIO];
    uint64_t mmio_addr[SYSBUS_MAX_MMIO];
    IRQ *irqp[SYSBUS_MAX_IRQ]; /* where the device keeps each output */
    uint64_t addr; /* property "addr": where -device maps region 0; UINT64_MAX: nowhere */
    int32_t irq;   /* property "irq": GSI for output 0; -1: none */
} SysBusDevice;
#define SYS_BUS_DEVICE(obj) OBJECT_CHECK(SysBusDevice, (obj), TYPE_SYS_BUS_DEVICE)

void sysbus_init_mmio(SysBusDevice *dev, MemoryRegion *mr);
void sysbus_init_irq(SysBusDevice *dev, IRQ *irq);
void sysbus_mmio_map(SysBusDevice *dev, int n, uint64_t addr);
void sysbus_connect_irq(SysBusDevice *dev, int n, IRQ irq);

#endif
