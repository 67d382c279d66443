import CQREncode

/// A QR code (ISO/IEC 18004), as a square of modules.
public struct QRCode: Sendable, Equatable {
    /// Modules along one side, the quiet zone not among them.
    public let size: Int
    /// Row after row; `true` is dark.
    let modules: [Bool]

    /// Encodes a text, with 15 % of the code restorable (level M).
    ///
    /// - Parameter text: what a scanner will read, at most 2331 bytes of UTF-8.
    /// - Throws: ``QRCodeError``.
    public init(_ text: String) throws(QRCodeError) {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty, let length = Int32(exactly: bytes.count) else { throw .unsuitable(bytes: bytes.count) }
        // Version 0: the smallest that the text fits in.
        guard let code = QRcode_encodeData(length, bytes, 0, QR_ECLEVEL_M) else { throw .unsuitable(bytes: bytes.count) }
        defer { QRcode_free(code) }
        size = Int(code.pointee.width)
        // The lowest bit of each byte is the colour; the others say what the module is for.
        modules = UnsafeBufferPointer(start: code.pointee.data, count: size * size).map { $0 & 1 == 1 }
    }

    /// Whether a module is dark. Everything outside is light: that is the quiet zone.
    public func isDark(x: Int, y: Int) -> Bool {
        guard (0..<size).contains(x), (0..<size).contains(y) else { return false }
        return modules[y * size + x]
    }
}

/// Why there is no QR code.
public enum QRCodeError: Error, Equatable {
    /// The text is empty or longer than a QR code can hold.
    case unsuitable(bytes: Int)
}
