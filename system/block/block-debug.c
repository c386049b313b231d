/* SPDX-License-Identifier: MIT
 *
 * blkdebug:RULES:IMAGE, an image with errors, for tests.  RULES is a file of groups:
 *
 *   [inject-error]   event=, errno= (5), state= (0: any), once= (off), sector= (any)
 *   [set-state]      event=, state= (0: any), new_state=
 *
 * Events are read_aio, write_aio, flush_to_os, flush_to_disk (which comes only if something was
 * written since) and none (errors of every request).  The state is 1 at first; all rules of an
 * event are held against the state before it.
 *
 * The monitor's qemu-io sets breakpoints: "break EVENT TAG" holds the next request at that event
 * until "resume TAG"; "remove_break TAG" does both ways' undoing.
 */
#include <errno.h>
#include <string.h>
#include "system/block/block-internal.h"

typedef struct DebugRule {
    bool set_state;
    int event; /* BlockOp-like: see debug_events */
    int state, new_state;
    int error;
    bool once, used;
    int64_t sector; /* -1: any */
} DebugRule;

typedef struct Breakpoint {
    char *tag;
    int event;
    bool hit;
} Breakpoint;

typedef struct DebugImage {
    BlockImage image;
    BlockImage *base;
    GArray *rules;          /* of DebugRule */
    GPtrArray *breakpoints; /* of Breakpoint; one that is gone holds nobody */
    GMutex lock;
    GCond changed; /* the breakpoints */
    int state;
    bool written; /* since the last flush */
} DebugImage;

enum { EVENT_NONE, EVENT_READ, EVENT_WRITE, EVENT_FLUSH_OS, EVENT_FLUSH_DISK };
static const struct {
    const char *name;
    int event;
} debug_events[] = {
    {"none",          EVENT_NONE },
    {"read_aio",      EVENT_READ },
    {"write_aio",     EVENT_WRITE},
    {"pwritev",       EVENT_WRITE},
    {"flush_to_os",   EVENT_FLUSH_OS},
    {"flush_to_disk", EVENT_FLUSH_DISK},
};

/* ---- rules ---------------------------------------------------------------------------------- */

static bool rule_matches(const DebugRule *rule, int event, int state, int64_t offset, int64_t len)
{
    if (rule->used || (rule->event != event && rule->event != EVENT_NONE) ||
        (rule->state && rule->state != state)) {
        return false;
    }
    return rule->sector < 0 || (rule->sector * BLOCK_SECTOR_SIZE >= offset &&
                                rule->sector * BLOCK_SECTOR_SIZE < offset + len);
}

static Breakpoint *find_breakpoint(DebugImage *d, const char *tag)
{
    for (guint i = 0; i < d->breakpoints->len; i++) {
        Breakpoint *bp = d->breakpoints->pdata[i];

        if (!strcmp(bp->tag, tag)) {
            return bp;
        }
    }
    return NULL;
}

/* Wait at the first breakpoint that nobody has hit yet.  Locked. */
static void debug_break_locked(DebugImage *d, int event)
{
    g_autofree char *tag = NULL;

    for (guint i = 0; i < d->breakpoints->len && !tag; i++) {
        Breakpoint *bp = d->breakpoints->pdata[i];

        if (bp->event == event && !bp->hit) {
            bp->hit = true;
            tag = g_strdup(bp->tag);
        }
    }
    if (tag) {
        g_cond_broadcast(&d->changed);
    }
    while (tag && find_breakpoint(d, tag)) {
        g_cond_wait(&d->changed, &d->lock);
    }
}

/* 0 or -errno. */
static int debug_event(DebugImage *d, int event, int64_t offset, int64_t len)
{
    int state, error = 0;

    g_mutex_lock(&d->lock);
    state = d->state;
    for (guint i = 0; i < d->rules->len; i++) {
        DebugRule *rule = &g_array_index(d->rules, DebugRule, i);

        if (!rule_matches(rule, event, state, offset, len)) {
            continue;
        }
        if (rule->set_state) {
            d->state = rule->new_state;
        } else if (!error) {
            error = rule->error;
            rule->used = rule->once;
        }
    }
    debug_break_locked(d, event);
    g_mutex_unlock(&d->lock);
    return -error;
}

