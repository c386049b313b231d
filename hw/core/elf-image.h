/* SPDX-License-Identifier: MIT
 *
 * Executables for x86 in ELF: what a boot loader needs of them.
 */
#ifndef HW_CORE_ELF_IMAGE_H
#define HW_CORE_ELF_IMAGE_H

#include "hw/core/loader.h"

typedef struct ElfSegment {
    uint64_t paddr, vaddr, memsz;
    uint64_t offset, filesz; /* in the file */
} ElfSegment;

typedef struct ElfImage {
    bool is64;
    uint64_t entry;     /* as in the header */
    bool has_pvh_entry; /* XEN_ELFNOTE_PHYS32_ENTRY */
    uint64_t pvh_entry;
    GArray *segments; /* of ElfSegment: those to load that are not empty */
} ElfImage;

bool elf_image_probe(GBytes *file);
/* A complete, loadable x86 image, or NULL and an error (LOADER_ERROR_FORMAT). */
ElfImage *elf_image_parse(GBytes *file, GError **error);
void elf_image_free(ElfImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ElfImage, elf_image_free)

/* Physical address of the entry point, which may be given as a virtual one. */
uint64_t elf_image_physical_entry(const ElfImage *image);
/* Every segment to `loader`; none may reach `limit`. */
bool elf_image_load(const ElfImage *image, GBytes *file, Loader *loader, uint64_t limit,
                    GError **error);

#endif
