/* SPDX-License-Identifier: MIT
 *
 * Pictures of a screen as files: PPM (netpbm's ppm(5), raw) and PNG (ISO/IEC 15948).
 */
#include "system/display/screendump.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "quoin-config.h"

#ifdef HAVE_PNG
#include <png.h>
#endif

G_DEFINE_QUARK(quoin - screendump - error - quark, screendump_error)

static void put_rgb(uint8_t *to, const uint32_t *pixels, int n)
{
    for (int x = 0; x < n; x++) {
        *to++ = (uint8_t)(pixels[x] >> 16);
        *to++ = (uint8_t)(pixels[x] >> 8);
        *to++ = (uint8_t)pixels[x];
    }
}

GByteArray *surface_to_ppm(const DisplaySurface *s)
{
    g_autofree char *header = g_strdup_printf("P6\n%d %d\n255\n", s->width, s->height);
    gsize len = strlen(header), line = 3 * (gsize)s->width;
    GByteArray *out = g_byte_array_sized_new((guint)(len + line * (gsize)s->height));

    g_byte_array_append(out, (const guint8 *)header, (guint)len);
    g_byte_array_set_size(out, (guint)(len + line * (gsize)s->height));
    for (int y = 0; y < s->height; y++) {
        put_rgb(out->data + len + line * (gsize)y, s->pixels + (gsize)y * (gsize)s->width,
                s->width);
    }
    return out;
}

#ifdef HAVE_PNG
static void png_append(png_structp png, png_bytep data, png_size_t len)
{
    g_byte_array_append(png_get_io_ptr(png), data, (guint)len);
}

static void png_nothing(png_structp png)
{
}

/* What libpng leaves with longjmp() is freed by the caller. */
static bool encode(png_structp png, png_infop info, const DisplaySurface *s, GByteArray *out,
                   uint8_t *line)
{
    if (setjmp(png_jmpbuf(png))) {
        return false;
    }
    png_set_write_fn(png, out, png_append, png_nothing);
    png_set_user_limits(png, CONSOLE_MAX_WIDTH, CONSOLE_MAX_HEIGHT);
    png_set_IHDR(png, info, (png_uint_32)s->width, (png_uint_32)s->height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < s->height; y++) {
        put_rgb(line, s->pixels + (gsize)y * (gsize)s->width, s->width);
        png_write_row(png, line);
    }
    png_write_end(png, info);
    return true;
}

GByteArray *surface_to_png(const DisplaySurface *s, GError **error)
{
    GByteArray *out = g_byte_array_new();
    g_autofree uint8_t *line = g_malloc(3 * (gsize)s->width);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    bool ok = info && encode(png, info, s, out, line);

    png_destroy_write_struct(&png, &info);
    if (!ok) {
        g_byte_array_unref(out);
        g_set_error(error, SCREENDUMP_ERROR, SCREENDUMP_ERROR_FILE, "libpng could not encode it");
        return NULL;
    }
    return out;
}
#else
GByteArray *surface_to_png(const DisplaySurface *s, GError **error)
{
    g_set_error(error, SCREENDUMP_ERROR, SCREENDUMP_ERROR_FORMAT,
                "format png: this program was built without libpng; use ppm");
    return NULL;
}
#endif

/* ---- which console ------------------------------------------------------------------------- */

static Console *no_console(GError **error, const char *format, const char *name, unsigned head)
{
    g_set_error(error, SCREENDUMP_ERROR, SCREENDUMP_ERROR_CONSOLE, format, name, head);
    return NULL;
}

static DeviceState *find_device(MachineState *machine, const char *name)
{
    Object *obj = object_resolve_path_component(machine->peripheral, name);

    obj = obj ? obj : object_resolve_path(OBJECT(machine), name, NULL);
    return obj ? (DeviceState *)object_dynamic_cast(obj, TYPE_DEVICE) : NULL;
}

static Console *find_console(MachineState *machine, const char *device, unsigned head,
                             GError **error)
{
    DeviceState *dev = device ? find_device(machine, device) : NULL;
    Console *c;

    if (device && !dev) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_PATH, "Device '%s' not found", device);
        return NULL;
    }
    c = device ? console_by_device(machine, dev, head) : console_by_index(machine, 0);
    if (c || !device) {
        return c ? c : no_console(error, "There is no console to take a screendump from", "", 0);
    }
    return no_console(error, "Device '%s' has no console for head %u", device, head);
}

/* To what is no regular file (a terminal, /dev/null, a pipe, a link) it is written as it stands: a
 * new file in its place would be the end of it.  A pipe nobody reads does not hold the VM up. */
static bool write_special(const char *filename, const GByteArray *bytes, GError **error)
{
    int fd = open(filename, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0666);
    bool written = fd >= 0;
    int reason = errno;

    for (size_t done = 0; written && done < bytes->len;) {
        ssize_t n = write(fd, bytes->data + done, bytes->len - done);

        reason = errno;
        written = n > 0 || (n < 0 && reason == EINTR);
        done += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    if (!written) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(reason), "cannot write '%s': %s",
                    filename, g_strerror(reason));
    }
    return written;
}

static bool write_picture(const char *filename, const GByteArray *bytes, GError **error)
{
    g_autoptr(GError) why = NULL;
    struct stat st;

    if (lstat(filename, &st) == 0 && !S_ISREG(st.st_mode)) {
        return write_special(filename, bytes, error);
    }
    if (!g_file_set_contents_full(filename, (const char *)bytes->data, bytes->len,
                                  G_FILE_SET_CONTENTS_CONSISTENT, 0666, &why)) {
        const char *reason = strrchr(why->message, ':'); /* what is before it names another file */

        g_set_error(error, SCREENDUMP_ERROR, SCREENDUMP_ERROR_FILE, "failed to open file '%s'%s",
                    filename, reason ? reason : "");
        return false;
    }
    return true;
}

bool screendump(MachineState *machine, const char *filename, const char *device, unsigned head,
                const char *format, GError **error)
{
    g_autoptr(DisplaySurface) surface = NULL;
    g_autoptr(GByteArray) bytes = NULL;
    Console *c;

    format = format ? format : "ppm";
    if (!g_str_equal(format, "ppm") && !g_str_equal(format, "png")) {
        g_set_error(error, SCREENDUMP_ERROR, SCREENDUMP_ERROR_FORMAT,
                    "Parameter 'format' does not accept value '%s' (ppm and png are known)",
                    format);
        return false;
    }
    c = find_console(machine, device, head, error);
    if (!c) {
        return false;
    }
    surface = console_snapshot(c);
    bytes = g_str_equal(format, "png") ? surface_to_png(surface, error) : surface_to_ppm(surface);
    return bytes && write_picture(filename, bytes, error);
}
