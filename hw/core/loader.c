/* SPDX-License-Identifier: MIT */
#include "hw/core/loader.h"
#include "quoin-config.h"
#include <inttypes.h>
#include <string.h>

typedef struct LoaderPiece {
    char *name;
    hwaddr addr;
    uint64_t size;
    GBytes *data; /* NULL: zeros */
} LoaderPiece;

struct Loader {
    GPtrArray *pieces;
    bool written; /* RAM is no longer as fresh as the host gave it */
};

G_DEFINE_QUARK(loader - error, loader_error)

GBytes *loader_read_file(const char *option, const char *path, GError **error)
{
    g_autoptr(GError) why = NULL;
    char *data;
    gsize len;

    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, LOADER_ERROR, LOADER_ERROR_FILE, "%s '%s': is a directory", option,
                    path);
        return NULL;
    }
    if (!g_file_get_contents(path, &data, &len, &why)) {
        g_set_error(error, LOADER_ERROR, LOADER_ERROR_FILE, "%s: %s", option, why->message);
        return NULL;
    }
    if (!len) {
        g_free(data);
        g_set_error(error, LOADER_ERROR, LOADER_ERROR_FILE, "%s '%s': the file is empty", option,
                    path);
        return NULL;
    }
    return g_bytes_new_take(data, len);
}

char *loader_find_file(const char *name, const char *dirs)
{
    g_auto(GStrv) list = g_strsplit(dirs ? dirs : QUOIN_FIRMWARE_PATH, ":", -1);

    if (g_file_test(name, G_FILE_TEST_EXISTS)) {
        return g_strdup(name);
    }
    for (int i = 0; list[i] && !strchr(name, '/'); i++) {
        g_autofree char *path = g_build_filename(list[i], name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
            return g_steal_pointer(&path);
        }
    }
    return NULL;
}

static void loader_piece_free(gpointer data)
{
    LoaderPiece *piece = data;

    g_clear_pointer(&piece->data, g_bytes_unref);
    g_free(piece->name);
    g_free(piece);
}

Loader *loader_new(void)
{
    Loader *loader = g_new0(Loader, 1);

    loader->pieces = g_ptr_array_new_with_free_func(loader_piece_free);
    return loader;
}

void loader_free(Loader *loader)
{
    if (loader) {
        g_ptr_array_unref(loader->pieces);
        g_free(loader);
    }
}

static LoaderPiece *loader_find_overlap(Loader *loader, hwaddr addr, uint64_t size)
{
    for (guint i = 0; i < loader->pieces->len; i++) {
        LoaderPiece *p = g_ptr_array_index(loader->pieces, i);
        if (addr < p->addr + p->size && p->addr < addr + size) {
            return p;
        }
    }
    return NULL;
}

const char *loader_overlap(Loader *loader, hwaddr addr, uint64_t size)
{
    LoaderPiece *piece = loader_find_overlap(loader, addr, size);

    return piece ? piece->name : NULL;
}

hwaddr loader_end_below(Loader *loader, hwaddr limit)
{
    hwaddr end = 0;

    for (guint i = 0; i < loader->pieces->len; i++) {
        LoaderPiece *p = g_ptr_array_index(loader->pieces, i);
        if (p->addr < limit) {
            end = MAX(end, p->addr + p->size);
        }
    }
    return end;
}

bool loader_add(Loader *loader, const char *name, hwaddr addr, GBytes *data, uint64_t size,
                GError **error)
{
    size = MAX(size, data ? g_bytes_get_size(data) : 0);
    const LoaderPiece *other = loader_find_overlap(loader, addr, size);
    if (other) {
        g_set_error(
            error, LOADER_ERROR, LOADER_ERROR_MEMORY,
            "%s (0x%" PRIx64 " to 0x%" PRIx64 ") overlaps %s (0x%" PRIx64 " to 0x%" PRIx64 ")",
            name, addr, addr + size - 1, other->name, other->addr, other->addr + other->size - 1);
        return false;
    }
    LoaderPiece *piece = g_new0(LoaderPiece, 1);
    piece->name = g_strdup(name);
    piece->addr = addr;
    piece->size = size;
    piece->data = data ? g_bytes_ref(data) : NULL;
    g_ptr_array_add(loader->pieces, piece);
    return true;
}

void loader_write(Loader *loader, AddressSpace *as)
{
    for (guint i = 0; i < loader->pieces->len; i++) {
        LoaderPiece *p = g_ptr_array_index(loader->pieces, i);
        gsize len = 0;
        const void *data = p->data ? g_bytes_get_data(p->data, &len) : NULL;

        if (len) {
            address_space_write(as, p->addr, MEMTXATTRS_NONE, data, len);
        }
        if (p->size > len && loader->written) {
            address_space_set(as, p->addr + len, 0, p->size - len, MEMTXATTRS_NONE);
        }
    }
    loader->written = true;
}

void loader_foreach(Loader *loader,
                    void (*fn)(void *opaque, hwaddr addr, uint64_t size, GBytes *data),
                    void *opaque)
{
    for (guint i = 0; i < loader->pieces->len; i++) {
        const LoaderPiece *piece = g_ptr_array_index(loader->pieces, i);
        fn(opaque, piece->addr, piece->size, piece->data);
    }
}
