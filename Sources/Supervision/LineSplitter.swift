import Glibc

/// Cuts a stream of bytes into lines of bounded length.
struct LineSplitter {
    /// The bytes of a line that are kept.
    static let lineLimit = 8192

    private var line: [UInt8] = []
    private var cut = 0

    /// Takes bytes in.
    ///
    /// - Parameter take: gets each line that is whole now: how many bytes are kept of it, and its text, which is not even made when nobody wants it.
    mutating func feed(_ bytes: UnsafeRawBufferPointer, _ take: (_ size: Int, _ text: () -> String) -> Void) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let end = Self.endOfLine(in: rest)
            let part = rest[..<(end ?? rest.endIndex)]
            let kept = min(part.count, Self.lineLimit - line.count)
            line += part.prefix(kept)
            cut += part.count - kept
            guard let end else { return }
            take(line.count) { finishedText() }
            line.removeAll(keepingCapacity: true)
            cut = 0
            rest = rest[(end + 1)...]
        }
    }

    /// The last line, when it had no end.
    mutating func finish() -> String? {
        guard !line.isEmpty else { return nil }
        defer { (line, cut) = ([], 0) }
        return finishedText()
    }

    private static func endOfLine(in bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        let part = UnsafeRawBufferPointer(rebasing: bytes)
        guard let start = part.baseAddress, let found = memchr(start, CInt(UInt8(ascii: "\n")), part.count) else { return nil }
        return bytes.startIndex + (UnsafeRawPointer(found) - start)
    }

    private func finishedText() -> String {
        var line = line[...]
        if cut == 0, line.last == UInt8(ascii: "\r") { line.removeLast() }
        var text = String(decoding: line, as: UTF8.self)
        if !line.allSatisfy({ 0x20 <= $0 && $0 < 0x7f }) { text = unobeyed(text) }
        return cut > 0 ? text + " [\(cut) bytes more]" : text
    }
}

/// Text that no terminal obeys: what would move the cursor or turn text around is shown instead. A log, or somebody's file, must not be able to do that.
public func unobeyed(_ text: String) -> String {
    var shown = ""
    for scalar in text.unicodeScalars { shown.unicodeScalars.append(isObeyed(scalar) ? "\u{FFFD}" : scalar) }
    return shown
}

private func isObeyed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09: false
    case 0x2028...0x202E, 0x2066...0x2069: true
    default: scalar.properties.generalCategory == .control
    }
}
