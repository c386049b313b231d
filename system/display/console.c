/* SPDX-License-Identifier: MIT
 *
 * Consoles: surfaces, damage, and the timer that asks devices to draw.
 */
#include "system/display/console.h"

#include <string.h>

#define REFRESH_MIN_NS (33 * 1000000LL)
#define REFRESH_MAX_NS (250 * 1000000LL)
#define DEFAULT_WIDTH  640
#define DEFAULT_HEIGHT 480
#define PIXEL_MASK     0x00ffffffu

typedef struct Damage {
    int x1, y1, x2, y2; /* exclusive ends */
} Damage;

struct Console {
    Object parent_obj;
    MachineState *machine;
    DeviceState *device;
    uint32_t head, index;
    const ConsoleOps *ops;
    void *opaque;

    GMutex lock;
    DisplaySurface *surface;
    GArray *damage; /* of Damage: bands of lines, from top to bottom */
    bool resized;

    GSList *listeners; /* of ConsoleListener */
    Timer *timer;
    int64_t period; /* ns */
};

/* ---- surfaces ------------------------------------------------------------------------------ */

DisplaySurface *display_surface_new(int width, int height)
{
    DisplaySurface *surface = g_new0(DisplaySurface, 1);

    surface->width = width;
    surface->height = height;
    surface->stride = width * (int)sizeof(uint32_t);
    surface->pixels = g_new0(uint32_t, (size_t)width * (size_t)height);
    return surface;
}

void display_surface_free(DisplaySurface *surface)
{
    if (surface) {
        g_free(surface->pixels);
        g_free(surface);
    }
}

/* ---- drawing --------------------------------------------------------------------------------- */

bool console_set_size(Console *c, unsigned width, unsigned height)
{
    int w = (int)CLAMP(width, 1, CONSOLE_MAX_WIDTH), h = (int)CLAMP(height, 1, CONSOLE_MAX_HEIGHT);

    if (c->surface->width == w && c->surface->height == h) {
        return false;
    }
    display_surface_free(c->surface);
    c->surface = display_surface_new(w, h);
    c->resized = true;
    return true;
}

/* Bands that touch become one; what is next to each other on a screen changes together. */
static void add_damage(Console *c, int y, int x1, int x2)
{
    Damage *last = c->damage->len ? &g_array_index(c->damage, Damage, c->damage->len - 1) : NULL;

    if (last && last->y2 == y && x1 <= last->x2 && x2 >= last->x1) {
        last->x1 = MIN(last->x1, x1);
        last->x2 = MAX(last->x2, x2);
        last->y2 = y + 1;
    } else {
        Damage d = {x1, y, x2, y + 1};

        g_array_append_val(c->damage, d);
    }
}

void console_put_line(Console *c, unsigned y, const uint32_t *pixels)
{
    int width = c->surface->width, first = 0, end = width;
    uint32_t *line = c->surface->pixels + (size_t)y * (size_t)width;

    if ((int)y >= c->surface->height) {
        return;
    }
    while (first < end && line[first] == (pixels[first] & PIXEL_MASK)) {
        first++;
    }
    if (first == end) {
        return;
    }
    while (line[end - 1] == (pixels[end - 1] & PIXEL_MASK)) {
        end--;
    }
    for (int x = first; x < end; x++) {
        line[x] = pixels[x] & PIXEL_MASK;
    }
    add_damage(c, (int)y, first, end);
}

/* ---- refreshing ----------------------------------------------------------------------------- */

static void tell_resized(Console *c, int width, int height)
{
    for (GSList *l = c->listeners, *next; l; l = next) {
        ConsoleListener *listener = l->data;

        next = l->next;
        if (listener->resized) {
            listener->resized(listener, width, height);
        }
    }
}

