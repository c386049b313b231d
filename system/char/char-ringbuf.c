/* SPDX-License-Identifier: MIT
 *
 * The last bytes of output, kept in memory.
 */
#include "system/char/char-internal.h"
#include "system/char/char-ringbuf.h"

#define TYPE_CHARDEV_RINGBUF CHARDEV_TYPE_NAME("ringbuf")
OBJECT_DECLARE_SIMPLE(RingbufChardev, RINGBUF_CHARDEV, TYPE_CHARDEV_RINGBUF)

struct RingbufChardev {
    Chardev parent_obj;
    uint32_t size;
    uint8_t *data;
    uint64_t produced, consumed; /* bytes; under the chardev's lock */
};

static bool ringbuf_open(Chardev *chr, GError **error)
{
    RingbufChardev *r = RINGBUF_CHARDEV(chr);

    if (r->size & (r->size - 1)) {
        g_set_error(error, CHARDEV_ERROR, CHARDEV_ERROR_OPEN, "ringbuf: size=%u is no power of two",
                    r->size);
        return false;
    }
    r->data = g_malloc(r->size);
    chardev_be_event(chr, CHAR_EVENT_OPENED);
    return true;
}

static ssize_t ringbuf_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    RingbufChardev *r = RINGBUF_CHARDEV(chr);

    for (size_t i = 0; i < len; i++) {
        r->data[r->produced++ & (r->size - 1)] = buf[i];
    }
    if (r->produced - r->consumed > r->size) {
        r->consumed = r->produced - r->size;
    }
    return len;
}

bool chardev_is_ringbuf(Chardev *chr)
{
    return object_dynamic_cast(OBJECT(chr), TYPE_CHARDEV_RINGBUF);
}

GByteArray *chardev_ringbuf_read(Chardev *chr, size_t max)
{
    RingbufChardev *r = RINGBUF_CHARDEV(chr);
    GByteArray *out = g_byte_array_new();

    g_mutex_lock(&chr->lock);
    while (out->len < max && r->consumed < r->produced) {
        g_byte_array_append(out, &r->data[r->consumed++ & (r->size - 1)], 1);
    }
    g_mutex_unlock(&chr->lock);
    return out;
}

void chardev_ringbuf_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    g_mutex_lock(&chr->lock);
    ringbuf_write(chr, buf, len);
    g_mutex_unlock(&chr->lock);
}

void chardev_ringbuf_input(Chardev *chr, const uint8_t *buf, size_t len)
{
    while (len > 0) {
        size_t n = MIN(len, chardev_be_can_read(chr));

        if (n == 0) {
            break;
        }
        chardev_be_read(chr, buf, n);
        buf += n;
        len -= n;
    }
}

static void ringbuf_finalize(Object *obj)
{
    g_free(((RingbufChardev *)obj)->data);
}

static void ringbuf_class_init(ObjectClass *klass, const void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->kind = "ringbuf";
    cc->open = ringbuf_open;
    cc->write = ringbuf_write;
}

static const Property ringbuf_properties[] = {
    PROP_FIELD("size", uint32, RingbufChardev, size, PROP_CONFIG, .def.u = 65536, .min = 1,
               .max = 1u << 30, .doc = "bytes kept, a power of two"),
    DEFINE_PROP_END,
};

static const TypeInfo ringbuf_types[] = {
    {
     .name = TYPE_CHARDEV_RINGBUF,
     .parent = TYPE_CHARDEV,
     .instance_size = sizeof(RingbufChardev),
     .instance_finalize = ringbuf_finalize,
     .class_init = ringbuf_class_init,
     .properties = ringbuf_properties,
     .doc = "memory, read with ringbuf-read",
     }
};
DEFINE_TYPES(ringbuf_types)
