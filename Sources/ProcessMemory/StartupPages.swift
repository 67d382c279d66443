import CMalloc

/// One heap for all threads: a heap of its own for each is faster for programs that allocate all the time, and memory that stays
/// for one that mostly waits. To be called first of all.
public func useOneHeap() { mallopt(M_ARENA_MAX, 1) }

/// Lets go of what was needed so far and may not be needed again: free heap, and pages of code and constants.
///
/// The kernel maps sixteen pages around each one that is touched, so most of a large program is counted as its memory after
/// the start, though a fifth of it is used. The pages stay in the page cache, and whatever is needed again is mapped again
/// (a minor fault, no disk access). Under memory pressure the kernel would do the same by itself.
public func releaseStartupPages() {
    malloc_trim(0)
    snikket_release_constant_segments()
}
