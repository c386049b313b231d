/* SPDX-License-Identifier: MIT */
#include "system/memory/owner.h"

_Thread_local char owner_lock_thread;

static const TypeInfo owner_types[] = {
    {.name = TYPE_MEMORY_OWNER,
     .parent = TYPE_INTERFACE,
     .class_size = sizeof(MemoryOwnerClass),
     .abstract = true,
     .doc = "What memory regions belong to"},
};
DEFINE_TYPES(owner_types)
