/* SPDX-License-Identifier: MIT
 *
 * Guest memory as KVM sees it: a memory slot for every flat range of RAM or ROM
 * (KVM API, 4.35), an ioeventfd for every registered one (4.59).
 */
#include "accel/kvm/kvm-internal.h"

#include <errno.h>
#include "system/log.h"

#define KVM_PAGE 4096ull

/* ---- slots ------------------------------------------------------------------------------ */

static bool slot_set(KVMMemory *m, guint index, const KVMSlot *slot)
{
    struct kvm_userspace_memory_region region = {
        .slot = index | m->id << 16,
        .flags = slot->flags,
        .guest_phys_addr = slot->gpa,
        .memory_size = slot->size,
        .userspace_addr = (uintptr_t)slot->host,
    };
    int ret = kvm_ioctl(m->state->vm_fd, KVM_SET_USER_MEMORY_REGION, &region);

    if (ret < 0) {
        log_printf("kvm: memory slot %u at %#" G_GINT64_MODIFIER "x, %#" G_GINT64_MODIFIER
                   "x bytes: %s\n",
                   index, slot->gpa, slot->size, g_strerror(-ret));
    }
    return ret >= 0;
}

static guint slot_free_index(KVMMemory *m)
{
    for (guint i = 0; i < m->slots->len; i++) {
        if (!g_array_index(m->slots, KVMSlot, i).size) {
            return i;
        }
    }
    g_array_set_size(m->slots, m->slots->len + 1);
    return m->slots->len - 1;
}

/* Whole pages of the range; what is left over at its ends exits to us as MMIO. */
static bool range_to_slot(KVMState *s, const FlatRange *range, KVMSlot *ret_slot)
{
    uint64_t start = (range->start + KVM_PAGE - 1) & ~(KVM_PAGE - 1);
    uint64_t end = (range->last + 1) & ~(KVM_PAGE - 1);
    bool rom = range->readonly || range->romd;
    void *host;

    if (end <= start || (!memory_region_is_ram(range->mr) && !range->romd)) {
        return false;
    }
    host = flat_range_host(range, start);
    if (!host || ((uintptr_t)host & (KVM_PAGE - 1)) || (rom && !s->has_readonly_mem)) {
        return false;
    }
    *ret_slot = (KVMSlot){start, end - start, host, rom ? KVM_MEM_READONLY : 0};
    if (atomic_load(&range->mr->ram_block->logged)) {
        ret_slot->flags |= KVM_MEM_LOG_DIRTY_PAGES;
    }
    return true;
}

static KVMMemory *memory_of(MemoryListener *l)
{
    return (KVMMemory *)((char *)l - offsetof(KVMMemory, listener));
}

static KVMState *memory_state(MemoryListener *l)
{
    return memory_of(l)->state;
}

static void coalesced_add(KVMState *s, const FlatRange *range)
{
    struct kvm_coalesced_mmio_zone zone = {.addr = range->start,
                                           .size = range->last - range->start + 1};

    if (range->mr->coalesced && s->has_coalesced_mmio &&
        kvm_ioctl(s->vm_fd, KVM_REGISTER_COALESCED_MMIO, &zone) >= 0) {
        g_array_append_val(s->coalesced_zones, zone);
    }
}

static void coalesced_del(KVMState *s, const FlatRange *range)
{
    for (guint i = 0; i < s->coalesced_zones->len; i++) {
        struct kvm_coalesced_mmio_zone zone =
            g_array_index(s->coalesced_zones, struct kvm_coalesced_mmio_zone, i);
        if (zone.addr == range->start) {
            kvm_ioctl(s->vm_fd, KVM_UNREGISTER_COALESCED_MMIO, &zone);
            g_array_remove_index_fast(s->coalesced_zones, i);
            return;
        }
    }
}

static void memory_region_added(MemoryListener *l, const FlatRange *range)
{
    KVMMemory *m = memory_of(l);
    KVMState *s = m->state;
    KVMSlot slot;

    if (!m->id) {
        coalesced_add(s, range);
    }
    if (!range_to_slot(s, range, &slot)) {
        return;
    }
    g_mutex_lock(&s->slot_lock);
    guint index = slot_free_index(m);
    if (slot_set(m, index, &slot)) {
        g_array_index(m->slots, KVMSlot, index) = slot;
    }
    g_mutex_unlock(&s->slot_lock);
}

/* What KVM has logged goes with the slot. */
static void slot_forget_log(const KVMSlot *slot)
{
    size_t offset;
    RAMBlock *block = slot->flags & KVM_MEM_LOG_DIRTY_PAGES
                          ? ram_block_from_host(slot->host, &offset)
                          : NULL;

    if (block) {
        ram_block_set_dirty(block, offset, slot->size);
    }
}

