import DurableFiles
import Glibc
import SystemPackage

/// What /proc says about processes (proc(5)).
enum ProcessTable {
    /// The memory of all processes of a group: the sum of their PSS; a process whose PSS we may not see counts with its resident pages.
    /// nil when there is no such process.
    ///
    /// - Parameter account: who they run as; nil: as we do. With the rights of that account we see what it sees of its own processes, and need none over
    ///   everybody's (CAP_SYS_PTRACE).
    static func memory(ofGroup group: Int32, runningAs account: Account?) -> Int? {
        let sum = try? File.acting(as: geteuid() == 0 ? account : nil, on: "/proc") { () throws(FileError) -> Int? in
            var sum: Int?
            for pid in processes() where self.group(of: pid) == group {
                guard let bytes = proportionalMemory(of: pid) ?? residentMemory(of: pid) else { continue }
                sum = (sum ?? 0) + bytes
            }
            return sum
        }
        return sum ?? nil
    }

    /// All processes that we can see.
    static func processes() -> [Int32] {
        names(in: "/proc").compactMap { Int32($0) }
    }

    /// The process group; nil when the process is gone.
    static func group(of pid: Int32) -> Int32? { number(2, of: pid) }

    private static func number(_ index: Int, of pid: Int32) -> Int32? {
        // "pid (name) state ppid pgrp session ...": the name may hold blanks and brackets, so from the last bracket on.
        guard let text = read("/proc/\(pid)/stat"), let bracket = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: bracket)...].split(separator: " ", maxSplits: 5)
        // A zombie has no memory and does nothing any more.
        guard fields.count > index, fields[0] != "Z" else { return nil }
        return Int32(fields[index])
    }

    /// The effective user; nil when the process is gone.
    static func user(of pid: Int32) -> uid_t? {
        guard let line = read("/proc/\(pid)/status")?.split(separator: "\n").first(where: { $0.hasPrefix("Uid:") }) else { return nil }
        return line.split(separator: "\t").dropFirst(2).first.flatMap { uid_t($0) }
    }

    /// What it was started with, `NAME=VALUE`; nothing when we may not see it.
    static func environment(of pid: Int32) -> [Substring] {
        read("/proc/\(pid)/environ")?.split(separator: "\0") ?? []
    }

    /// The children of a process, their children, and so on.
    static func descendants(of pid: Int32) -> [Int32] {
        names(in: "/proc/\(pid)/task").flatMap { thread in
            (read("/proc/\(pid)/task/\(thread)/children") ?? "").split(separator: " ").compactMap { Int32($0) }
                .flatMap { [$0] + descendants(of: $0) }
        }
    }

    /// The name that the kernel has for it: 15 characters at most.
    static func name(of pid: Int32) -> String? {
        read("/proc/\(pid)/comm").map { String($0.prefix { $0 != "\n" }) }
    }

    /// Our effective capabilities.
    static func effectiveCapabilities() -> UInt64 { ownStatus("CapEff") ?? 0 }

    /// A number in our /proc/PID/status, hexadecimal as those are that stand for sets.
    static func ownStatus(_ name: String) -> UInt64? {
        guard let line = read("/proc/self/status")?.split(separator: "\n").first(where: { $0.hasPrefix("\(name):") }) else { return nil }
        return UInt64(line.dropFirst(name.count + 1).trimming(), radix: 16)
    }

    private static func proportionalMemory(of pid: Int32) -> Int? {
        guard let line = read("/proc/\(pid)/smaps_rollup")?.split(separator: "\n").first(where: { $0.hasPrefix("Pss:") }) else { return nil }
        return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
    }

    private static func residentMemory(of pid: Int32) -> Int? {
        read("/proc/\(pid)/statm")?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * Int(getpagesize()) }
    }

    /// The names in a folder; none when it cannot be read.
    static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names
    }

    /// A small file's text; nil when it cannot be read.
    static func read(_ path: String) -> String? {
        guard let file = try? FileDescriptor.open(path, .readOnly, options: .closeOnExec) else { return nil }
        defer { try? file.close() }
        var bytes: [UInt8] = []
        while true {
            let before = bytes.count
            let chunk = try? [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
            guard let chunk else { return nil }
            bytes += chunk
            if bytes.count == before { return String(decoding: bytes, as: UTF8.self) }
        }
    }
}

extension Substring {
    /// Without the blanks and tabs around it.
    func trimming() -> Substring {
        var rest = self
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return rest
    }
}
