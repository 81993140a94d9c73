/* exports.c - what a shared object exports, read from its file: the loader cannot be asked. */
#include "conformance_internal.h"

#include "file.h"

#include <elf.h>
#include <link.h>

#define FILE_MAX_BYTES ((size_t)512 << 20)

struct image {
    const char *bytes;
    size_t size;
    const ElfW(Ehdr) * head;
    const ElfW(Shdr) * sections;
};

static bool
is_inside(const struct image *image, uint64_t offset, uint64_t size)
{
    return offset <= image->size && size <= image->size - offset;
}

static bool
open_image(struct image *image)
{
    const ElfW(Ehdr) *head = (const void *)image->bytes;
    if (!is_inside(image, 0, sizeof *head) || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
        head->e_shentsize != sizeof *image->sections ||
        !is_inside(image, head->e_shoff, (uint64_t)head->e_shnum * sizeof *image->sections) ||
        head->e_shoff % 8)
        return false;
    image->head = head;
    image->sections = (const void *)(image->bytes + head->e_shoff);
    return true;
}

/* Weak ones are the compiler's (of C++: inline functions, type information), and a leading underscore is the
 * implementation's, such as a sanitizer's. */
static bool
is_of_author(const ElfW(Sym) * symbol, const char *name)
{
    unsigned char bind = symbol->st_info >> 4, visibility = symbol->st_other & 3;
    return symbol->st_shndx != SHN_UNDEF && bind == STB_GLOBAL &&
           (visibility == STV_DEFAULT || visibility == STV_PROTECTED) && name[0] != '_' &&
           !text_eq(name, GANTRY_PLUGIN_ENTRY);
}

static const char *
find_in(const struct image *image, const ElfW(Shdr) * table)
{
    if (table->sh_link >= image->head->e_shnum || table->sh_offset % 8 ||
        !is_inside(image, table->sh_offset, table->sh_size))
        return NULL;
    const ElfW(Shdr) *names = &image->sections[table->sh_link];
    const ElfW(Sym) *symbols = (const void *)(image->bytes + table->sh_offset);
    if (!is_inside(image, names->sh_offset, names->sh_size))
        return NULL;
    for (size_t i = 0; i < table->sh_size / sizeof *symbols; i++) {
        const char *name = image->bytes + names->sh_offset + symbols[i].st_name;
        if (symbols[i].st_name < names->sh_size && is_of_author(&symbols[i], name))
            return name;
    }
    return NULL;
}

int
kit_find_export(const char *file, struct arena *arena, const char **name, struct gantry_error **err)
{
    AUTO_FREE char *bytes = NULL;
    struct image image = {0};
    int rc = file_read(file, FILE_MAX_BYTES, &bytes, &image.size, err);
    if (rc < 0)
        return rc;
    image.bytes = bytes;
    if (!open_image(&image))
        return err_set(err, GANTRY_E_INVALID, "%s: its list of sections cannot be read", file);
    const char *found = NULL;
    for (size_t i = 0; !found && i < image.head->e_shnum; i++)
        if (image.sections[i].sh_type == SHT_DYNSYM)
            found = find_in(&image, &image.sections[i]);
    *name = arena_dup_text(arena, found);
    return found && !*name ? err_nomem(err) : 0;
}
