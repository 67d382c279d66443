/* A clock that can be set for one program and everything that it starts, while they run.
 *
 * Preloaded (ld.so(8), LD_PRELOAD). CLOCK_FILE is a file of eight bytes: by how many seconds the clock is wrong. It is mapped, so that
 * writing to it sets the clock of all of them at once, as somebody's `date -s` or a time server's answer does. CLOCK_REALTIME is wrong
 * then, and whatever is derived from it; CLOCK_MONOTONIC goes on as ever, as the kernel's does.
 *
 * Our servers are started with an environment of their own: those two variables are added to it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t none, *offset = &none;
static char preload[4200], file[4200];

__attribute__((constructor)) static void prepare(void) {
    const char *library = getenv("LD_PRELOAD"), *path = getenv("CLOCK_FILE");
    if (!library || !path) return;
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", library);
    snprintf(file, sizeof file, "CLOCK_FILE=%s", path);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return;
    void *mapped = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (mapped != MAP_FAILED) offset = mapped;
}

#define WITH_CLOCK(all, environment)                                                                              \
    size_t count = 0, kept = 0;                                                                                   \
    while (environment && environment[count]) count++;                                                            \
    char *all[count + 3];                                                                                         \
    for (size_t index = 0; index < count; index++) {                                                              \
        if (strncmp(environment[index], "LD_PRELOAD=", 11) && strncmp(environment[index], "CLOCK_FILE=", 11))     \
            all[kept++] = environment[index];                                                                     \
    }                                                                                                             \
    if (preload[0]) all[kept++] = preload;                                                                        \
    if (file[0]) all[kept++] = file;                                                                              \
    all[kept] = NULL

/* Async-signal-safe: it is called between fork and exec. */
int execve(const char *path, char *const arguments[], char *const environment[]) {
    WITH_CLOCK(all, environment);
    return syscall(SYS_execve, path, arguments, all);
}

int posix_spawn(pid_t *restrict pid, const char *restrict path, const posix_spawn_file_actions_t *restrict actions,
                const posix_spawnattr_t *restrict attributes, char *const arguments[restrict], char *const environment[restrict]) {
    static __typeof__(&posix_spawn) real;
    if (!real) real = (__typeof__(real))dlsym(RTLD_NEXT, "posix_spawn");
    WITH_CLOCK(all, environment);
    return real(pid, path, actions, attributes, arguments, all);
}

static int is_real(clockid_t clock) { return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI; }

int clock_gettime(clockid_t clock, struct timespec *now) {
    static __typeof__(&clock_gettime) real;
    if (!real) real = (__typeof__(real))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (result == 0 && is_real(clock)) now->tv_sec += *offset;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    *now = (struct timeval){.tv_sec = precise.tv_sec, .tv_usec = precise.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *where) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (where) *where = now.tv_sec;
    return now.tv_sec;
}

/* Those that wait until a moment of the clock: the kernel's moment is another one. */
static struct timespec kernels(const struct timespec *moment) {
    return (struct timespec){.tv_sec = moment->tv_sec - *offset, .tv_nsec = moment->tv_nsec};
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, const struct timespec *restrict moment) {
    /* Whoever set the condition to another clock passes a moment of that: those are near the present one, real ones half a century on. */
    struct timespec monotonic, mended = *moment;
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    if (moment->tv_sec - monotonic.tv_sec > 20LL * 365 * 86400) mended = kernels(moment);
    static __typeof__(&pthread_cond_timedwait) real;
    /* There are two on some machines, and dlsym(3) may find the older one. */
    if (!real) real = (__typeof__(real))dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (!real) real = (__typeof__(real))dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    return real(condition, mutex, &mended);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict moment) {
    struct timespec mended = kernels(moment);
    static __typeof__(&sem_timedwait) real;
    if (!real) real = (__typeof__(real))dlsym(RTLD_NEXT, "sem_timedwait");
    return real(semaphore, &mended);
}
