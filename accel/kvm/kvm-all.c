/* SPDX-License-Identifier: MIT
 *
 * The KVM accelerator (request T2, M8): /dev/kvm, the VM, what the kernel must have.
 */
#include "accel/kvm/kvm-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "system/log.h"

/* Below the firmware's 256 KiB, where no board has RAM (KVM API, 4.37 and 4.40). */
#define KVM_IDENTITY_ADDR 0xfffbc000ull
#define KVM_TSS_ADDR      0xfffbd000ull

int kvm_ioctl(int fd, unsigned long request, void *arg)
{
    int ret;

    do {
        ret = ioctl(fd, request, arg);
    } while (ret < 0 && errno == EINTR);
    return ret < 0 ? -errno : ret;
}

int kvm_ioctl_value(int fd, unsigned long request, unsigned long value)
{
    return kvm_ioctl(fd, request, (void *)value);
}

int kvm_check_extension(const KVMState *s, int capability)
{
    int ret = kvm_ioctl_value(s->vm_fd >= 0 ? s->vm_fd : s->fd, KVM_CHECK_EXTENSION, capability);

    return MAX(ret, 0);
}

KVMState *kvm_state_of(MachineState *machine)
{
    Object *accel = OBJECT(machine->accelerator);

    return accel && object_dynamic_cast(accel, TYPE_KVM_ACCEL) ? KVM_STATE(accel) : NULL;
}

/* ---- kvm_init ----------------------------------------------------------------------------- */

static const struct {
    int capability;
    const char *name;
} required[] = {
    {KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"},
    {KVM_CAP_DESTROY_MEMORY_REGION_WORKS, "KVM_CAP_DESTROY_MEMORY_REGION_WORKS"},
    {KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR"},
    {KVM_CAP_SET_IDENTITY_MAP_ADDR, "KVM_CAP_SET_IDENTITY_MAP_ADDR"},
    {KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID"},
    {KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE"},
    {KVM_CAP_VCPU_EVENTS, "KVM_CAP_VCPU_EVENTS"},
    {KVM_CAP_XSAVE, "KVM_CAP_XSAVE"},
    {KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT"},
};

static const struct {
    int irqchip, capability;
    const char *name;
} irqchip_required[] = {
    {KVM_IRQCHIP_ON, KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP"},
    {KVM_IRQCHIP_ON, KVM_CAP_IRQ_ROUTING, "KVM_CAP_IRQ_ROUTING"},
    {KVM_IRQCHIP_ON, KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI"},
    {KVM_IRQCHIP_SPLIT, KVM_CAP_SPLIT_IRQCHIP, "KVM_CAP_SPLIT_IRQCHIP"},
    {KVM_IRQCHIP_SPLIT, KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI"},
};

static bool check_capabilities(KVMState *s, GError **error)
{
    g_autoptr(GString) missing = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(required); i++) {
        if (!kvm_check_extension(s, required[i].capability)) {
            g_string_append_printf(missing, " %s", required[i].name);
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(irqchip_required); i++) {
        if (irqchip_required[i].irqchip == s->irqchip &&
            !kvm_check_extension(s, irqchip_required[i].capability)) {
            g_string_append_printf(missing, " %s", irqchip_required[i].name);
        }
    }
    if (missing->len) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "this host's KVM lacks%s",
                    missing->str);
        return false;
    }
    return true;
}

static bool open_device(KVMState *s, GError **error)
{
    int version;

    s->fd = open(s->device, O_RDWR | O_CLOEXEC);
    if (s->fd < 0) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "%s: %s", s->device,
                    g_strerror(errno));
        return false;
    }
    version = kvm_ioctl_value(s->fd, KVM_GET_API_VERSION, 0);
    if (version != KVM_API_VERSION) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "%s: KVM API version %d; %d is expected", s->device, version,
                    KVM_API_VERSION);
        return false;
    }
    return true;
}

static bool vm_setup(KVMState *s, GError **error)
{
    uint64_t identity = KVM_IDENTITY_ADDR;
    int ret = kvm_ioctl(s->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);

    if (ret >= 0) {
        ret = kvm_ioctl_value(s->vm_fd, KVM_SET_TSS_ADDR, KVM_TSS_ADDR);
    }
    if (ret < 0) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "KVM_SET_IDENTITY_MAP_ADDR, KVM_SET_TSS_ADDR: %s", g_strerror(-ret));
        return false;
    }
    s->has_readonly_mem = kvm_check_extension(s, KVM_CAP_READONLY_MEM);
    s->has_ioeventfd = kvm_check_extension(s, KVM_CAP_IOEVENTFD);
    s->has_tsc_deadline = kvm_check_extension(s, KVM_CAP_TSC_DEADLINE_TIMER);
    s->has_xcrs = kvm_check_extension(s, KVM_CAP_XCRS);
    s->has_debugregs = kvm_check_extension(s, KVM_CAP_DEBUGREGS);
    s->has_clock = kvm_check_extension(s, KVM_CAP_ADJUST_CLOCK);
    s->has_smm = kvm_check_extension(s, KVM_CAP_X86_SMM) &&
                 kvm_check_extension(s, KVM_CAP_MULTI_ADDRESS_SPACE) > 1;
    s->has_coalesced_mmio = kvm_check_extension(s, KVM_CAP_COALESCED_MMIO);
    s->vcpu_mmap_size = kvm_ioctl_value(s->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    return true;
}

static bool create_vm(KVMState *s, GError **error)
{
    s->vm_fd = kvm_ioctl_value(s->fd, KVM_CREATE_VM, 0);
    if (s->vm_fd < 0) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "KVM_CREATE_VM: %s",
                    g_strerror(-s->vm_fd));
        return false;
    }
    return true;
}

