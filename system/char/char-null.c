/* SPDX-License-Identifier: MIT
 *
 * A back end with nobody behind it that takes everything.
 */
#include "system/char/char-internal.h"

static bool null_open(Chardev *chr, GError **error)
{
    chardev_be_event(chr, CHAR_EVENT_OPENED);
    return true;
}

static void null_class_init(ObjectClass *klass, const void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->kind = "null";
    cc->open = null_open;
}

static const TypeInfo null_types[] = {
    {
     .name = CHARDEV_TYPE_NAME("null"),
     .parent = TYPE_CHARDEV,
     .class_init = null_class_init,
     .doc = "nothing: output vanishes, input never comes",
     }
};
DEFINE_TYPES(null_types)
