import DurableFiles
import Glibc

extension [RenderedFile] {
    /// What writing these files would change, as a unified diff against what is in place. Empty when nothing would.
    ///
    /// Secrets are masked; that one changed is still seen.
    public func difference() throws(ServerConfigsError) -> String {
        var text = ""
        for file in self {
            var old: [UInt8] = []
            var name = file.path
            do throws(ServerConfigsError) {
                old = try File.own(file.path)
            } catch {
                guard case .file(let problem) = error, problem.errno == ENOENT else { throw error }
                name = "/dev/null"
            }
            guard old != file.contents || name == "/dev/null" else { continue }
            let difference = LineDifference(from: Self.lines(old), to: Self.lines(file.contents))
            text += "--- \(name)\n+++ \(file.path)\n" + difference.hunks(masking: file.isSecret)
        }
        return text
    }

    private static func lines(_ contents: [UInt8]) -> [String] {
        var lines = String(decoding: contents, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        return lines
    }
}

/// Two texts, compared line by line.
private struct LineDifference {
    private enum Edit: Equatable { case same(String), removed(String), added(String) }
    private var edits: [Edit] = []
    private static let context = 3

    init(from old: [String], to new: [String]) {
        // The length of the longest common part from each pair of lines on; configurations are a few hundred lines.
        var common = [[Int]](repeating: [Int](repeating: 0, count: new.count + 1), count: old.count + 1)
        for i in old.indices.reversed() {
            for j in new.indices.reversed() {
                common[i][j] = old[i] == new[j] ? common[i + 1][j + 1] + 1 : max(common[i + 1][j], common[i][j + 1])
            }
        }
        var (i, j) = (0, 0)
        while i < old.count || j < new.count {
            if i < old.count, j < new.count, old[i] == new[j] {
                edits.append(.same(old[i]))
                (i, j) = (i + 1, j + 1)
            } else if i < old.count, j == new.count || common[i + 1][j] >= common[i][j + 1] {
                edits.append(.removed(old[i]))
                i += 1
            } else {
                edits.append(.added(new[j]))
                j += 1
            }
        }
    }

    func hunks(masking: Bool) -> String {
        let changes = edits.indices.filter { if case .same = edits[$0] { false } else { true } }
        var text = ""
        var index = 0
        while index < changes.count {
            var last = index
            while last + 1 < changes.count, changes[last + 1] - changes[last] <= 2 * Self.context { last += 1 }
            let range = max(0, changes[index] - Self.context)...min(edits.count - 1, changes[last] + Self.context)
            text += header(range)
            for edit in edits[range] {
                switch edit {
                case .same(let line): text += " " + (masking ? Self.masked(line) : line) + "\n"
                case .removed(let line): text += "-" + (masking ? Self.masked(line) : line) + "\n"
                case .added(let line): text += "+" + (masking ? Self.masked(line) : line) + "\n"
                }
            }
            index = last + 1
        }
        return text
    }

    private func header(_ range: ClosedRange<Int>) -> String {
        func count(_ edits: some Sequence<Edit>) -> (old: Int, new: Int) {
            edits.reduce(into: (0, 0)) { counts, edit in
                if case .added = edit {} else { counts.0 += 1 }
                if case .removed = edit {} else { counts.1 += 1 }
            }
        }
        let (before, inside) = (count(edits[..<range.lowerBound]), count(edits[range]))
        func position(_ before: Int, _ count: Int) -> String { "\(count == 0 ? before : before + 1),\(count)" }
        return "@@ -\(position(before.old, inside.old)) +\(position(before.new, inside.new)) @@\n"
    }

    /// Everything after `secret`, or `Secret`, and its `=` or `:`. The names of our secrets end so in each format.
    private static func masked(_ line: String) -> String {
        guard let name = line.firstRange(of: "ecret"), let sign = line[name.upperBound...].firstIndex(where: { $0 == "=" || $0 == ":" })
        else { return line }
        return line[...sign] + " ********"
    }
}
