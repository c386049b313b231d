/* SPDX-License-Identifier: MIT
 *
 * Interrupt controllers in the kernel (KVM API, 4.24 to 4.27, 4.52, 4.71, 4.75).
 *
 *   on     8259 pair, I/O APIC and local APICs in the kernel (and the 8254 when asked):
 *          the board's GSIs lead there, and its own controllers see no line and no access
 *   split  local APICs in the kernel; the board's I/O APIC and MSIs send them messages,
 *          its 8259 pair goes in through KVM_INTERRUPT
 *   off    all of it ours
 */
#include "accel/kvm/kvm-internal.h"

#include <string.h>
#include "hw/intc/ioapic.h"
#include "system/log.h"

#define PIC_CASCADE 2

/* ---- routing ------------------------------------------------------------------------------ */

static bool routes_commit(KVMState *s, GError **error)
{
    size_t n = s->routes->len;
    g_autofree struct kvm_irq_routing *table =
        g_malloc0(sizeof(*table) + n * sizeof(struct kvm_irq_routing_entry));
    int ret;

    table->nr = n;
    memcpy(table->entries, s->routes->data, n * sizeof(struct kvm_irq_routing_entry));
    ret = kvm_ioctl(s->vm_fd, KVM_SET_GSI_ROUTING, table);
    if (ret < 0) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "KVM_SET_GSI_ROUTING: %s",
                    g_strerror(-ret));
    }
    return ret >= 0;
}

static void route_add_pin(KVMState *s, unsigned gsi, unsigned chip, unsigned pin)
{
    struct kvm_irq_routing_entry entry = {
        .gsi = gsi,
        .type = KVM_IRQ_ROUTING_IRQCHIP,
        .u.irqchip = {chip, pin},
    };

    g_array_append_val(s->routes, entry);
}

static struct kvm_irq_routing_entry msi_entry(unsigned gsi, uint64_t address, uint32_t data)
{
    return (struct kvm_irq_routing_entry){
        .gsi = gsi,
        .type = KVM_IRQ_ROUTING_MSI,
        .u.msi = {address, address >> 32, data, {0}},
    };
}

/* As the board's own lines go: GSI 0 is pin 2 of the I/O APIC, which an HPET may drive as GSI 2. */
static void routes_of_board(KVMState *s)
{
    for (unsigned i = 0; i < KVM_NR_GSI; i++) {
        if (i < 16 && i != PIC_CASCADE) {
            route_add_pin(s, i, i < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE, i & 7);
        }
        route_add_pin(s, i, KVM_IRQCHIP_IOAPIC, i ? i : 2);
    }
}

static struct kvm_irq_routing_entry *route_find(KVMState *s, unsigned gsi)
{
    for (guint i = 0; i < s->routes->len; i++) {
        struct kvm_irq_routing_entry *e =
            &g_array_index(s->routes, struct kvm_irq_routing_entry, i);
        if (e->gsi == gsi) {
            return e;
        }
    }
    return NULL;
}

static int msi_gsi_take(KVMState *s)
{
    int limit = kvm_check_extension(s, KVM_CAP_IRQ_ROUTING);

    for (int gsi = KVM_NR_GSI; gsi < limit; gsi++) {
        if (g_hash_table_add(s->msi_gsis, GINT_TO_POINTER(gsi))) {
            return gsi;
        }
    }
    return -1;
}

int kvm_msi_route_add(KVMState *s, uint64_t address, uint32_t data, GError **error)
{
    int gsi = -1;

    g_mutex_lock(&s->route_lock);
    if (s->irqchip == KVM_IRQCHIP_OFF || (gsi = msi_gsi_take(s)) < 0) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE,
                    "no MSI route is to be had from KVM (kernel-irqchip=%s)",
                    s->irqchip == KVM_IRQCHIP_OFF ? "off" : "on, and all are in use");
    } else {
        struct kvm_irq_routing_entry entry = msi_entry(gsi, address, data);
        g_array_append_val(s->routes, entry);
        if (!routes_commit(s, error)) {
            g_array_set_size(s->routes, s->routes->len - 1);
            g_hash_table_remove(s->msi_gsis, GINT_TO_POINTER(gsi));
            gsi = -1;
        }
    }
    g_mutex_unlock(&s->route_lock);
    return gsi;
}

bool kvm_msi_route_update(KVMState *s, int gsi, uint64_t address, uint32_t data, GError **error)
{
    bool ok = false;

    g_mutex_lock(&s->route_lock);
    struct kvm_irq_routing_entry *entry = route_find(s, gsi);
    if (entry) {
        *entry = msi_entry(gsi, address, data);
        ok = routes_commit(s, error);
    } else {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_VALUE, "KVM has no route for GSI %d", gsi);
    }
    g_mutex_unlock(&s->route_lock);
    return ok;
}

void kvm_msi_route_del(KVMState *s, int gsi)
{
    g_mutex_lock(&s->route_lock);
    for (guint i = 0; i < s->routes->len; i++) {
        if (g_array_index(s->routes, struct kvm_irq_routing_entry, i).gsi == (uint32_t)gsi) {
            g_array_remove_index(s->routes, i);
            break;
        }
    }
    g_hash_table_remove(s->msi_gsis, GINT_TO_POINTER(gsi));
    routes_commit(s, NULL);
    g_mutex_unlock(&s->route_lock);
}

/* ---- irqfd ---------------------------------------------------------------------------------- */

static int irqfd_set(KVMState *s, uint32_t flags, int gsi, int fd, int resample_fd)
{
    struct kvm_irqfd request = {.fd = fd, .gsi = gsi, .flags = flags};

    if (resample_fd >= 0) {
        request.flags |= KVM_IRQFD_FLAG_RESAMPLE;
        request.resamplefd = resample_fd;
    }
    return kvm_ioctl(s->vm_fd, KVM_IRQFD, &request);
}

