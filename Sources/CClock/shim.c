#include "shim.h"
#include <sys/timex.h>

int snikket_clock_is_synchronised(void) {
    // Without modes it only asks; a sandbox may forbid even that.
    struct timex state = {0};
    if (adjtimex(&state) < 0) return -1;
    return (state.status & STA_UNSYNC) == 0;
}
