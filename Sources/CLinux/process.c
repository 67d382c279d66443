#define _GNU_SOURCE
#include "shim.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Between the start of a process and its program everything here runs in our memory, while the thread that started it waits: nothing may be
// allocated, no lock taken, and whose rights a process has is changed by the system calls themselves, since the C library's functions would
// change those of all our threads.

/// Linux can hand out 64 of them.
enum { MOST_CAPABILITIES = 64, STACK_SIZE = 64 << 10 };

/// Gives up the capabilities that are not wanted, becomes another user, takes the limits: the order is the kernel's, each step needs what a later one takes away.
static int restrict_rights(const struct snikket_program *program) {
    const uint64_t wanted = program->capabilities;
    if (program->drops_bounding) {
        for (unsigned number = 0; number < MOST_CAPABILITIES; number++) {
            // Those that this kernel does not know are EINVAL.
            if (!(wanted >> number & 1) && prctl(PR_CAPBSET_DROP, number, 0, 0, 0) && errno != EINVAL) return errno;
        }
    }
    if (program->changes_user) {
        if (wanted && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)) return errno;
        if (syscall(SYS_setgroups, 0, NULL)) return errno;
        if (syscall(SYS_setresgid, program->group, program->group, program->group)) return errno;
        if (syscall(SYS_setresuid, program->user, program->user, program->user)) return errno;
    }
    if (program->changes_user || program->clears_ambient) {
        struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
        struct __user_cap_data_struct sets[2];
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)) return errno;
        if (syscall(SYS_capget, &header, sets)) return errno;
        for (int half = 0; half < 2; half++) {
            const uint32_t bits = program->changes_user ? wanted >> (32 * half) : 0;
            // Root's program gets at its start what the bounding set leaves; another user's only what is in the ambient set.
            if (program->changes_user) sets[half].permitted = sets[half].effective = bits;
            sets[half].inheritable = bits;
        }
        if (syscall(SYS_capset, &header, sets)) return errno;
        for (unsigned number = 0; program->changes_user && number < MOST_CAPABILITIES; number++) {
            if (wanted >> number & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0)) return errno;
        }
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return errno;
    for (int number = 0; number < program->limit_count; number++) {
        const rlim_t value = program->limits[number].value;
        if (setrlimit(program->limits[number].resource, &(struct rlimit){value, value})) return errno;
    }
    return 0;
}

static int execute(const struct snikket_program *program) {
    execve(program->path, program->arguments, program->environment ? program->environment : environ);
    return errno;
}

int snikket_become(const struct snikket_program *program) {
    const int failure = restrict_rights(program);
    if (failure) return failure;
    return execute(program);
}

struct beginning {
    const struct snikket_program *program;
    int failure;
};

static int take_descriptors(const int *wanted, int count) {
    int copies[SNIKKET_MOST_DESCRIPTORS];
    if (count > SNIKKET_MOST_DESCRIPTORS) return E2BIG;
    // First out of the way: one of them may have the number of another.
    for (int number = 0; number < count; number++) {
        copies[number] = fcntl(wanted[number], F_DUPFD, count);
        if (copies[number] < 0) return errno;
    }
    for (int number = 0; number < count; number++) {
        if (dup2(copies[number], number) < 0) return errno;
    }
    // Ours are closed by the kernel at the start of a program; should one not be marked so, it is closed here. An older kernel cannot.
    syscall(SYS_close_range, count, UINT_MAX, 0);
    return 0;
}

static void take_signals(int stays_in_session) {
    // What we ignore or wait for is nothing to the program; but what whoever started us wants ignored (nohup) is meant for all that runs in the session. The C library keeps two signals to itself, so the kernel is asked; all zero is SIG_DFL.
    static const struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } usual;
    for (int number = 1; number < _NSIG; number++) {
        if (stays_in_session && (number == SIGHUP || number == SIGINT || number == SIGQUIT)) {
            __typeof__(usual) present = {0};
            if (!syscall(SYS_rt_sigaction, number, NULL, &present, sizeof present.mask) && present.handler == (void *)SIG_IGN) continue;
        }
        syscall(SYS_rt_sigaction, number, &usual, NULL, sizeof usual.mask);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int begin(const struct snikket_program *program) {
    if (!program->stays_in_session && setsid() < 0) return errno;
    if (program->folder && chdir(program->folder)) return errno;
    int failure = take_descriptors(program->descriptors, program->descriptor_count);
    if (!failure) failure = restrict_rights(program);
    if (failure) return failure;
    // After the change of user, which takes it away. Of a death before this line we are not told: then somebody else is our parent.
    if (prctl(PR_SET_PDEATHSIG, program->parent_death_signal, 0, 0, 0)) return errno;
    if (getppid() != program->parent) return ESRCH;
    take_signals(program->stays_in_session);
    return execute(program);
}

static int begin_in_child(void *argument) {
    struct beginning *beginning = argument;
    beginning->failure = begin(beginning->program);
    _exit(127);
}

int snikket_start(const struct snikket_program *program, int *pidfd) {
    char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return -errno;
    sigset_t all, before;
    sigfillset(&all);
    // A handler of ours must not run in the child, which shares our memory.
    pthread_sigmask(SIG_SETMASK, &all, &before);
    struct beginning beginning = {program, 0};
    // As posix_spawn(3): no page tables are copied, and we go on when the program has begun, or when it could not.
    const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
    const int pid = clone(begin_in_child, stack + STACK_SIZE, flags, &beginning, pidfd);
    const int failure = pid < 0 ? errno : beginning.failure;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    munmap(stack, STACK_SIZE);
    if (failure == 0) return pid;
    if (pid > 0) {
        close(*pidfd);
        waitpid(pid, NULL, 0);
    }
    return -failure;
}
