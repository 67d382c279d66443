#pragma once
#include <malloc.h>

/// Lets go of the pages of all segments, the program's and its libraries', that were never writable: there is a second copy of those,
/// the file.
void snikket_release_constant_segments(void);
