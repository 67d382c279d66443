/// Cuts a stream of bytes into lines of bounded length.
struct LineSplitter {
    /// The bytes of a line that are kept.
    static let lineLimit = 8192

    private var line: [UInt8] = []
    private var cut = 0

    /// Takes bytes in; returns the lines that are whole now.
    mutating func feed(_ bytes: UnsafeRawBufferPointer) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                lines.append(finishLine())
            } else if line.count < Self.lineLimit {
                line.append(byte)
            } else {
                cut += 1
            }
        }
        return lines
    }

    /// The last line, when it had no end.
    mutating func finish() -> String? {
        line.isEmpty ? nil : finishLine()
    }

    private mutating func finishLine() -> String {
        if cut == 0, line.last == UInt8(ascii: "\r") { line.removeLast() }
        var text = ""
        // What a terminal would obey is shown instead: a log must not be able to move the cursor.
        for scalar in String(decoding: line, as: UTF8.self).unicodeScalars {
            let isControl = scalar.properties.generalCategory == .control && scalar != "\t"
            text.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
        }
        if cut > 0 { text += " [\(cut) bytes more]" }
        (line, cut) = ([], 0)
        return text
    }
}
