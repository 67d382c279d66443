import DurableFiles

/// Where releases come from, and by which key they are known.
public struct ReleaseSource: Sendable, Equatable {
    /// An address that begins with https:// or http://, or a folder's path; without a slash at the end.
    public var place: String
    /// The public key, Ed25519: the base64 lines of its PEM form, in one.
    public var key: String

    public init(place: String, key: String) {
        (self.place, self.key) = (String(place.reversed().drop { $0 == "/" }.reversed()), key)
    }

    /// What the package says: lines `url PLACE` and `key KEY`.
    ///
    /// - Parameters:
    ///   - path: the file that packaging/build put into the package.
    ///   - place: another place, known by the same key.
    public init(file path: String, elsewhere place: String?) throws(UpgradeError) {
        let bytes: [UInt8]?
        do throws(FileError) { bytes = try File.readIfThere(path) } catch { throw .file(error) }
        var values: [Substring: String] = [:]
        for line in String(decoding: bytes ?? [], as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1)
            if words.count == 2 { values[words[0]] = String(words[1]) }
        }
        guard let key = values["key"], let place = place ?? values["url"] else { throw .noReleases }
        self.init(place: place, key: key)
    }

    /// As openssl(1) reads it.
    var keyFile: String { "-----BEGIN PUBLIC KEY-----\n\(key)\n-----END PUBLIC KEY-----\n" }

    var isFolder: Bool { place.hasPrefix("/") }
}
