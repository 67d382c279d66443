#pragma once
// setfsuid(2) and setfsgid(2): Swift's Glibc leaves this header out.
#include <sys/fsuid.h>
