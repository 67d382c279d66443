import Supervision

/// One thing in a backup: what its list says of it.
struct ArchiveEntry: Equatable {
    enum Kind: Equatable {
        case file
        case folder
        /// A symbolic link, and where it points: to something beside it or below.
        case link(String)
    }

    /// Where it lies in the backup: `state/prosody/prosody.sqlite`. No part of it is empty, `.` or `..`.
    var path: String
    var kind: Kind
    /// In bytes; 0 for what is no file.
    var size: Int
    /// Permissions, at most 0777.
    var mode: UInt32
    /// Who it belongs to, by name: numbers differ from machine to machine.
    var owner: String
    /// Seconds since 1970.
    var modified: Int

    /// In bytes.
    static let longestPath = 4096

    /// Whether a path stays where it belongs.
    static func isSafe(path: String) -> Bool {
        !path.isEmpty && path.utf8.count <= longestPath
            && path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
            && !path.utf8.contains(0)
    }

    /// Whether it may be in a backup: then it lies inside, and so does what it points at.
    var isSafe: Bool {
        // Settings' names are shown before anything is put in place.
        guard Self.isSafe(path: path), !path.hasPrefix("settings/") || unobeyed(path) == path, mode & ~0o777 == 0, size >= 0 else { return false }
        if case .link(let target) = kind { return Self.isSafe(path: target) && target.utf8.count <= 100 }
        return true
    }

    /// The line of the list about it, a JSON object. These keys stay.
    func line(sum: String?) -> [UInt8] {
        var text = "{\"path\":\(Self.quoted(path))"
        switch kind {
        case .file: text += ",\"type\":\"file\",\"size\":\(size)"
        case .folder: text += ",\"type\":\"folder\""
        case .link(let target): text += ",\"type\":\"link\",\"target\":\(Self.quoted(target))"
        }
        text += ",\"mode\":\"\(String(mode, radix: 8))\",\"owner\":\(Self.quoted(owner))"
        if let sum { text += ",\"sha256\":\"\(sum)\"" }
        return Array((text + "}\n").utf8)
    }

    /// A JSON string (RFC 8259 §7), always the same for the same text: readers make the list again and compare.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where scalar.value < 0x20:
                quoted += "\\u00" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