static void tell_damaged(Console *c, const Damage *d)
{
    for (GSList *l = c->listeners, *next; l; l = next) {
        ConsoleListener *listener = l->data;

        next = l->next;
        if (listener->damaged) {
            listener->damaged(listener, d->x1, d->y1, d->x2 - d->x1, d->y2 - d->y1);
        }
    }
}

/* Returns whether anything changed. */
static bool refresh(Console *c)
{
    g_autoptr(GArray) damage = NULL;
    bool resized;
    int width, height;

    device_lock(c->device);
    g_mutex_lock(&c->lock);
    c->ops->update(c->opaque);
    damage = c->damage;
    c->damage = g_array_new(FALSE, FALSE, sizeof(Damage));
    resized = c->resized;
    c->resized = false;
    width = c->surface->width;
    height = c->surface->height;
    g_mutex_unlock(&c->lock);
    device_unlock(c->device);
    if (resized) {
        tell_resized(c, width, height);
    }
    for (guint i = 0; i < damage->len; i++) {
        tell_damaged(c, &g_array_index(damage, Damage, i));
    }
    return resized || damage->len;
}

static void schedule(Console *c, int64_t period)
{
    c->period = period;
    timer_mod(c->timer, vm_clock_get_ns(c->machine->clock, CLOCK_REALTIME_NS) + period);
}

static void refresh_timer(void *opaque)
{
    Console *c = opaque;
    bool changed = refresh(c);

    if (c->listeners) {
        schedule(c, changed ? REFRESH_MIN_NS : MIN(c->period * 5 / 4, REFRESH_MAX_NS));
    }
}

void console_refresh(Console *c)
{
    refresh(c);
}

void console_wake(Console *c)
{
    if (c->listeners && c->period > REFRESH_MIN_NS) {
        schedule(c, REFRESH_MIN_NS);
    }
}

void console_attach(Console *c, ConsoleListener *listener)
{
    g_assert(!listener->console);
    listener->console = (Console *)object_ref(c);
    c->listeners = g_slist_append(c->listeners, listener);
    schedule(c, REFRESH_MIN_NS);
}

void console_detach(ConsoleListener *listener)
{
    Console *c = listener->console;

    if (!c) {
        return;
    }
    listener->console = NULL;
    c->listeners = g_slist_remove(c->listeners, listener);
    if (!c->listeners && c->timer) {
        timer_del(c->timer);
    }
    object_unref(c);
}

/* ---- reading -------------------------------------------------------------------------------- */

char *console_text(Console *c)
{
    char *text;

    if (!c->ops->text) {
        return NULL;
    }
    device_lock(c->device);
    text = c->ops->text(c->opaque);
    device_unlock(c->device);
    return text;
}

void console_lock(Console *c)
{
    g_mutex_lock(&c->lock);
}

void console_unlock(Console *c)
{
    g_mutex_unlock(&c->lock);
}

const DisplaySurface *console_surface(Console *c)
{
    return c->surface;
}

DisplaySurface *console_snapshot(Console *c)
{
    DisplaySurface *copy;

    refresh(c);
    g_mutex_lock(&c->lock);
    copy = display_surface_new(c->surface->width, c->surface->height);
    memcpy(copy->pixels, c->surface->pixels, (size_t)copy->stride * (size_t)copy->height);
    g_mutex_unlock(&c->lock);
    return copy;
}

/* ---- finding -------------------------------------------------------------------------------- */

typedef struct ConsoleSearch {
    const DeviceState *device; /* NULL: by index */
    unsigned head, index;
    Console *found;
    unsigned next_index;
} ConsoleSearch;

static bool match_console(Object *child, const char *name, void *opaque)
{
    ConsoleSearch *search = opaque;
    Console *c = (Console *)object_dynamic_cast(child, TYPE_CONSOLE);

    if (!c) {
        return false;
    }
    search->next_index = MAX(search->next_index, c->index + 1);
    if (search->device ? c->device == search->device && c->head == search->head
                       : c->index == search->index) {
        search->found = c;
    }
    return false;
}

