/* SPDX-License-Identifier: MIT
 *
 * Files that a machine starts from, and what of them is in guest memory after each reset.
 */
#ifndef HW_CORE_LOADER_H
#define HW_CORE_LOADER_H

#include "system/memory/memory.h"

#define LOADER_ERROR (loader_error_quark())
GQuark loader_error_quark(void);

typedef enum LoaderError {
    LOADER_ERROR_FILE,   /* cannot be read, or is empty */
    LOADER_ERROR_FORMAT, /* not what the option takes, or damaged */
    LOADER_ERROR_MEMORY, /* no room in guest memory */
} LoaderError;

/* The whole of a file that `option` ("-kernel") names; the message has both. */
GBytes *loader_read_file(const char *option, const char *path, GError **error);

/* `name` as it is if it is a path that exists, else in the folders of `dirs` (separated by ':';
 * NULL: those that it was built with). */
char *loader_find_file(const char *name, const char *dirs);

/* Pieces of guest memory that are written at every reset. */
typedef struct Loader Loader;

Loader *loader_new(void);
void loader_free(Loader *loader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Loader, loader_free)

/*
 * `size` bytes at addr: the data and then zeros (size 0: that of the data).  Fails when it
 * overlaps another piece.  Takes a reference to data (NULL: zeros only).
 */
bool loader_add(Loader *loader, const char *name, hwaddr addr, GBytes *data, uint64_t size,
                GError **error);
/* The first piece that overlaps [addr, addr + size), or NULL. */
const char *loader_overlap(Loader *loader, hwaddr addr, uint64_t size);
/* End of the highest piece below `limit`, 0: none. */
hwaddr loader_end_below(Loader *loader, hwaddr limit);
/* Each piece; data is NULL for zeros, and may be shorter than size. */
void loader_foreach(Loader *loader,
                    void (*fn)(void *opaque, hwaddr addr, uint64_t size, GBytes *data),
                    void *opaque);
/* Into RAM; at a machine's reset. */
void loader_write(Loader *loader, AddressSpace *as);

#endif