/* ---- the image ---------------------------------------------------------------------------------- */

static int debug_read(BlockImage *image, int64_t offset, struct iovec *iov, int niov)
{
    DebugImage *d = (DebugImage *)image;
    int ret = debug_event(d, EVENT_READ, offset, block_iov_size(iov, niov));

    return ret < 0 ? ret : d->base->ops->read(d->base, offset, iov, niov);
}

static void debug_set_written(DebugImage *d, bool written)
{
    g_mutex_lock(&d->lock);
    d->written = written;
    g_mutex_unlock(&d->lock);
}

static int debug_write(BlockImage *image, int64_t offset, struct iovec *iov, int niov)
{
    DebugImage *d = (DebugImage *)image;
    int ret = debug_event(d, EVENT_WRITE, offset, block_iov_size(iov, niov));

    debug_set_written(d, true);
    return ret < 0 ? ret : d->base->ops->write(d->base, offset, iov, niov);
}

static int debug_flush(BlockImage *image)
{
    DebugImage *d = (DebugImage *)image;
    int ret = debug_event(d, EVENT_FLUSH_OS, 0, 0);

    if (ret < 0 || !d->written) {
        return ret;
    }
    ret = debug_event(d, EVENT_FLUSH_DISK, 0, 0);
    if (ret == 0) {
        ret = d->base->ops->flush(d->base);
    }
    if (ret == 0) {
        debug_set_written(d, false);
    }
    return ret;
}

static int debug_discard(BlockImage *image, int64_t offset, int64_t len)
{
    DebugImage *d = (DebugImage *)image;

    return d->base->ops->discard(d->base, offset, len);
}

static int debug_write_zeroes(BlockImage *image, int64_t offset, int64_t len)
{
    DebugImage *d = (DebugImage *)image;
    int ret = debug_event(d, EVENT_WRITE, offset, len);

    debug_set_written(d, true);
    return ret < 0 ? ret : d->base->ops->write_zeroes(d->base, offset, len);
}

static void debug_close(BlockImage *image)
{
    DebugImage *d = (DebugImage *)image;

    block_image_close(d->base);
    g_array_unref(d->rules);
    g_ptr_array_unref(d->breakpoints);
    g_mutex_clear(&d->lock);
    g_cond_clear(&d->changed);
    g_free(d);
}

static void breakpoint_free(void *data)
{
    Breakpoint *bp = data;

    g_free(bp->tag);
    g_free(bp);
}

static int event_by_name(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(debug_events); i++) {
        if (!strcmp(debug_events[i].name, name)) {
            return debug_events[i].event;
        }
    }
    return -1;
}

static int debug_set_breakpoint(DebugImage *d, const char *event, const char *tag)
{
    Breakpoint *bp;
    int number = event_by_name(event);

    if (number < 0) {
        return -ENOENT;
    }
    bp = g_new0(Breakpoint, 1);
    *bp = (Breakpoint){.tag = g_strdup(tag), .event = number};
    g_mutex_lock(&d->lock);
    g_ptr_array_add(d->breakpoints, bp);
    g_mutex_unlock(&d->lock);
    return 0;
}

/* `resume` needs one that was hit. */
static int debug_remove_breakpoints(DebugImage *d, const char *tag, bool resume)
{
    int ret = -ENOENT;

    g_mutex_lock(&d->lock);
    for (guint i = d->breakpoints->len; i-- > 0;) {
        const Breakpoint *bp = d->breakpoints->pdata[i];

        if ((!tag || !strcmp(bp->tag, tag)) && (!resume || bp->hit)) {
            g_ptr_array_remove_index(d->breakpoints, i);
            ret = 0;
        }
    }
    g_cond_broadcast(&d->changed);
    g_mutex_unlock(&d->lock);
    return ret;
}

static int debug_command(BlockImage *image, BlockDebugCommand command, const char *event,
                         const char *tag)
{
    DebugImage *d = (DebugImage *)image;

    switch (command) {
    case BLOCK_DEBUG_BREAK:
        return debug_set_breakpoint(d, event, tag);
    case BLOCK_DEBUG_RESUME:
        return debug_remove_breakpoints(d, tag, true);
    case BLOCK_DEBUG_REMOVE:
        return debug_remove_breakpoints(d, tag, false);
    }
    return -EINVAL;
}

