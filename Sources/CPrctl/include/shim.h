#pragma once
#include <sys/prctl.h>

/// Makes us the parent of every process below us that loses its own (PR_SET_CHILD_SUBREAPER). 0, or -1 and errno.
static inline int snikket_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL); }
