import CMalloc
import Glibc

/// One heap for all threads: a heap of its own for each is faster for programs that allocate all the time, and memory that stays
/// for one that mostly waits. To be called first of all.
public func useOneHeap() { mallopt(M_ARENA_MAX, 1) }

/// Lets go of what starting needed and waiting does not: free heap, and pages of code.
///
/// The kernel maps sixteen pages around each one that is touched, so most of a large program is counted as its memory after
/// the start, though a fifth of it is used. The pages stay in the page cache, and whatever is needed again is mapped again
/// (a minor fault, no disk access). Under memory pressure the kernel would do the same by itself.
public func releaseStartupPages() {
    malloc_trim(0)
    guard let maps = fopen("/proc/self/maps", "re") else { return }
    defer { fclose(maps) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while getline(&line, &capacity, maps) > 0, let text = line {
        release(String(cString: text))
    }
}

/// - Parameter line: of proc(5) maps: `55d0c0a00000-55d0c2000000 r-xp 00200000 08:01 1234 /usr/bin/snikket`.
private func release(_ line: String) {
    let fields = line.split(whereSeparator: \.isWhitespace)
    guard fields.count >= 6, fields[5].hasPrefix("/") else { return }
    // Never writable pages: those hold what the loader has filled in, and there is no second copy.
    guard fields[1].hasPrefix("r"), !fields[1].contains("w"), fields[1].contains("x") else { return }
    let bounds = fields[0].split(separator: "-").compactMap { UInt(String($0), radix: 16) }
    guard bounds.count == 2, let start = UnsafeMutableRawPointer(bitPattern: bounds[0]), bounds[1] > bounds[0] else { return }
    // Advice: when it is refused, nothing is lost.
    _ = madvise(start, Int(bounds[1] - bounds[0]), MADV_DONTNEED)
}
