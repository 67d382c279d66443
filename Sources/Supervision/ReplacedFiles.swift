import DurableFiles
import Glibc
import SystemPackage

extension SupervisedService {
    /// The program files and libraries that the server's processes run and that are no longer on the disk as they were: an upgrade has put others in
    /// their place, and the server still has the old ones. Empty when there are none, or when it does not run.
    public func replacedFiles() -> Set<String> {
        guard let group = process?.pid else { return [] }
        let account = geteuid() == 0 ? specification.account : nil
        // With the account's rights we see what it may see of its own processes.
        let files = try? File.acting(as: account, on: "/proc") { () throws(FileError) in
            ProcessTable.processes().filter { ProcessTable.group(of: $0) == group }.reduce(into: Set()) { $0.formUnion(ReplacedFiles.of($1)) }
        }
        return files ?? []
    }
}

/// Files that a process runs and that are not there any more under their names (proc(5), /proc/PID/maps).
public enum ReplacedFiles {
    /// Those of our own process.
    public static var ofOurselves: Set<String> { of(getpid()) }

    static func of(_ pid: Int32) -> Set<String> {
        guard let file = try? FileDescriptor.open("/proc/\(pid)/maps", .readOnly, options: .closeOnExec) else { return [] }
        defer { try? file.close() }
        var (found, rest): (Set<String>, [UInt8]) = ([], [])
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 14, alignment: 1)
        defer { buffer.deallocate() }
        while let count = try? file.read(into: buffer), count > 0 {
            rest += UnsafeRawBufferPointer(rebasing: buffer[..<count])
            guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { continue }
            for line in rest[...end].split(separator: UInt8(ascii: "\n")) {
                if let path = path(ofReplaced: line) { found.insert(path) }
            }
            rest.removeSubrange(...end)
        }
        return found
    }

    private static let mark = Array(" (deleted)".utf8)

    /// `7f...-7f... r-xp 00000000 fe:00 1234    /usr/lib/x86_64-linux-gnu/libssl.so.3 (deleted)`: the path. Only what runs counts, and only what packages
    /// bring: a file that a program made itself and unlinked is its own affair.
    static func path(ofReplaced line: some BidirectionalCollection<UInt8>) -> String? {
        guard line.suffix(mark.count).elementsEqual(mark), let slash = line.firstIndex(of: UInt8(ascii: "/")) else { return nil }
        let fields = line[..<slash].split(separator: UInt8(ascii: " "))
        guard fields.count == 5, fields[1].contains(UInt8(ascii: "x")) else { return nil }
        let path = String(decoding: line[slash...].dropLast(mark.count), as: UTF8.self)
        return ["/usr/", "/lib", "/bin/", "/sbin/", "/opt/"].contains(where: path.hasPrefix) ? path : nil
    }
}
