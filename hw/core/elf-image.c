/* SPDX-License-Identifier: MIT
 *
 * System V ABI, chapters 4 (header, notes) and 5 (program header); the note that names a PVH
 * entry: Xen, include/public/elfnote.h (XEN_ELFNOTE_PHYS32_ENTRY).
 */
#include "hw/core/elf-image.h"
#include <elf.h>
#include <inttypes.h>
#include <string.h>

#define XEN_ELFNOTE_PHYS32_ENTRY 18
#define ELF_MAX_SEGMENTS         128

bool elf_image_probe(GBytes *file)
{
    gsize len;
    const uint8_t *data = g_bytes_get_data(file, &len);

    return len >= SELFMAG && !memcmp(data, ELFMAG, SELFMAG);
}

static bool elf_error(GError **error, const char *why)
{
    g_set_error(error, LOADER_ERROR, LOADER_ERROR_FORMAT, "ELF image: %s", why);
    return false;
}

/* Both classes' headers, in the wider type. */
static bool elf_read_header(GBytes *file, Elf64_Ehdr *h, GError **error)
{
    gsize len;
    const uint8_t *data = g_bytes_get_data(file, &len);

    if (len < sizeof(Elf32_Ehdr) || (data[EI_CLASS] == ELFCLASS64 && len < sizeof(*h))) {
        return elf_error(error, "the header is truncated");
    }
    if (data[EI_CLASS] == ELFCLASS64) {
        memcpy(h, data, sizeof(*h));
        return h->e_machine == EM_X86_64 || elf_error(error, "not for x86");
    }
    Elf32_Ehdr h32;
    memcpy(&h32, data, sizeof(h32));
    memcpy(h->e_ident, h32.e_ident, EI_NIDENT);
    h->e_type = h32.e_type;
    h->e_machine = h32.e_machine;
    h->e_entry = h32.e_entry;
    h->e_phoff = h32.e_phoff;
    h->e_phentsize = h32.e_phentsize;
    h->e_phnum = h32.e_phnum;
    return h->e_machine == EM_386 || elf_error(error, "not for x86");
}

static void elf_read_phdr(const uint8_t *p, bool is64, Elf64_Phdr *ph)
{
    if (is64) {
        memcpy(ph, p, sizeof(*ph));
        return;
    }
    Elf32_Phdr p32;
    memcpy(&p32, p, sizeof(p32));
    *ph = (Elf64_Phdr){
        .p_type = p32.p_type,
        .p_offset = p32.p_offset,
        .p_vaddr = p32.p_vaddr,
        .p_paddr = p32.p_paddr,
        .p_filesz = p32.p_filesz,
        .p_memsz = p32.p_memsz,
        .p_align = p32.p_align,
    };
}

static size_t note_align(size_t n, size_t align)
{
    return (n + align - 1) & ~(align - 1);
}

static void elf_note(ElfImage *image, const Elf64_Nhdr *n, const uint8_t *name, const uint8_t *desc)
{
    if (n->n_type != XEN_ELFNOTE_PHYS32_ENTRY || n->n_namesz != 4 || memcmp(name, "Xen", 4) ||
        (n->n_descsz != 4 && n->n_descsz != 8)) {
        return;
    }
    image->pvh_entry = 0;
    memcpy(&image->pvh_entry, desc, n->n_descsz);
    image->has_pvh_entry = true;
}

static void elf_read_notes(ElfImage *image, const uint8_t *p, size_t len, size_t align)
{
    Elf64_Nhdr n; /* the same in both classes */

    align = align == 8 ? 8 : 4;
    while (len >= sizeof(n)) {
        memcpy(&n, p, sizeof(n));
        size_t name = sizeof(n);
        size_t desc = note_align(name + (size_t)n.n_namesz, align);
        size_t next = note_align(desc + (size_t)n.n_descsz, align);
        if (desc + n.n_descsz > len) {
            return;
        }
        elf_note(image, &n, p + name, p + desc);
        if (next >= len) {
            return;
        }
        p += next;
        len -= next;
    }
}