static Object *backends(MachineState *machine)
{
    return container_get(object_get_root(OBJECT(machine)), "backend");
}

Console *console_by_index(MachineState *machine, unsigned index)
{
    ConsoleSearch search = {.index = index};

    object_child_foreach(backends(machine), match_console, &search);
    return search.found;
}

Console *console_by_device(MachineState *machine, DeviceState *dev, unsigned head)
{
    ConsoleSearch search = {.device = dev, .head = head};

    object_child_foreach(backends(machine), match_console, &search);
    return search.found;
}

unsigned console_index(const Console *c)
{
    return c->index;
}

DeviceState *console_device(const Console *c)
{
    return c->device;
}

unsigned console_head(const Console *c)
{
    return c->head;
}

/* ---- life ----------------------------------------------------------------------------------- */

static void console_end(void *opaque)
{
    Console *c = opaque;

    while (c->listeners) {
        ConsoleListener *listener = c->listeners->data;

        console_detach(listener);
        if (listener->gone) {
            listener->gone(listener);
        }
    }
    g_clear_pointer(&c->timer, timer_free);
    object_unparent(OBJECT(c));
    object_unref(c);
}

Console *console_new(DeviceState *dev, unsigned head, const ConsoleOps *ops, void *opaque)
{
    MachineState *machine = qdev_get_machine(dev);
    ConsoleSearch search = {.index = UINT_MAX};
    g_autofree char *name = NULL;
    Console *c;

    object_child_foreach(backends(machine), match_console, &search);
    name = g_strdup_printf("console[%u]", search.next_index);
    c = CONSOLE(object_new_child(backends(machine), name, TYPE_CONSOLE, NULL));
    c->machine = machine;
    c->device = dev;
    c->head = head;
    c->index = search.next_index;
    c->ops = ops;
    c->opaque = opaque;
    c->timer = timer_new(machine->loop, CLOCK_REALTIME_NS, refresh_timer, c);
    qdev_on_unrealize(dev, console_end, object_ref(c));
    return c;
}

static void console_instance_init(Object *obj)
{
    Console *c = (Console *)obj;

    g_mutex_init(&c->lock);
    c->surface = display_surface_new(DEFAULT_WIDTH, DEFAULT_HEIGHT);
    c->damage = g_array_new(FALSE, FALSE, sizeof(Damage));
}

static void console_instance_finalize(Object *obj)
{
    Console *c = (Console *)obj;

    display_surface_free(c->surface);
    g_array_unref(c->damage);
    g_mutex_clear(&c->lock);
}

static GVariant *get_device(Object *obj, const Property *prop)
{
    Console *c = (Console *)obj;
    g_autofree char *path = c->device ? object_get_path(OBJECT(c->device)) : NULL;

    return g_variant_new_string(path ? path : "");
}

static GVariant *get_text(Object *obj, const Property *prop)
{
    Console *c = (Console *)obj;
    char *text = c->ops ? console_text(c) : NULL;

    return g_variant_new_take_string(text ? text : g_strdup(""));
}

static const Property console_properties[] = {
    DEFINE_PROP_CUSTOM("device", "s", get_device, NULL, PROP_TELEMETRY,
                       "the display device it belongs to"),
    DEFINE_PROP_UINT32("head", Console, head, 0, "which of the device's heads",
                       .kind = PROP_TELEMETRY),
    DEFINE_PROP_CUSTOM("text", "s", get_text, NULL, PROP_TELEMETRY,
                       "the text screen, a line a row; empty in graphics modes"),
    DEFINE_PROP_END,
};

static const TypeInfo console_types[] = {
    {.name = TYPE_CONSOLE,
     .parent = TYPE_OBJECT,
     .instance_size = sizeof(Console),
     .instance_init = console_instance_init,
     .instance_finalize = console_instance_finalize,
     .properties = console_properties,
     .doc = "what a display device shows"},
};
DEFINE_TYPES(console_types)
