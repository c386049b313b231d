/* SPDX-License-Identifier: MIT
 *
 * GLib's locks made of pthread ones, for builds with ThreadSanitizer only.
 * GLib makes its own of futexes, in a library that is not instrumented, so the
 * sanitizer would see no lock at all.  The program's definitions win over the library's.
 */
#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>

static void *lazily(gpointer *slot, void *(*make)(void), void (*unmake)(void *))
{
    void *made = __atomic_load_n(slot, __ATOMIC_ACQUIRE);

    if (!made) {
        void *fresh = make();
        if (__atomic_compare_exchange_n(slot, &made, fresh, FALSE, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE)) {
            return fresh;
        }
        unmake(fresh);
    }
    return made;
}

static void *new_mutex(int type)
{
    pthread_mutex_t *m = malloc(sizeof(*m));
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, type);
    pthread_mutex_init(m, &attr);
    return m;
}

static void *new_plain(void)
{
    return new_mutex(PTHREAD_MUTEX_NORMAL);
}

static void *new_recursive(void)
{
    return new_mutex(PTHREAD_MUTEX_RECURSIVE);
}

static void free_mutex(void *m)
{
    if (m) {
        pthread_mutex_destroy(m);
        free(m);
    }
}

static void *new_cond(void)
{
    pthread_cond_t *c = malloc(sizeof(*c));
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attr);
    return c;
}

static void free_cond(void *c)
{
    if (c) {
        pthread_cond_destroy(c);
        free(c);
    }
}

static pthread_mutex_t *plain(GMutex *m)
{
    return lazily(&m->p, new_plain, free_mutex);
}

static pthread_mutex_t *recursive(GRecMutex *m)
{
    return lazily(&m->p, new_recursive, free_mutex);
}

static pthread_cond_t *cond(GCond *c)
{
    return lazily(&c->p, new_cond, free_cond);
}

void g_mutex_init(GMutex *mutex)
{
    mutex->p = NULL;
}

void g_mutex_clear(GMutex *mutex)
{
    free_mutex(g_steal_pointer(&mutex->p));
}

void g_mutex_lock(GMutex *mutex)
{
    pthread_mutex_lock(plain(mutex));
}

gboolean g_mutex_trylock(GMutex *mutex)
{
    return !pthread_mutex_trylock(plain(mutex));
}

void g_mutex_unlock(GMutex *mutex)
{
    pthread_mutex_unlock(plain(mutex));
}

void g_rec_mutex_init(GRecMutex *mutex)
{
    mutex->p = NULL;
}

void g_rec_mutex_clear(GRecMutex *mutex)
{
    free_mutex(g_steal_pointer(&mutex->p));
}

void g_rec_mutex_lock(GRecMutex *mutex)
{
    pthread_mutex_lock(recursive(mutex));
}

gboolean g_rec_mutex_trylock(GRecMutex *mutex)
{
    return !pthread_mutex_trylock(recursive(mutex));
}

void g_rec_mutex_unlock(GRecMutex *mutex)
{
    pthread_mutex_unlock(recursive(mutex));
}

void g_cond_init(GCond *c)
{
    c->p = NULL;
}

void g_cond_clear(GCond *c)
{
    free_cond(g_steal_pointer(&c->p));
}

void g_cond_wait(GCond *c, GMutex *mutex)
{
    pthread_cond_wait(cond(c), plain(mutex));
}

gboolean g_cond_wait_until(GCond *c, GMutex *mutex, gint64 end_time)
{
    struct timespec ts = {end_time / 1000000, end_time % 1000000 * 1000};

    return pthread_cond_timedwait(cond(c), plain(mutex), &ts) != ETIMEDOUT;
}

void g_cond_signal(GCond *c)
{
    pthread_cond_signal(cond(c));
}

void g_cond_broadcast(GCond *c)
{
    pthread_cond_broadcast(cond(c));
}
