/* SPDX-License-Identifier: MIT
 *
 * The 8254 in the kernel (KVM API, 4.71, 4.102): type "kvm-pit" is what is to be said about it.  The board's
 * own, which is there unless kernel-pit=on, always gives ticks that were lost later.
 */
#include "accel/kvm/kvm-internal.h"

#include "hw/core/qdev.h"

#define TYPE_KVM_PIT "kvm-pit"
OBJECT_DECLARE_SIMPLE(KVMPit, KVM_PIT, TYPE_KVM_PIT)

enum PitTicks { PIT_TICKS_DISCARD, PIT_TICKS_DELAY };
static const EnumInfo pit_ticks_enum = {
    "PitLostTickPolicy", (const char *const[]){"discard", "delay", NULL}
};

struct KVMPit {
    DeviceState parent_obj;
    int tick_policy;
};

int kvm_pit_create(KVMState *s, struct kvm_pit_state2 *ret_reset)
{
    struct kvm_pit_config config = {.flags = KVM_PIT_SPEAKER_DUMMY};
    g_autoptr(Object) settings = OBJECT(qdev_new(TYPE_KVM_PIT, NULL));
    struct kvm_reinject_control control = {
        .pit_reinject = KVM_PIT(settings)->tick_policy == PIT_TICKS_DELAY,
    };
    int ret = kvm_ioctl(s->vm_fd, KVM_CREATE_PIT2, &config);

    if (ret >= 0) {
        ret = kvm_ioctl(s->vm_fd, KVM_REINJECT_CONTROL, &control);
    }
    return ret >= 0 ? kvm_ioctl(s->vm_fd, KVM_GET_PIT2, ret_reset) : ret;
}

static const Property pit_properties[] = {
    DEFINE_PROP_ENUM("lost_tick_policy", KVMPit, tick_policy, &pit_ticks_enum, PIT_TICKS_DELAY,
                     "ticks that the guest was too late for: dropped, or given later"),
    DEFINE_PROP_END,
};

static void pit_class_init(ObjectClass *klass, const void *data)
{
    DEVICE_CLASS(klass)->user_creatable = false;
}

static const TypeInfo pit_types[] = {
    {.name = TYPE_KVM_PIT,
     .parent = TYPE_DEVICE,
     .instance_size = sizeof(KVMPit),
     .class_init = pit_class_init,
     .properties = pit_properties,
     .doc = "settings of the 8254 in the kernel (kernel-pit=on)"},
};
DEFINE_TYPES(pit_types)
