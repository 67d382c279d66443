/// What a release says of itself, in its file `release`, which is signed. packaging/release writes it.
///
///     snikket-release 1
///     version 0.2.0
///     security no
///     unsafe-before 0.1.3
///     package amd64 SHA256 snikket_0.2.0_amd64.deb
///     earlier 0.1.3 amd64 SHA256 snikket_0.1.3_amd64.deb
///     news What is new, a line each.
public struct Release: Sendable, Equatable {
    public var version: String
    /// Whether it mends security problems itself.
    public var isSecurity: Bool
    /// Versions before this one have security problems that are known; nil when none is known.
    public var unsafeBefore: String?
    public var packages: [Package]
    /// What is new, a line each, as its makers wrote it.
    public var news: [String]

    /// A package, of this release or of an earlier one that still lies beside it.
    public struct Package: Sendable, Equatable {
        public var version: String
        /// Debian's name: `amd64`.
        public var architecture: String
        /// SHA-256, 64 hexadecimal digits.
        public var checksum: String
        /// The file's name, beside the release.
        public var file: String
    }

    /// The largest file `release`, in bytes.
    static let limit = 1 << 16
    /// The largest package, in bytes.
    static let packageLimit = 256 << 20

    /// Reads the file; nil when it is of another form. Lines that a later version of it has are passed over.
    public init?(_ text: String) {
        var lines = text.split(separator: "\n").map(Self.printable)[...]
        guard lines.popFirst() == "snikket-release 1" else { return nil }
        (version, isSecurity, packages, news) = ("", false, [], [])
        for line in lines {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard words.count == 2 else { continue }
            let fields = words[1].split(separator: " ").map(String.init)
            switch words[0] {
            case "version": version = words[1]
            case "security": isSecurity = words[1] == "yes"
            case "unsafe-before": unsafeBefore = words[1]
            case "news": news.append(words[1])
            case "package" where fields.count == 3:
                packages.append(Package(version: version, architecture: fields[0], checksum: fields[1], file: fields[2]))
            case "earlier" where fields.count == 4:
                packages.append(Package(version: fields[0], architecture: fields[1], checksum: fields[2], file: fields[3]))
            default: continue
            }
        }
        let versions = [version] + [unsafeBefore].compactMap { $0 } + packages.map(\.version)
        guard versions.allSatisfy(Self.isVersion), packages.allSatisfy(\.isSound) else { return nil }
    }

    /// The package of a version for an architecture.
    public func package(of version: String, for architecture: String) -> Package? {
        packages.first { $0.version == version && $0.architecture == architecture }
    }

    /// Debian's alphabet for versions without an epoch (deb-version(7)).
    static func isVersion(_ text: String) -> Bool {
        guard let first = text.first, first.isASCII, first.isNumber, text.utf8.count <= 64 else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.~".contains($0)) }
    }

    /// Nothing that a terminal would obey.
    private static func printable(_ line: Substring) -> String {
        String(String.UnicodeScalarView(line.unicodeScalars.filter { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }))
    }
}

extension Release.Package {
    /// Whether its name leads nowhere else, and its checksum is one.
    fileprivate var isSound: Bool {
        let isName =
            file.hasSuffix(".deb") && file.first != "." && file.first != "-"
            && file.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-._~".contains($0)) }
        return isName && checksum.utf8.count == 64 && checksum.allSatisfy(\.isHexDigit)
    }
}