static bool check_cpu_count(KVMState *s, MachineState *machine, GError **error)
{
    uint32_t max = MAX(kvm_check_extension(s, KVM_CAP_MAX_VCPUS), 4);

    if (machine->smp.cpus > max) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE,
                    "-smp %u: this host's KVM takes up to %u", machine->smp.cpus, max);
        return false;
    }
    return true;
}

static bool kvm_init(AccelState *accel, MachineState *machine, GError **error)
{
    KVMState *s = KVM_STATE(accel);

    if (!open_device(s, error) || !create_vm(s, error) || !check_capabilities(s, error) ||
        !check_cpu_count(s, machine, error) || !vm_setup(s, error) ||
        !kvm_cpuid_init(s, error) || !kvm_irqchip_create(s, error)) {
        return false;
    }
    kvm_memory_start(s);
    return true;
}

static bool kvm_setup_post(AccelState *accel, GError **error)
{
    kvm_memory_init_a20(KVM_STATE(accel));
    kvm_memory_start_smm(KVM_STATE(accel));
    return kvm_irqchip_take_board(KVM_STATE(accel), error);
}

static void kvm_set_a20(AccelState *accel, bool open)
{
    kvm_memory_set_a20(KVM_STATE(accel), open);
}

static bool kvm_has_smm(AccelState *accel)
{
    return KVM_STATE(accel)->has_smm;
}

/* ---- type --------------------------------------------------------------------------------- */

static const char *const irqchip_names[] = {
    [KVM_IRQCHIP_OFF] = "off", [KVM_IRQCHIP_ON] = "on", [KVM_IRQCHIP_SPLIT] = "split", NULL};
static const EnumInfo irqchip_enum = {"OnOffSplit", irqchip_names};

static const Property kvm_properties[] = {
    DEFINE_PROP_ENUM("kernel-irqchip", KVMState, irqchip, &irqchip_enum, KVM_IRQCHIP_ON,
                     "interrupt controllers in the kernel: all, the local APICs only, none"),
    DEFINE_PROP_BOOL("kernel-pit", KVMState, kernel_pit, false,
                     "8254 in the kernel too (an HPET can then not replace it)"),
    DEFINE_PROP_STRING("device", KVMState, device, "/dev/kvm", "device node of KVM"),
    DEFINE_PROP_END,
};

static void kvm_accel_instance_init(Object *obj)
{
    KVMState *s = KVM_STATE(obj);

    s->fd = s->vm_fd = -1;
}

static void kvm_accel_finalize(Object *obj)
{
    KVMState *s = KVM_STATE(obj);

    kvm_memory_stop(s);
    for (guint i = 0; s->parked && i < s->parked->len; i++) {
        close(g_array_index(s->parked, KVMParkedVcpu, i).fd);
    }
    g_clear_pointer(&s->parked, g_array_unref);
    g_clear_pointer(&s->routes, g_array_unref);
    g_clear_pointer(&s->msi_gsis, g_hash_table_unref);
    g_clear_pointer(&s->msr_indices, g_array_unref);
    g_free(s->supported_cpuid);
    if (s->vm_fd >= 0) {
        close(s->vm_fd);
    }
    if (s->fd >= 0) {
        close(s->fd);
    }
}

static void kvm_accel_class_init(ObjectClass *klass, const void *data)
{
    AccelClass *ac = ACCEL_CLASS(klass);

    ac->name = "kvm";
    ac->doc = "Linux's KVM: guest code on the CPU itself";
    ac->ops_type = ACCEL_OPS_NAME("kvm");
    ac->init_machine = kvm_init;
    ac->setup_post = kvm_setup_post;
    ac->has_smm = kvm_has_smm;
    ac->set_a20 = kvm_set_a20;
    ac->probe = kvm_probe;
}

static const TypeInfo kvm_accel_type = {
    .name = TYPE_KVM_ACCEL,
    .parent = TYPE_ACCEL,
    .instance_size = sizeof(KVMState),
    .instance_init = kvm_accel_instance_init,
    .instance_finalize = kvm_accel_finalize,
    .class_init = kvm_accel_class_init,
    .properties = kvm_properties,
    .doc = "Linux's KVM",
};

static void kvm_register_types(void)
{
    type_register_static(&kvm_accel_type);
}
type_init(kvm_register_types)
