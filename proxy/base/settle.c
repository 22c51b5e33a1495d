/*
 * settle.c - gives back what only starting needed
 *
 * Reading a certificate and linking the libraries touch some megabytes of
 * program text and tables that serving hardly needs.  They are clean pages of
 * files: what is wanted again comes back from the page cache, sixteen pages at
 * a time.  Only segments that were never writable are let go, since others have
 * relocations in them.
 */
#include "albatross/arena.h"

#include <link.h>
#include <malloc.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

static int
let_go(struct dl_phdr_info *info, size_t size, void *page_size)
{
	uintptr_t page = *(const uintptr_t *)page_size;
	unsigned i;

	(void)size;
	if (info->dlpi_addr == getauxval(AT_SYSINFO_EHDR))
		return 0; /* the vDSO is no file */
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		uintptr_t begin = info->dlpi_addr + part->p_vaddr;
		uintptr_t end = begin + part->p_memsz;

		if (part->p_type != PT_LOAD || (part->p_flags & PF_W) != 0)
			continue;
		begin &= ~(page - 1);
		end &= ~(page - 1); /* the last page may be another's too */
		if (end > begin)
			madvise((void *)begin, end - begin, MADV_DONTNEED);
	}
	return 0;
}

void
abt_memory_settle(void)
{
	long page = sysconf(_SC_PAGESIZE);
	uintptr_t size = page > 0 ? (uintptr_t)page : 4096;

	malloc_trim(0);
	dl_iterate_phdr(let_go, &size);
}
