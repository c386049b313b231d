/* SPDX-License-Identifier: MIT
 *
 * Readers of flat views, and what is freed after them.
 */
#include <stdlib.h>
#define _LGPL_SOURCE /* the MIT licence is compatible: short functions inline */
#include <urcu.h>

#include "system/memory/memory-internal.h"

#ifdef __SANITIZE_THREAD__
char rcu_order;
#endif

void memory_read_lock(void)
{
    rcu_read_lock();
}

void memory_read_unlock(void)
{
    rcu_happens_before();
    rcu_read_unlock();
}

static _Thread_local unsigned registered;

void vmm_thread_register(void)
{
    if (registered++ == 0) {
        rcu_register_thread();
    }
}

void vmm_thread_unregister(void)
{
    g_assert(registered);
    if (--registered == 0) {
        rcu_unregister_thread();
    }
}

typedef struct DeferredCall {
    struct rcu_head head;
    void (*func)(void *data);
    void *data;
} DeferredCall;

static void run_deferred(struct rcu_head *head)
{
    DeferredCall *call = (DeferredCall *)((char *)head - offsetof(DeferredCall, head));

    rcu_happens_after();
    call->func(call->data);
    g_free(call);
}

void vmm_call_rcu(void (*func)(void *data), void *data)
{
    DeferredCall *call = g_new0(DeferredCall, 1);

    call->func = func;
    call->data = data;
    rcu_happens_before();
    call_rcu(&call->head, run_deferred);
}

static void object_free_deferred(void *alloc)
{
    vmm_call_rcu(free, alloc);
}

/* The thread that runs main() is a reader from the start. */
static void __attribute__((constructor)) memory_rcu_init(void)
{
    rcu_init();
    vmm_thread_register();
    object_set_free_func(object_free_deferred);
}
