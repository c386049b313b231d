/* SPDX-License-Identifier: MIT
 *
 * VMware's port: open-vm-tools, lib/include/backdoor_def.h.
 *
 *   5658     with EAX = 564d5868h: ECX, bits 0-15, is a command, EBX its argument
 *            10  version in EAX, the magic number in EBX, the product in ECX
 *            19  UUID of the machine in EAX, EBX, ECX, EDX
 *            20  bytes of memory in EAX
 *            45  frequencies in EAX, EBX and ECX; EBX = -1: they are not said
 *            68  EAX: what vCPUs do (bit 3: x2APIC; bit 31: nothing is known)
 *            others: who has registered them
 *         A write does what a read does.  All else: as if nobody were there.
 */
#include "hw/i386/vmport.h"

#include "accel/accel.h"
#include "hw/i386/x86.h"
#include "hw/smbios/smbios.h"
#include "target/i386/cpu.h"

#define VMPORT_IO    0x5658
#define VMPORT_MAGIC 0x564d5868u
#define UNKNOWN      UINT32_MAX
#define FEAT_X2APIC  X86_FEATURE(FEAT_1_ECX, 21)

#define GET_VERSION   10
#define GET_UUID      19
#define GET_RAM_SIZE  20
#define GET_HZ        45
#define GET_VCPU_INFO 68

#define RAM_SIZE_ANSWER 0x1177 /* in EBX */
#define VCPU_X2APIC     0x08u

struct VMPort {
    ISADevice parent_obj;
    MemoryRegion io;
    MachineState *machine;
    uint32_t version;
    uint8_t product;
    struct {
        VMPortCommand func;
        void *opaque;
    } commands[VMPORT_COMMANDS];
};

/* ---- commands ------------------------------------------------------------------------ */

void vmport_register(VMPort *s, unsigned command, VMPortCommand func, void *opaque)
{
    g_assert(command < VMPORT_COMMANDS && (!func || !s->commands[command].func));
    s->commands[command].func = func;
    s->commands[command].opaque = opaque;
}

static bool get_version(void *opaque, VMPortRegs *r)
{
    VMPort *s = opaque;

    r->ax = s->version;
    r->bx = VMPORT_MAGIC;
    r->cx = s->product;
    return true;
}

/* As SMBIOS has it; a text that is none was refused by the board. */
static bool get_uuid(void *opaque, VMPortRegs *r)
{
    VMPort *s = opaque;
    uint8_t uuid[16] = {0};
    uint32_t *words[] = {&r->ax, &r->bx, &r->cx, &r->dx};

    if (s->machine->uuid && !smbios_parse_uuid(s->machine->uuid, uuid)) {
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        memcpy(words[i], uuid + 4 * i, 4);
    }
    return true;
}

static bool get_ram_size(void *opaque, VMPortRegs *r)
{
    VMPort *s = opaque;

    r->ax = (uint32_t)MIN(s->machine->ram_size, UINT32_MAX);
    r->bx = RAM_SIZE_ANSWER;
    return true;
}

static bool get_hz(void *opaque, VMPortRegs *r)
{
    r->bx = UINT32_MAX;
    return true;
}

static bool get_vcpu_info(void *opaque, VMPortRegs *r)
{
    bool x2apic = current_cpu && x86_cpuid_has(&X86_CPU(current_cpu)->cpuid, FEAT_X2APIC);

    r->ax = x2apic ? VCPU_X2APIC : 0;
    return true;
}

void vmport_call(VMPort *s, VMPortRegs *r)
{
    unsigned command = r->cx & 0xffff;

    if (r->ax != VMPORT_MAGIC || command >= VMPORT_COMMANDS || !s->commands[command].func ||
        !s->commands[command].func(s->commands[command].opaque, r)) {
        r->ax = UNKNOWN;
    }
}

/* ---- the port ------------------------------------------------------------------------ */

static void put_changed(CPUX86State *env, unsigned reg, uint32_t value)
{
    if ((uint32_t)env->regs[reg] != value) {
        env->regs[reg] = value;
    }
}

/* EAX too, whatever the width of the access: KVM takes registers that were set for the truth. */
static uint64_t vmport_read(void *opaque, hwaddr addr, unsigned size)
{
    CPUX86State *env;
    VMPortRegs r;

    if (!current_cpu || addr) {
        return UINT64_MAX;
    }
    cpu_synchronize_state(current_cpu);
    env = &X86_CPU(current_cpu)->env;
    r = (VMPortRegs){(uint32_t)env->regs[R_EAX], (uint32_t)env->regs[R_EBX],
                     (uint32_t)env->regs[R_ECX], (uint32_t)env->regs[R_EDX],
                     (uint32_t)env->regs[R_ESI], (uint32_t)env->regs[R_EDI]};
    vmport_call(opaque, &r);
    put_changed(env, R_EAX, r.ax);
    put_changed(env, R_EBX, r.bx);
    put_changed(env, R_ECX, r.cx);
    put_changed(env, R_EDX, r.dx);
    put_changed(env, R_ESI, r.si);
    put_changed(env, R_EDI, r.di);
    return r.ax;
}

static void vmport_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    vmport_read(opaque, addr, size);
}

/* Commands reach for what the main thread does at a display. */
static const MemoryRegionOps vmport_ops = {
    .read = vmport_read,
    .write = vmport_write,
    .lock = MR_LOCK_BIG,
    .impl = {1, 4},
};

/* ---- device -------------------------------------------------------------------------- */

static bool vmport_realize(DeviceState *dev, GError **error)
{
    VMPort *s = VMPORT(dev);

    s->machine = qdev_get_machine(dev);
    memset(s->commands, 0, sizeof(s->commands));
    vmport_register(s, GET_VERSION, get_version, s);
    vmport_register(s, GET_UUID, get_uuid, s);
    vmport_register(s, GET_RAM_SIZE, get_ram_size, s);
    vmport_register(s, GET_HZ, get_hz, s);
    vmport_register(s, GET_VCPU_INFO, get_vcpu_info, s);
    memory_region_init_io(&s->io, OBJECT(s), &vmport_ops, s, TYPE_VMPORT, 4);
    isa_register_ioport(&s->parent_obj, &s->io, VMPORT_IO);
    return true;
}

bool vmport_create(ISABus *bus, ISADevice *i8042, GError **error)
{
    ISADevice *port = isa_create_simple(bus, TYPE_VMPORT, error), *mouse;

    if (!port || !i8042) {
        return port;
    }
    mouse = isa_new(TYPE_VMMOUSE, error);
    return mouse && object_property_set_link(OBJECT(mouse), "i8042", OBJECT(i8042), error) &&
           object_property_set_link(OBJECT(mouse), "vmport", OBJECT(port), error) &&
           isa_realize_and_unref(mouse, bus, error);
}

static const Property vmport_properties[] = {
    DEFINE_PROP_UINT32("vmware-vmx-version", VMPort, version, 6, "what command 10 says in EAX"),
    DEFINE_PROP_UINT8("vmware-vmx-type", VMPort, product, 2, "and in ECX: 2 is a server"),
    DEFINE_PROP_END,
};

static void vmport_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = vmport_realize;
    dc->user_creatable = false;
}

static const TypeInfo vmport_types[] = {
    {.name = TYPE_VMPORT,
     .parent = TYPE_ISA_DEVICE,
     .instance_size = sizeof(VMPort),
     .class_init = vmport_class_init,
     .properties = vmport_properties,
     .doc = "VMware's port, through which a guest asks the machine"},
};
DEFINE_TYPES(vmport_types)
