/// The end of every backup: the sum of all bytes before it, in a frame that zstd passes over (RFC 8878 §3.1.2), so that
/// `tar --zstd -x` reads the file all the same. Whatever bit of the file changes, it does not fit any more.
enum Seal {
    private static let magic: [UInt8] = [0x5B, 0x2A, 0x4D, 0x18]
    private static let words = "snikket backup 1, gmac "
    static let size = 8 + words.utf8.count + 32 + 1

    static func bytes(of sum: String) -> [UInt8] {
        let text = Array("\(words)\(sum)\n".utf8)
        return magic + [UInt8(text.count), 0, 0, 0] + text
    }

    /// Whether it is a seal, be it another file's: what is not was cut off.
    static func isOne(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }
}

/// How a file begins, which says what it is.
enum FileKind: Equatable {
    /// zstd's frame (RFC 8878 §3.1.1).
    case plain
    /// age's (age-encryption.org/v1).
    case sealed(BackupError.Key)
    case other

    init(_ beginning: [UInt8]) {
        if beginning.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
            self = .plain
        } else if beginning.starts(with: "age-encryption.org/v1\n".utf8) {
            self = .sealed(beginning.starts(with: "age-encryption.org/v1\n-> scrypt ".utf8) ? .passphrase : .identity)
        } else {
            self = .other
        }
    }
}
