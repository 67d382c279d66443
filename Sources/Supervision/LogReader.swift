import Glibc
import SystemPackage

/// One line that a server printed.
public struct LogLine: Sendable, Equatable {
    /// Who printed it.
    public var service: String
    /// When: RFC 3339, UTC, 24 characters; empty when the line has no moment of its own.
    public var moment: String
    /// What.
    public var text: String

    public init(service: String, moment: String, text: String) {
        self.service = service
        self.moment = moment
        self.text = text
    }

    /// A line as ``LogSink`` writes it.
    init(service: String, line: Substring) {
        self.service = service
        if line.utf8.count > 24, line.utf8.dropFirst(23).first == UInt8(ascii: "Z") {
            moment = String(line.prefix(24))
            text = String(line.dropFirst(25))
        } else {
            moment = ""
            text = String(line)
        }
    }
}

/// Reads what ``LogSink``s wrote: the last lines of several servers in the order of time, and what comes after them.
public struct LogReader: Sendable {
    /// How often new lines are looked for.
    private static let interval = Duration.milliseconds(100)

    private struct Tail {
        var service: String
        var path: String
        /// Which file it is, so that a new one under the old name is noticed.
        var inode: UInt = 0
        var descriptor: FileDescriptor?
        var rest: [UInt8] = []
    }

    private var tails: [Tail]

    /// A reader.
    ///
    /// - Parameters:
    ///   - folder: where the files lie.
    ///   - services: whose; one without a file has no lines yet.
    public init(folder: String, services: [String]) {
        tails = services.map { Tail(service: $0, path: "\(folder)/\($0).log") }
    }

    /// The last lines of all services together, oldest first. The reader then stands at their end.
    ///
    /// - Parameter count: how many at most.
    public mutating func last(_ count: Int) -> [LogLine] {
        var lines: [LogLine] = []
        for index in tails.indices {
            let new = readOn(&tails[index])
            if new.count < count {
                let older = Self.wholeFile(tails[index].path + ".1").map { LogLine(service: tails[index].service, line: $0) }
                lines += older.suffix(count - new.count)
            }
            lines += new.suffix(count)
        }
        return Self.merged(lines).suffix(count)
    }

    /// Calls `body` with new lines, again and again, until the task is cancelled or `body` returns false.
    public mutating func follow(_ body: ([LogLine]) -> Bool) async {
        while !Task.isCancelled {
            let lines = Self.merged(tails.indices.flatMap { readOn(&tails[$0]) })
            if !lines.isEmpty, !body(lines) { return }
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// The whole lines that came since the last call.
    private func readOn(_ tail: inout Tail) -> [LogLine] {
        var lines: [LogLine] = []
        while true {
            if let descriptor = tail.descriptor {
                Self.startAgainIfTruncated(descriptor, &tail)
                lines += Self.read(descriptor, &tail)
            }
            var info = stat()
            // The same file, or none at all: nothing more for now.
            guard stat(tail.path, &info) == 0, tail.descriptor == nil || UInt(info.st_ino) != tail.inode else { return lines }
            // It was renamed; what was written between our last read and the renaming is still in it.
            if let descriptor = tail.descriptor {
                lines += Self.read(descriptor, &tail)
                try? descriptor.close()
                tail.descriptor = nil
            }
            guard let next = try? FileDescriptor.open(tail.path, .readOnly, options: .closeOnExec), fstat(next.rawValue, &info) == 0 else {
                return lines
            }
            tail.descriptor = next
            tail.inode = UInt(info.st_ino)
        }
    }

    /// A file that is shorter than what was read of it has been emptied in place, as `logrotate` does with copytruncate.
    private static func startAgainIfTruncated(_ descriptor: FileDescriptor, _ tail: inout Tail) {
        var info = stat()
        guard fstat(descriptor.rawValue, &info) == 0, let position = try? descriptor.seek(offset: 0, from: .current), info.st_size < position
        else { return }
        _ = try? descriptor.seek(offset: 0, from: .start)
        tail.rest = []
    }

    private static func read(_ descriptor: FileDescriptor, _ tail: inout Tail) -> [LogLine] {
        var lines: [LogLine] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while let count = try? chunk.withUnsafeMutableBytes({ try descriptor.read(into: $0) }), count > 0 {
            tail.rest += chunk[..<count]
            var start = tail.rest.startIndex
            while let end = tail.rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
                lines.append(LogLine(service: tail.service, line: Substring(decoding: tail.rest[start..<end], as: UTF8.self)))
                start = end + 1
            }
            tail.rest.removeSubrange(..<start)
        }
        return lines
    }

    private static func wholeFile(_ path: String) -> [Substring] {
        ProcessTable.read(path)?.split(separator: "\n") ?? []
    }

    /// In the order of time; lines of one moment stay in the order that they came in, and a line without a moment with the one before it.
    private static func merged(_ lines: [LogLine]) -> [LogLine] {
        var moments: [String: String] = [:]
        return lines.enumerated().map { index, line in
            let moment = line.moment.isEmpty ? moments[line.service] ?? "" : line.moment
            moments[line.service] = moment
            return (moment, index, line)
        }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
    }
}