static bool elf_read_segment(ElfImage *image, GBytes *file, const Elf64_Phdr *ph, GError **error)
{
    gsize len;
    const uint8_t *data = g_bytes_get_data(file, &len);

    if (ph->p_type != PT_LOAD && ph->p_type != PT_NOTE) {
        return true;
    }
    if (ph->p_offset > len || ph->p_filesz > len - ph->p_offset) {
        return elf_error(error, "the file is truncated");
    }
    if (ph->p_type == PT_NOTE) {
        elf_read_notes(image, data + ph->p_offset, ph->p_filesz, ph->p_align);
        return true;
    }
    if (ph->p_memsz < ph->p_filesz || ph->p_paddr + ph->p_memsz < ph->p_paddr) {
        return elf_error(error, "a segment's size makes no sense");
    }
    if (ph->p_memsz) {
        ElfSegment s = {ph->p_paddr, ph->p_vaddr, ph->p_memsz, ph->p_offset, ph->p_filesz};
        g_array_append_val(image->segments, s);
    }
    return true;
}

static bool elf_read_segments(ElfImage *image, GBytes *file, const Elf64_Ehdr *h, GError **error)
{
    size_t entsize = image->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    gsize len;
    const uint8_t *data = g_bytes_get_data(file, &len);

    if (h->e_phentsize != entsize || h->e_phnum > ELF_MAX_SEGMENTS) {
        return elf_error(error, "the program header makes no sense");
    }
    if (h->e_phoff > len || h->e_phnum * entsize > len - h->e_phoff) {
        return elf_error(error, "the program header is truncated");
    }
    for (unsigned i = 0; i < h->e_phnum; i++) {
        Elf64_Phdr ph;
        elf_read_phdr(data + h->e_phoff + i * entsize, image->is64, &ph);
        if (!elf_read_segment(image, file, &ph, error)) {
            return false;
        }
    }
    return image->segments->len || elf_error(error, "there is nothing to load");
}

ElfImage *elf_image_parse(GBytes *file, GError **error)
{
    g_autoptr(ElfImage) image = g_new0(ElfImage, 1);
    Elf64_Ehdr h = {0};

    image->segments = g_array_new(FALSE, FALSE, sizeof(ElfSegment));
    if (!elf_image_probe(file)) {
        elf_error(error, "no ELF magic");
        return NULL;
    }
    if (!elf_read_header(file, &h, error)) {
        return NULL;
    }
    if (h.e_ident[EI_DATA] != ELFDATA2LSB || (h.e_type != ET_EXEC && h.e_type != ET_DYN)) {
        elf_error(error, "not an executable");
        return NULL;
    }
    image->is64 = h.e_ident[EI_CLASS] == ELFCLASS64;
    image->entry = h.e_entry;
    if (!elf_read_segments(image, file, &h, error)) {
        return NULL;
    }
    return g_steal_pointer(&image);
}

void elf_image_free(ElfImage *image)
{
    if (image) {
        g_array_unref(image->segments);
        g_free(image);
    }
}

static const ElfSegment *elf_segment(const ElfImage *image, guint i)
{
    return &g_array_index(image->segments, ElfSegment, i);
}

uint64_t elf_image_physical_entry(const ElfImage *image)
{
    for (guint i = 0; i < image->segments->len; i++) {
        const ElfSegment *s = elf_segment(image, i);
        if (image->entry >= s->paddr && image->entry - s->paddr < s->memsz) {
            return image->entry;
        }
    }
    for (guint i = 0; i < image->segments->len; i++) {
        const ElfSegment *s = elf_segment(image, i);
        if (image->entry >= s->vaddr && image->entry - s->vaddr < s->memsz) {
            return image->entry - s->vaddr + s->paddr;
        }
    }
    return image->entry;
}

bool elf_image_load(const ElfImage *image, GBytes *file, Loader *loader, uint64_t limit,
                    GError **error)
{
    for (guint i = 0; i < image->segments->len; i++) {
        const ElfSegment *s = elf_segment(image, i);
        g_autofree char *name = g_strdup_printf("kernel segment %u", i);
        g_autoptr(GBytes) data = g_bytes_new_from_bytes(file, s->offset, s->filesz);

        if (s->paddr + s->memsz > limit) {
            g_set_error(error, LOADER_ERROR, LOADER_ERROR_MEMORY,
                        "%s (0x%" PRIx64 " to 0x%" PRIx64
                        ") does not fit in RAM, which ends at 0x%" PRIx64,
                        name, s->paddr, s->paddr + s->memsz - 1, limit);
            return false;
        }
        if (!loader_add(loader, name, s->paddr, data, s->memsz, error)) {
            return false;
        }
    }
    return true;
}
