// Swift's Glibc does not have this header.
#include "shim.h"
#include <sys/timex.h>

int snikket_clock_is_synchronised(void) {
    // Nothing is set with these modes.
    struct timex request = {.modes = 0};
    int state = adjtimex(&request);
    return state < 0 ? -1 : state != TIME_ERROR;
}
