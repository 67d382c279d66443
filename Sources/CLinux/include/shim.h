#pragma once
// What Linux offers and Swift's Glibc leaves out, or cannot see because it is variadic.
// No system header is included here: its types would then be this module's, and no longer Glibc's.

/// Makes us the parent of every process below us that loses its own (prctl(2), PR_SET_CHILD_SUBREAPER). 0, or -1 and errno.
int snikket_become_subreaper(void);

/// Gives this thread a name of at most 15 bytes, for `ps -L` (prctl(2), PR_SET_NAME).
void snikket_name_thread(const char *name);

/// Whether the kernel has been told the right time lately (adjtimex(2)): 1 or 0; -1 when it does not say.
int snikket_clock_is_synchronised(void);

/// setfsuid(2) and setfsgid(2): whose rights this thread has with files. Both return who it was before.
int snikket_setfsuid(unsigned user);
int snikket_setfsgid(unsigned group);

/// O_PATH of open(2): a place to go on from, which takes no right to read it.
enum { SNIKKET_PATH_ONLY = 010000000 };

/// Has the kernel begin to put a part of a file on the disk, without waiting for it (sync_file_range(2)). 0, or -1 and errno.
int snikket_begin_writing_back(int file, long long offset, long long size);

/// A resource limit, the soft and the hard one (setrlimit(2)).
struct snikket_limit {
    int resource;
    unsigned long long value;
};

enum { SNIKKET_MOST_DESCRIPTORS = 8 };

/// A program, and what it may do.
struct snikket_program {
    const char *path;
    /// Its name first; ends with NULL.
    char *const *arguments;
    /// NAME=VALUE; ends with NULL. NULL itself: ours.
    char *const *environment;
    /// Where it starts; NULL: where we are.
    const char *folder;
    /// What it has open: its standard input, output and error first. At most SNIKKET_MOST_DESCRIPTORS.
    const int *descriptors;
    int descriptor_count;
    /// Whether it stays in our session: then it can ask on our terminal, and what is pressed there reaches it.
    int stays_in_session;
    /// Who it runs as, without other groups.
    int changes_user;
    unsigned user, group;
    /// The capabilities that are left, a bit each (capabilities(7)).
    unsigned long long capabilities;
    /// Whether the bounding set is made that small, which needs CAP_SETPCAP.
    int drops_bounding;
    /// Whether no capability is handed on to programs although the user stays.
    int clears_ambient;
    const struct snikket_limit *limits;
    int limit_count;
    /// Its parent, and what it is told when the thread ends that started it (prctl(2), PR_SET_PDEATHSIG).
    int parent, parent_death_signal;
};

/// Starts a program, in a session of its own unless it is to stay, without rights that it is not given and without a way to new ones (PR_SET_NO_NEW_PRIVS).
/// Its number, when the program has begun; or -errno, and then nothing is left. pidfd becomes a descriptor of the process (pidfd_open(2)).
int snikket_start(const struct snikket_program *program, int *pidfd);

/// Becomes a program, with the rights alone that it is given; its session, descriptors and parent stay. Returns errno when that cannot be.
int snikket_become(const struct snikket_program *program);