/* The region may be as good as gone itself: only the addresses count. */
static void memory_region_gone(MemoryListener *l, const FlatRange *range)
{
    KVMMemory *m = memory_of(l);
    KVMState *s = m->state;

    if (!m->id) {
        coalesced_del(s, range);
    }
    g_mutex_lock(&s->slot_lock);
    for (guint i = 0; i < m->slots->len; i++) {
        KVMSlot *slot = &g_array_index(m->slots, KVMSlot, i);
        if (slot->size && slot->gpa >= range->start && slot->gpa <= range->last) {
            slot_forget_log(slot);
            slot->size = 0;
            slot_set(m, i, slot);
        }
    }
    g_mutex_unlock(&s->slot_lock);
}

/* ---- the log of written pages (4.8) ------------------------------------------------------ */

static bool slot_of_block(const KVMSlot *slot, const RAMBlock *block)
{
    return slot->size && (uintptr_t)slot->host - (uintptr_t)block->host < block->size;
}

static void memory_log_switched(MemoryListener *l, RAMBlock *block)
{
    KVMMemory *m = memory_of(l);
    uint32_t flag = atomic_load(&block->logged) ? KVM_MEM_LOG_DIRTY_PAGES : 0;

    g_mutex_lock(&m->state->slot_lock);
    for (guint i = 0; i < m->slots->len; i++) {
        KVMSlot *slot = &g_array_index(m->slots, KVMSlot, i);
        if (slot_of_block(slot, block)) {
            slot->flags = (slot->flags & ~KVM_MEM_LOG_DIRTY_PAGES) | flag;
            slot_set(m, i, slot);
        }
    }
    g_mutex_unlock(&m->state->slot_lock);
}

/* KVM gives its bits once, and sees the next write to these pages again. */
static void slot_sync(KVMMemory *m, guint index, const KVMSlot *slot, RAMBlock *block)
{
    size_t pages = slot->size / KVM_PAGE, offset = (size_t)((uint8_t *)slot->host - block->host);
    g_autofree uint64_t *bitmap = g_new0(uint64_t, (pages + 63) / 64);
    struct kvm_dirty_log log = {.slot = index | m->id << 16, .dirty_bitmap = bitmap};

    if (kvm_ioctl(m->state->vm_fd, KVM_GET_DIRTY_LOG, &log) < 0) {
        ram_block_set_dirty(block, offset, slot->size);
        return;
    }
    for (size_t page = 0; page < pages; page++) {
        if (bitmap[page / 64] >> (page & 63) & 1) {
            ram_block_set_dirty(block, offset + page * KVM_PAGE, 1);
        }
    }
}

static void memory_log_sync(MemoryListener *l, RAMBlock *block)
{
    KVMMemory *m = memory_of(l);

    g_mutex_lock(&m->state->slot_lock);
    for (guint i = 0; i < m->slots->len; i++) {
        const KVMSlot *slot = &g_array_index(m->slots, KVMSlot, i);
        if (slot_of_block(slot, block)) {
            slot_sync(m, i, slot, block);
        }
    }
    g_mutex_unlock(&m->state->slot_lock);
}

/* ---- ioeventfds --------------------------------------------------------------------------- */

/* A listener's own; the memory core gives all of them anew after each change. */
static void ioeventfds_forget(KVMState *s, GArray *set)
{
    for (guint i = 0; i < set->len; i++) {
        struct kvm_ioeventfd *e = &g_array_index(set, struct kvm_ioeventfd, i);
        e->flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
        kvm_ioctl(s->vm_fd, KVM_IOEVENTFD, e);
    }
    g_array_set_size(set, 0);
}

static void ioeventfd_add(KVMState *s, GArray *set, struct kvm_ioeventfd e)
{
    int ret = s->has_ioeventfd ? kvm_ioctl(s->vm_fd, KVM_IOEVENTFD, &e) : -ENOSYS;

    if (ret >= 0) {
        g_array_append_val(set, e);
        return;
    }
    /* Not fatal: the write then exits, and the memory core signals the same fd. */
    log_if(LOG_ACCEL, "kvm: ioeventfd at %#llx: %s\n", e.addr, g_strerror(-ret));
}

static void memory_eventfds_reset(MemoryListener *l)
{
    ioeventfds_forget(memory_state(l), memory_state(l)->memory_eventfds);
}

static void memory_eventfd_add(MemoryListener *l, const FlatRange *range, hwaddr addr,
                               unsigned size, bool match, uint64_t data, int fd)
{
    uint32_t flags = match ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0;

    ioeventfd_add(memory_state(l), memory_state(l)->memory_eventfds,
                  (struct kvm_ioeventfd){.datamatch = match ? data : 0, .addr = addr, .len = size,
                                         .fd = fd, .flags = flags});
}

static KVMState *io_state(MemoryListener *l)
{
    return (KVMState *)((char *)l - offsetof(KVMState, io_listener));
}

