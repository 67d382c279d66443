/* Counts the calls by which a program changes files below one folder, and makes one of them the program's last, or fail.
 *
 * Preloaded (ld.so(8), LD_PRELOAD). FAULT_BELOW is the folder. FAULT_AT is the number of the call, from 1, before which SIGKILL comes, or
 * which fails with the errno in FAULT_ERRNO; with FAULT_FOR_EVER every later call that needs room on the disk fails too. FAULT_LOG is a
 * file that gets a line for each call. The count is the process's, whichever thread calls: that is why this is no use of strace, which
 * counts for each thread. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char below[PATH_MAX];
static long at, error, for_ever;
static int log_file = -1;
static atomic_long calls;

__attribute__((constructor)) static void prepare(void) {
    const char *folder = getenv("FAULT_BELOW"), *number = getenv("FAULT_AT"), *code = getenv("FAULT_ERRNO"), *log = getenv("FAULT_LOG");
    if (folder) snprintf(below, sizeof below, "%s", folder);
    at = number ? atol(number) : 0;
    error = code ? atol(code) : 0;
    for_ever = getenv("FAULT_FOR_EVER") != NULL;
    if (log) log_file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    /* Programs that this one starts are left alone. */
    unsetenv("LD_PRELOAD");
}

static int is_below(const char *path) {
    char whole[PATH_MAX * 2];
    if (!below[0] || !path) return 0;
    if (path[0] != '/') {
        char here[PATH_MAX];
        if (!getcwd(here, sizeof here)) return 0;
        snprintf(whole, sizeof whole, "%s/%s", here, path);
        path = whole;
    }
    size_t length = strlen(below);
    return strncmp(path, below, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static const char *path_of(int file, char *buffer, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t count = syscall(SYS_readlinkat, AT_FDCWD, link, buffer, size - 1);
    if (count <= 0) return NULL;
    buffer[count] = 0;
    return buffer;
}

/* 0: go on. Otherwise the call has failed, errno is set. */
static int fault(const char *call, const char *path, int needs_room) {
    if (!is_below(path)) return 0;
    long number = atomic_fetch_add(&calls, 1) + 1;
    if (log_file >= 0) {
        char line[PATH_MAX + 64];
        int length = snprintf(line, sizeof line, "%s %s\n", call, path);
        syscall(SYS_write, log_file, line, (size_t)length);
    }
    if (!at || number < at) return 0;
    if (!error) {
        if (number == at) syscall(SYS_kill, getpid(), SIGKILL);
        return 0;
    }
    if (number > at && !(for_ever && needs_room)) return 0;
    errno = (int)error;
    return -1;
}

static int fault_file(const char *call, int file, int needs_room) {
    char path[PATH_MAX];
    int before = errno;
    const char *found = below[0] ? path_of(file, path, sizeof path) : NULL;
    errno = before;
    return fault(call, found, needs_room);
}

static int is_for_writing(int flags) { return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT); }

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPEN(name)                                                                         \
    int name(const char *path, int flags, ...) {                                           \
        va_list rest;                                                                      \
        va_start(rest, flags);                                                             \
        mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(rest, mode_t) : 0;        \
        va_end(rest);                                                                      \
        if (is_for_writing(flags) && fault("open", path, (flags & O_CREAT) != 0)) return -1; \
        return REAL(name)(path, flags, mode);                                              \
    }
OPEN(open)
OPEN(open64)

#define ON_PATH(name, room, parameters, arguments, path)          \
    int name parameters {                                         \
        if (fault(#name, path, room)) return -1;                  \
        return REAL(name) arguments;                              \
    }
ON_PATH(mkdir, 1, (const char *path, mode_t mode), (path, mode), path)
ON_PATH(rename, 1, (const char *from, const char *to), (from, to), to)
ON_PATH(link, 1, (const char *from, const char *to), (from, to), to)
ON_PATH(symlink, 1, (const char *target, const char *path), (target, path), path)
ON_PATH(unlink, 0, (const char *path), (path), path)
ON_PATH(rmdir, 0, (const char *path), (path), path)
ON_PATH(chmod, 0, (const char *path, mode_t mode), (path, mode), path)
ON_PATH(chown, 0, (const char *path, uid_t user, gid_t group), (path, user, group), path)
ON_PATH(lchown, 0, (const char *path, uid_t user, gid_t group), (path, user, group), path)

/* A name in a folder that is open. */
static int fault_name(const char *call, int folder, const char *name, int needs_room) {
    char path[PATH_MAX], whole[PATH_MAX * 2];
    if (!below[0] || !name) return 0;
    if (folder == AT_FDCWD || name[0] == '/') return fault(call, name, needs_room);
    int before = errno;
    const char *found = path_of(folder, path, sizeof path);
    errno = before;
    if (!found) return 0;
    snprintf(whole, sizeof whole, "%s/%s", found, name);
    return fault(call, whole, needs_room);
}

#define ON_NAME(name, room, parameters, arguments, folder, path)  \
    int name parameters {                                         \
        if (fault_name(#name, folder, path, room)) return -1;     \
        return REAL(name) arguments;                              \
    }
ON_NAME(mkdirat, 1, (int in, const char *path, mode_t mode), (in, path, mode), in, path)
ON_NAME(renameat, 1, (int a, const char *from, int b, const char *to), (a, from, b, to), b, to)
ON_NAME(linkat, 1, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags), b, to)
ON_NAME(symlinkat, 1, (const char *target, int in, const char *path), (target, in, path), in, path)
ON_NAME(unlinkat, 0, (int in, const char *path, int flags), (in, path, flags), in, path)

#define OPEN_IN(name)                                                                                \
    int name(int in, const char *path, int flags, ...) {                                             \
        va_list rest;                                                                                \
        va_start(rest, flags);                                                                       \
        mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(rest, mode_t) : 0;                  \
        va_end(rest);                                                                                \
        if (is_for_writing(flags) && fault_name("openat", in, path, (flags & O_CREAT) != 0)) return -1; \
        return REAL(name)(in, path, flags, mode);                                                    \
    }
OPEN_IN(openat)
OPEN_IN(openat64)

#define ON_FILE(name, type, room, parameters, arguments)          \
    type name parameters {                                        \
        if (fault_file(#name, file, room)) return -1;             \
        return REAL(name) arguments;                              \
    }
ON_FILE(write, ssize_t, 1, (int file, const void *bytes, size_t count), (file, bytes, count))
ON_FILE(fsync, int, 0, (int file), (file))
ON_FILE(fchmod, int, 0, (int file, mode_t mode), (file, mode))
ON_FILE(fchown, int, 0, (int file, uid_t user, gid_t group), (file, user, group))
ON_FILE(ftruncate, int, 0, (int file, off_t length), (file, length))

/* A file that was written may tell at its end that it could not be. The descriptor is gone all the same (close(2)). */
int close(int file) {
    int flags = below[0] ? fcntl(file, F_GETFL) : -1;
    int failed = flags >= 0 && is_for_writing(flags & O_ACCMODE) && fault_file("close", file, 0);
    int reason = errno;
    int result = REAL(close)(file);
    if (!failed) return result;
    errno = reason;
    return -1;
}
