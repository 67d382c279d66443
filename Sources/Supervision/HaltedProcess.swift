/// A process that was halted (SIGSTOP), and that nobody lets go on. Its children may still answer: nginx's workers do.
struct HaltedProcess: Error, CustomStringConvertible {
    var description: String { "its process is halted" }

    /// - Throws: ``HaltedProcess`` when it is (proc(5): state T).
    static func check(_ pid: Int32?) throws {
        // "pid (name) state ...": the name may hold blanks and brackets, so from the last bracket on.
        guard let pid, let text = ProcessTable.read("/proc/\(pid)/stat"), let bracket = text.lastIndex(of: ")") else { return }
        if text[text.index(after: bracket)...].split(separator: " ", maxSplits: 1).first == "T" { throw HaltedProcess() }
    }
}
