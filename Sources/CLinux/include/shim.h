#pragma once
// What Linux offers and Swift's Glibc leaves out, or cannot see because it is variadic.
// No system header is included here: its types would then be this module's, and no longer Glibc's.

/// Makes us the parent of every process below us that loses its own (prctl(2), PR_SET_CHILD_SUBREAPER). 0, or -1 and errno.
int snikket_become_subreaper(void);

/// Whether the kernel has been told the right time lately (adjtimex(2)): 1 or 0; -1 when it does not say.
int snikket_clock_is_synchronised(void);

/// setfsuid(2) and setfsgid(2): whose rights this thread has with files. Both return who it was before.
int snikket_setfsuid(unsigned user);
int snikket_setfsgid(unsigned group);
