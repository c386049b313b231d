/* SPDX-License-Identifier: MIT
 *
 * iothread objects (I1): an event loop with a thread of its own, to which devices,
 * or single queues of them, are bound by a link property:
 *
 *     DEFINE_PROP_LINK("iothread", Foo, iothread, TYPE_IOTHREAD, "thread that does its I/O")
 *     loop = s->iothread ? iothread_event_loop(s->iothread) : device_event_loop(DEVICE(s));
 *
 * Its callbacks run without the big lock.  The thread ends with the last reference.
 */
#ifndef SYSTEM_IOTHREAD_H
#define SYSTEM_IOTHREAD_H

#include "qom/object.h"
#include "system/loop/event-loop.h"

#define TYPE_IOTHREAD "iothread"
OBJECT_DECLARE_SIMPLE(IOThread, IOTHREAD, TYPE_IOTHREAD)

/* Valid once the object is complete. */
EventLoop *iothread_event_loop(IOThread *iothread);

#endif