static const BlockImageOps debug_ops = {
    .read = debug_read,
    .write = debug_write,
    .flush = debug_flush,
    .discard = debug_discard,
    .write_zeroes = debug_write_zeroes,
    .debug = debug_command,
    .close = debug_close,
};

/* ---- reading the rules ------------------------------------------------------------------------------ */

static bool rule_error(GError **error, const char *file, unsigned line, const char *what)
{
    g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION, "%s:%u: %s", file, line, what);
    return false;
}

static bool rule_set_event(DebugRule *rule, const char *value)
{
    rule->event = event_by_name(value);
    rule->used = rule->event < 0; /* an event that our images do not have never comes */
    return true;
}

static bool rule_set(DebugRule *rule, const char *key, const char *value)
{
    int64_t number = g_ascii_strtoll(value, NULL, 10);

    if (!strcmp(key, "event")) {
        return rule_set_event(rule, value);
    } else if (!strcmp(key, "errno")) {
        rule->error = (int)CLAMP(number, 1, 4095);
    } else if (!strcmp(key, "state")) {
        rule->state = (int)number;
    } else if (!strcmp(key, "new_state")) {
        rule->new_state = (int)number;
    } else if (!strcmp(key, "sector")) {
        rule->sector = number;
    } else if (!strcmp(key, "once")) {
        rule->once = !strcmp(value, "on");
    } else {
        return !strcmp(key, "immediately");
    }
    return true;
}

/* "key = value" with or without quotes; keys may come more than once in a file, groups too. */
static bool rules_line(GArray *rules, char *line, const char *file, unsigned number, GError **error)
{
    char *equals, *value;

    g_strstrip(line);
    if (!*line || *line == '#') {
        return true;
    }
    if (*line == '[') {
        DebugRule rule = {.set_state = !strcmp(line, "[set-state]"), .error = EIO, .sector = -1};

        g_array_append_val(rules, rule);
        return rule.set_state || !strcmp(line, "[inject-error]") ||
               rule_error(error, file, number, "expected [inject-error] or [set-state]");
    }
    equals = strchr(line, '=');
    if (!equals || !rules->len) {
        return rule_error(error, file, number, "expected KEY=VALUE in a group");
    }
    *equals = 0;
    value = g_strstrip(equals + 1);
    if (*value == '"') {
        value++;
        value[strcspn(value, "\"")] = 0;
    }
    return rule_set(&g_array_index(rules, DebugRule, rules->len - 1), g_strstrip(line), value) ||
           rule_error(error, file, number, "no such key");
}

static bool rules_load(GArray *rules, const char *file, GError **error)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!*file) {
        return true;
    }
    if (!g_file_get_contents(file, &text, NULL, error)) {
        return false;
    }
    lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i]; i++) {
        if (!rules_line(rules, lines[i], file, i + 1, error)) {
            return false;
        }
    }
    return true;
}

BlockImage *block_debug_open(const char *name, const BlockOpenOptions *options, GError **error)
{
    const char *colon = strchr(name, ':');
    g_autofree char *rules_file = colon ? g_strndup(name, (gsize)(colon - name)) : NULL;
    g_autoptr(GArray) rules = g_array_new(FALSE, FALSE, sizeof(DebugRule));
    DebugImage *d;
    BlockImage *base;

    if (!colon) {
        g_set_error(error, BLOCK_ERROR, BLOCK_ERROR_OPTION, "expected blkdebug:RULES:IMAGE");
        return NULL;
    }
    base = rules_load(rules, rules_file, error) ? block_file_open(colon + 1, options, error) : NULL;
    if (!base) {
        return NULL;
    }
    d = g_new0(DebugImage, 1);
    d->image = (BlockImage){&debug_ops, base->size, base->read_only};
    d->base = base;
    d->rules = g_steal_pointer(&rules);
    d->breakpoints = g_ptr_array_new_with_free_func(breakpoint_free);
    d->state = 1;
    g_mutex_init(&d->lock);
    g_cond_init(&d->changed);
    return &d->image;
}
