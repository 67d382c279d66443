#pragma once

/// Whether the kernel has been told the right time lately (adjtimex(2)): 1 or 0; -1 when it does not say.
/// Swift's Glibc has no sys/timex.h.
int snikket_clock_is_synchronised(void);
