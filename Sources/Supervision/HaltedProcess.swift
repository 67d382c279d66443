import DurableFiles
import Glibc

/// A process that was halted (SIGSTOP), and that nobody lets go on. Its children may still answer: nginx's workers do.
struct HaltedProcess: Error, CustomStringConvertible {
    var description: String { "its process is halted" }

    /// - Throws: ``HaltedProcess`` when it is (proc(5): state T).
    ///
    /// - Parameter account: who it runs as; nil: as we do. With its rights we see it also where others' processes are hidden (proc(5), hidepid).
    static func check(_ pid: Int32?, runningAs account: Account?) throws {
        guard let pid else { return }
        let stat = try? File.acting(as: geteuid() == 0 ? account : nil, on: "/proc") { () throws(FileError) in ProcessTable.read("/proc/\(pid)/stat")
        }
        // "pid (name) state ...": the name may hold blanks and brackets, so from the last bracket on.
        guard let text = stat ?? nil, let bracket = text.lastIndex(of: ")") else { return }
        if text[text.index(after: bracket)...].split(separator: " ", maxSplits: 1).first == "T" { throw HaltedProcess() }
    }
}