bool kvm_irqfd_add(KVMState *s, int gsi, int fd, int resample_fd, GError **error)
{
    int ret = s->irqchip == KVM_IRQCHIP_OFF ? -ENOSYS : irqfd_set(s, 0, gsi, fd, resample_fd);

    if (ret < 0) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "irqfd for GSI %d: %s", gsi,
                    g_strerror(-ret));
    }
    return ret >= 0;
}

void kvm_irqfd_del(KVMState *s, int gsi, int fd)
{
    irqfd_set(s, KVM_IRQFD_FLAG_DEASSIGN, gsi, fd, -1);
}

/* ---- creation -------------------------------------------------------------------------------- */

static bool create_fail(GError **error, const char *what, int ret)
{
    g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_STATE, "%s: %s", what, g_strerror(-ret));
    return false;
}

static bool create_pit(KVMState *s, GError **error)
{
    int ret = kvm_pit_create(s, &s->reset.pit);

    return ret >= 0 || create_fail(error, "KVM_CREATE_PIT2", ret);
}

static bool create_full(KVMState *s, GError **error)
{
    int ret = kvm_ioctl_value(s->vm_fd, KVM_CREATE_IRQCHIP, 0);

    if (ret < 0) {
        return create_fail(error, "KVM_CREATE_IRQCHIP", ret);
    }
    if (s->kernel_pit && !create_pit(s, error)) {
        return false;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(s->reset.chip); i++) {
        s->reset.chip[i].chip_id = i;
        ret = kvm_ioctl(s->vm_fd, KVM_GET_IRQCHIP, &s->reset.chip[i]);
        if (ret < 0) {
            return create_fail(error, "KVM_GET_IRQCHIP", ret);
        }
    }
    routes_of_board(s);
    return routes_commit(s, error);
}

static bool create_split(KVMState *s, GError **error)
{
    struct kvm_enable_cap cap = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {KVM_NR_GSI}};
    int ret = kvm_ioctl(s->vm_fd, KVM_ENABLE_CAP, &cap);

    return ret >= 0 || create_fail(error, "KVM_CAP_SPLIT_IRQCHIP", ret);
}

bool kvm_irqchip_create(KVMState *s, GError **error)
{
    g_mutex_init(&s->route_lock);
    s->routes = g_array_new(FALSE, TRUE, sizeof(struct kvm_irq_routing_entry));
    s->msi_gsis = g_hash_table_new(NULL, NULL);
    switch (s->irqchip) {
    case KVM_IRQCHIP_ON:
        return create_full(s, error);
    case KVM_IRQCHIP_SPLIT:
        return create_split(s, error);
    default:
        return true;
    }
}

/* ---- the board's lines and messages ----------------------------------------------------------- */

static void kvm_set_gsi(void *opaque, int n, int level)
{
    KVMState *s = opaque;
    struct kvm_irq_level line = {.irq = n, .level = level};

    /* GSI 0 is the 8254's; two of them would hold the line against each other. */
    if (n == 0 && s->kernel_pit) {
        return;
    }
    kvm_ioctl(s->vm_fd, KVM_IRQ_LINE, &line);
}

static void kvm_send_msi(void *opaque, uint64_t address, uint32_t data)
{
    KVMState *s = opaque;
    struct kvm_msi msi = {.address_lo = address, .address_hi = address >> 32, .data = data};

    kvm_ioctl(s->vm_fd, KVM_SIGNAL_MSI, &msi);
}

static void take_lines(KVMState *s, MachineState *machine)
{
    for (int i = 0; i < MIN(machine->nr_gsi, KVM_NR_GSI); i++) {
        IRQ line = machine->gsi[i];
        line->handler = kvm_set_gsi;
        line->opaque = s;
        line->n = i;
    }
}

/*
 * The kernel must know which vectors the board's I/O APIC has level-triggered, to tell
 * us of their ends; routes of the pins say so.
 */
static void ioapic_route_changed(void *opaque, int pin, uint64_t address, uint32_t data,
                                 bool masked)
{
    KVMState *s = opaque;
    struct kvm_irq_routing_entry entry = msi_entry(pin, address, data);

    g_mutex_lock(&s->route_lock);
    struct kvm_irq_routing_entry *old = route_find(s, pin);
    if (old) {
        *old = entry;
    } else {
        g_array_append_val(s->routes, entry);
    }
    routes_commit(s, NULL);
    g_mutex_unlock(&s->route_lock);
}

static bool take_ioapic(Object *child, const char *name, void *opaque)
{
    if (object_dynamic_cast(child, TYPE_IOAPIC)) {
        ioapic_set_route_handler(IOAPIC(child), ioapic_route_changed, opaque);
    }
    return false;
}

bool kvm_irqchip_take_board(KVMState *s, GError **error)
{
    MachineState *machine = ACCEL(s)->machine;

    if (s->irqchip == KVM_IRQCHIP_OFF) {
        return true;
    }
    s->apic_bus = apic_bus_get(machine);
    apic_bus_set_sink(s->apic_bus, kvm_send_msi, s);
    if (s->irqchip == KVM_IRQCHIP_ON) {
        take_lines(s, machine);
    } else {
        object_child_foreach_recursive(OBJECT(machine), take_ioapic, s);
    }
    return true;
}

void kvm_irqchip_reset(KVMState *s)
{
    if (s->irqchip != KVM_IRQCHIP_ON) {
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(s->reset.chip); i++) {
        kvm_ioctl(s->vm_fd, KVM_SET_IRQCHIP, &s->reset.chip[i]);
    }
    if (s->kernel_pit) {
        kvm_ioctl(s->vm_fd, KVM_SET_PIT2, &s->reset.pit);
    }
}
