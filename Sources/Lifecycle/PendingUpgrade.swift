/// A newer version of a package that everything here depends on, which apt would install.
public struct PendingUpgrade: Sendable, Equatable {
    /// Debian's name of the package.
    public var package: String
    /// The version on this machine.
    public var installed: String
    /// The version that would replace it.
    public var available: String
    /// Whether it comes from an archive of security updates.
    public var isSecurity: Bool

    /// Whether it comes from backports, which do not say what is for security.
    public var isBackport: Bool { available.contains("~bpo") }

    public init(package: String, installed: String, available: String, isSecurity: Bool) {
        self.package = package
        self.installed = installed
        self.available = available
        self.isSecurity = isSecurity
    }
}

extension PendingUpgrade {
    /// A line of `apt-get --simulate` about one of our packages that is there in an older version:
    /// `Inst prosody [13.0.1-1] (13.0.2-1 Debian-Security:13/stable-security [amd64])`. Several archives may be named.
    init?(simulated line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.count >= 5, words[0] == "Inst", Self.concerns(String(words[1])) else { return nil }
        guard words[2].first == "[", words[2].last == "]", words[3].first == "(" else { return nil }
        package = String(words[1])
        installed = String(words[2].dropFirst().dropLast())
        available = String(words[3].dropFirst())
        isSecurity = words[4...].contains { $0.contains("-Security:") || $0.hasSuffix("-security") || $0.hasSuffix("-security,") }
    }

    private static let packages: Set<String> = [
        "snikket", "prosody", "prosody-modules", "coturn", "openssl", "util-linux", "libc6", "libexpat1", "libsqlite3-0", "zlib1g", "libidn2-0",
        "libqrencode4", "ca-certificates",
    ]

    private static let families: [String] = [
        "nginx", "libnginx-mod-", "lua-", "liblua5", "lua5", "libssl3", "libcurl4", "libevent", "libpcre2", "libunbound", "libicu",
    ]

    /// Whether one of our servers or programs runs on it.
    private static func concerns(_ package: String) -> Bool {
        packages.contains(package) || families.contains { package.hasPrefix($0) }
    }
}
