#pragma once

/// Whether something keeps the kernel's clock right (adjtimex(2)): 1 or 0, negative when that cannot be told.
int snikket_clock_is_synchronised(void);
