// For dl_iterate_phdr, which Swift cannot see: with _GNU_SOURCE these headers disagree with the ones of Swift's Glibc.
#define _GNU_SOURCE
#include "shim.h"
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

static int release(struct dl_phdr_info *image, size_t size, void *context) {
    (void)size; (void)context;
    // The program itself has no name, libraries have a path; what the kernel brings along is no file.
    if (image->dlpi_name[0] != 0 && image->dlpi_name[0] != '/') { return 0; }
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int index = 0; index < image->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &image->dlpi_phdr[index];
        if (segment->p_type != PT_LOAD || segment->p_flags & PF_W) { continue; }
        // Whole pages of it only: at its edges may be something else's.
        uintptr_t start = (image->dlpi_addr + segment->p_vaddr + page - 1) / page * page;
        uintptr_t end = (image->dlpi_addr + segment->p_vaddr + segment->p_memsz) / page * page;
        // Advice: when it is refused, nothing is lost.
        if (start < end) { (void)madvise((void *)start, end - start, MADV_DONTNEED); }
    }
    return 0;
}

void snikket_release_constant_segments(void) { dl_iterate_phdr(release, NULL); }
