import Supervision

/// What dpkg says of this program's package, and does to it.
public struct InstalledPackage: Sendable {
    private static let name = "snikket"
    private static let environment = ["DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"]
    /// How long the package manager may be busy with something else.
    private static let patience = Duration.seconds(300)

    private let root: String
    private let patience: Duration

    public init() {
        self.init(root: "")
    }

    /// - Parameter root: the folder of another system than this machine's.
    init(root: String, patience: Duration = Self.patience) {
        (self.root, self.patience) = (root, patience)
    }

    /// Whoever looks after another system need not be root.
    private var system: [String] { root.isEmpty ? [] : ["--root=\(root)", "--force-not-root"] }

    /// The version that is installed.
    ///
    /// - Throws: ``UpgradeError/notAPackage`` when these programs are no package's.
    public func version() async throws(UpgradeError) -> String {
        let output = try await Tool(
            "/usr/bin/dpkg-query", ["--admindir=\(root)/var/lib/dpkg", "-W", "-f", "${db:Status-Status} ${Version}", Self.name]
        ).run()
        let words = output.text.split(separator: " ")
        guard output.succeeded, words.count == 2, words[0] == "installed" else { throw .notAPackage }
        return String(words[1])
    }

    /// Whether this very version is installed, with all its files as they came. Its settings may have been changed.
    func isUntouched(_ version: String) async -> Bool {
        guard (try? await self.version()) == version,
            let output = try? await Tool("/usr/bin/dpkg", system + ["--verify", Self.name]).run(), output.succeeded
        else { return false }
        return output.text.split(separator: "\n").allSatisfy { $0.contains(" c ") }
    }

    /// Debian's name of this machine's architecture.
    public func architecture() async throws(UpgradeError) -> String {
        try await Tool("/usr/bin/dpkg", "--print-architecture").succeed().filter { !$0.isWhitespace }
    }

    /// Whether one version comes before another, in Debian's order.
    public func isVersion(_ version: String, before other: String) async throws(UpgradeError) -> Bool {
        try await Tool("/usr/bin/dpkg", "--compare-versions", version, "lt", other).run().succeeded
    }

    /// The version that a package file holds; nil when it is none of ours.
    public func version(in file: String) async throws(UpgradeError) -> String? {
        let output = try await Tool("/usr/bin/dpkg-deb", "-f", file, "Package", "Version").run()
        let lines = output.text.split(separator: "\n")
        guard output.succeeded, lines.contains("Package: \(Self.name)"), let line = lines.first(where: { $0.hasPrefix("Version: ") }) else {
            return nil
        }
        return String(line.dropFirst("Version: ".count))
    }

    /// Whether a package can be read to its end.
    func isWhole(_ file: String) async throws(UpgradeError) -> Bool {
        try await Tool("/usr/bin/dpkg-deb", "--contents", file, within: .seconds(120)).run().succeeded
    }

    /// Unpacks a package beside what is installed.
    func unpack(_ file: String, into folder: String) async throws(UpgradeError) {
        try await Tool("/usr/bin/dpkg-deb", "--extract", file, folder, within: .seconds(300)).succeed()
    }

    /// Installs whatever else a package needs, before itself: so that installing it takes no longer than it has to. Nothing is removed for it.
    func installDependencies(of file: String) async throws(UpgradeError) {
        let wanted = try await Tool("/usr/bin/dpkg-deb", "-f", file, "Depends").succeed().split(whereSeparator: \.isNewline).joined(separator: " ")
        guard !wanted.isEmpty else { return }
        func satisfy() async throws(UpgradeError) -> Tool.Output {
            try await apt("satisfy", "--no-remove", "--no-install-recommends", wanted).run()
        }
        if try await satisfy().succeeded { return }
        // The lists may be old; without the network they stay so, and what is said the second time is what counts.
        _ = try await apt("update").run()
        let output = try await satisfy()
        guard output.succeeded else { throw .program("apt-get", words: output.lastWords) }
    }

    private func apt(_ words: String...) -> Tool {
        Tool(
            "/usr/bin/apt-get",
            ["-q", "-y", "-o", "DPkg::Lock::Timeout=\(patience.components.seconds)", "-o", "Dpkg::Options::=--force-confold"] + words,
            environment: Self.environment, within: .seconds(1_800))
    }

    /// What was being installed for the new version when everything ended is brought to its end.
    func mendOthers() async {
        _ = try? await Tool("/usr/bin/dpkg", "--force-confold", "--configure", "--pending", environment: Self.environment, within: .seconds(300))
            .run()
    }

    /// Installs a package, of an older version too, over whatever there is: also over the rest of an installation that was cut off.
    ///
    /// - Parameter deadline: its last part is the restart of the service, which a version that hangs never ends.
    func install(_ file: String, within deadline: Duration = .seconds(300)) async throws(UpgradeError) {
        // What others left half done would be in the way; so would we, for them.
        let end = ContinuousClock.now.advanced(by: patience)
        while true {
            let output = try await Tool(
                "/usr/bin/dpkg", system + ["--force-confold", "--force-downgrade", "--install", file], environment: Self.environment, within: deadline
            ).run()
            if output.succeeded { return }
            // "dpkg frontend lock was locked by another process"; newer ones name it. What a package's scripts say of locks is another matter.
            guard output.errors.contains("lock was locked by ") else { throw .program("dpkg", words: Self.cause(output)) }
            guard ContinuousClock.now < end else { throw .packagesBusy }
            try? await Task.sleep(for: .seconds(2))
        }
    }

    /// The last words of dpkg are which package it was; why it was not installed stands below its first complaint.
    private static func cause(_ output: Tool.Output) -> String {
        let lines = output.errors.split(separator: "\n")
        let below = lines.firstIndex { $0.hasPrefix("dpkg: error processing ") }.map { lines[($0 + 1)...] }
        return below?.first.map { String($0.drop { $0 == " " }) } ?? output.lastWords
    }

    /// Returns when nobody installs packages.
    func waitForOthers() async throws(UpgradeError) {
        let end = ContinuousClock.now.advanced(by: patience)
        while PackageManager.isAtWork(locks: ["\(root)/var/lib/dpkg/lock-frontend", "\(root)/var/lib/dpkg/lock"]) {
            guard ContinuousClock.now < end else { throw .packagesBusy }
            try? await Task.sleep(for: .seconds(1))
        }
    }
}
