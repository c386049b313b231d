/* SPDX-License-Identifier: MIT
 *
 * Loadable modules.  A module registers its types in constructors, as built-in
 * code does.  `modules.ini` in the module folder says which file carries which
 * types, so that asking for a type loads only that file:
 *
 *     [hello.so]
 *     types=hello;hello-bus
 */
#include "qom/qom-internal.h"

#include <elf.h>
#include <gmodule.h>
#include <string.h>

#include "quoin-config.h"

static const ModuleInfo *host_abi;

void module_set_abi(const ModuleInfo *abi)
{
    host_abi = abi;
}

static bool module_check_abi(const ModuleInfo *info, const char *path, GError **error)
{
    const ModuleInfo *h = host_abi;

    if (memcmp(info, h, sizeof(*h))) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_MODULE,
                    "module '%s' was built for ABI %u (object %u, class %u, device %u bytes); this "
                    "is ABI %u (%u, %u, %u): rebuild it against these headers",
                    path, info->abi_version, info->object_size, info->class_size,
                    info->device_size, h->abi_version, h->object_size, h->class_size,
                    h->device_size);
        return false;
    }
    return true;
}

/* The dynamic loader maps what the headers say: of a file cut short it would die. */
static bool elf_is_whole(const uint8_t *data, gsize size)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)data;

    if (size < sizeof(*header) || memcmp(header->e_ident, ELFMAG, SELFMAG) ||
        header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_phentsize != sizeof(Elf64_Phdr) ||
        header->e_phoff > size || size - header->e_phoff < header->e_phnum * sizeof(Elf64_Phdr)) {
        return false;
    }
    for (unsigned i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, data + header->e_phoff + i * sizeof(segment), sizeof(segment));
        if (segment.p_offset > size || segment.p_filesz > size - segment.p_offset) {
            return false;
        }
    }
    return true;
}

static bool module_check_file(const char *path, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, &why);

    if (!file) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_MODULE, "module '%s': %s", path,
                    why->message);
        return false;
    }
    if (!elf_is_whole((const uint8_t *)g_mapped_file_get_contents(file),
                      g_mapped_file_get_length(file))) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_MODULE,
                    "module '%s' is not a whole 64-bit shared object", path);
        return false;
    }
    return true;
}

/*
 * The types of a module that fails the check are registered by then; it stays
 * loaded, since a TypeInfo must stay, and the caller ends or refuses the use.
 */
bool module_load(const char *path, GError **error)
{
    if (!g_module_supported()) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_MODULE, "this system loads no modules");
        return false;
    }
    if (!module_check_file(path, error)) {
        return false;
    }
    GModule *module = g_module_open(path, G_MODULE_BIND_LOCAL);
    if (!module) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_MODULE, "module '%s': %s", path,
                    g_module_error());
        return false;
    }
    g_module_make_resident(module);
    gpointer info;
    if (!g_module_symbol(module, "quoin_module_info", &info)) {
        g_set_error(error, OBJECT_ERROR, OBJECT_ERROR_MODULE,
                    "module '%s' has no quoin_module_info: it wants a line QUOIN_MODULE;", path);
        return false;
    }
    return module_check_abi(info, path, error);
}

static const char *module_dir(void)
{
    const char *dir = g_getenv("QUOIN_MODULE_DIR");

    return dir ? dir : QUOIN_MODULE_DIR;
}

bool module_load_for_type(const char *type, GError **error)
{
    g_autofree char *manifest = g_build_filename(module_dir(), "modules.ini", NULL);
    g_autoptr(GKeyFile) file = g_key_file_new();

    if (!type || !g_key_file_load_from_file(file, manifest, G_KEY_FILE_NONE, NULL)) {
        return false;
    }
    g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
    for (char **g = groups; *g; g++) {
        g_auto(GStrv) names = g_key_file_get_string_list(file, *g, "types", NULL, NULL);
        if (names && g_strv_contains((const char *const *)names, type)) {
            g_autofree char *path = g_build_filename(module_dir(), *g, NULL);
            return module_load(path, error);
        }
    }
    return false;
}