static void io_eventfds_reset(MemoryListener *l)
{
    ioeventfds_forget(io_state(l), io_state(l)->io_eventfds);
}

static void io_eventfd_add(MemoryListener *l, const FlatRange *range, hwaddr addr, unsigned size,
                           bool match, uint64_t data, int fd)
{
    uint32_t flags = KVM_IOEVENTFD_FLAG_PIO | (match ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0);

    ioeventfd_add(io_state(l), io_state(l)->io_eventfds,
                  (struct kvm_ioeventfd){.datamatch = match ? data : 0, .addr = addr, .len = size,
                                         .fd = fd, .flags = flags});
}

/* ---- coalesced MMIO (KVM API, 4.116) --------------------------------------------------------- */

/* Writes that did not exit; to be done before anything that did. */
void kvm_flush_coalesced(KVMState *s)
{
    struct kvm_coalesced_mmio_ring *ring = s->coalesced_ring;
    MachineState *machine = ACCEL(s)->machine;

    if (!ring || ring->first == ring->last) {
        return;
    }
    g_mutex_lock(&s->coalesced_lock);
    while (ring->first != ring->last) {
        struct kvm_coalesced_mmio e = ring->coalesced_mmio[ring->first];

        address_space_write(&machine->address_space_memory, e.phys_addr, MEMTXATTRS_NONE, e.data,
                            MIN(e.len, sizeof(e.data)));
        atomic_thread_fence(memory_order_seq_cst);
        ring->first = (ring->first + 1) % s->coalesced_max;
    }
    g_mutex_unlock(&s->coalesced_lock);
}

/* ---- A20 ----------------------------------------------------------------------------------- */

#define MIB           0x100000u
#define A20_PRIORITY  0x800 /* over RAM, and what chipsets have there */

void kvm_memory_init_a20(KVMState *s)
{
    MemoryRegion *memory = ACCEL(s)->machine->system_memory;

    memory_region_init_alias(&s->a20, OBJECT(s), "a20-low", memory, 0, MIB);
    memory_region_set_enabled(&s->a20, false);
    memory_region_add_subregion_overlap(memory, MIB, &s->a20, A20_PRIORITY);
}

void kvm_memory_set_a20(KVMState *s, bool open)
{
    if (s->a20.container) {
        memory_region_set_enabled(&s->a20, !open);
    }
}

/* ---- start and stop ------------------------------------------------------------------------- */

static void memory_init(KVMState *s, KVMMemory *m, unsigned id)
{
    m->state = s;
    m->id = id;
    m->slots = g_array_new(FALSE, TRUE, sizeof(KVMSlot));
    m->listener = (MemoryListener){
        .region_add = memory_region_added,
        .region_del = memory_region_gone,
        .log_switched = memory_log_switched,
        .log_sync = memory_log_sync,
    };
}

static void memory_finish(KVMMemory *m)
{
    memory_listener_unregister(&m->listener);
    g_clear_pointer(&m->slots, g_array_unref);
}

void kvm_memory_start(KVMState *s)
{
    MachineState *machine = ACCEL(s)->machine;

    g_mutex_init(&s->slot_lock);
    g_mutex_init(&s->coalesced_lock);
    s->memory_eventfds = g_array_new(FALSE, TRUE, sizeof(struct kvm_ioeventfd));
    s->coalesced_zones = g_array_new(FALSE, TRUE, sizeof(struct kvm_coalesced_mmio_zone));
    s->io_eventfds = g_array_new(FALSE, TRUE, sizeof(struct kvm_ioeventfd));
    memory_init(s, &s->memory, 0);
    s->memory.listener.eventfds_reset = memory_eventfds_reset;
    s->memory.listener.eventfd_add = memory_eventfd_add;
    s->io_listener = (MemoryListener){
        .eventfds_reset = io_eventfds_reset,
        .eventfd_add = io_eventfd_add,
    };
    memory_listener_register(&s->memory.listener, &machine->address_space_memory);
    memory_listener_register(&s->io_listener, &machine->address_space_io);
    s->listening = true;
}

void kvm_memory_start_smm(KVMState *s)
{
    MachineState *machine = ACCEL(s)->machine;

    if (machine->smram) {
        memory_init(s, &s->smm_memory, 1);
        memory_listener_register(&s->smm_memory.listener, &machine->address_space_smm);
    }
}

void kvm_memory_stop(KVMState *s)
{
    if (s->listening) {
        memory_listener_unregister(&s->io_listener);
        if (s->a20.container) {
            memory_region_del_subregion(s->a20.container, &s->a20);
        }
        memory_finish(&s->smm_memory);
        memory_finish(&s->memory);
        s->listening = false;
        g_array_unref(s->memory_eventfds);
        g_array_unref(s->io_eventfds);
        g_array_unref(s->coalesced_zones);
        g_mutex_clear(&s->coalesced_lock);
        g_mutex_clear(&s->slot_lock);
    }
}
