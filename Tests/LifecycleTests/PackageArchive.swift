import RealServers

/// An archive of packages and a machine that knows it, for the real apt, all in a test's own folder.
struct PackageArchive {
    let scratch: Scratch
    /// What apt is told with APT_CONFIG.
    let configuration: String

    /// - Parameters:
    ///   - installed: what the machine has, by name.
    ///   - available: what the archive has.
    ///   - label: whose archive it is, as in its Release file.
    init(in scratch: Scratch, installed: [String: String], available: [String: String], label: String, suite: String) async throws {
        self.scratch = scratch
        let root = scratch.path
        _ = try scratch.write("status", installed.map { Self.paragraph($0, $1, extra: "Status: install ok installed\n") }.joined())
        _ = try scratch.write("Packages", available.map { Self.paragraph($0, $1, extra: "Filename: ./\($0).deb\nSize: 1\n") }.joined())
        _ = try scratch.write("Release", "Origin: Debian\nLabel: \(label)\nSuite: \(suite)\nVersion: 13\nCodename: trixie\n")
        _ = try scratch.write("sources.list", "deb [trusted=yes] file:\(root) ./\n")
        configuration = try scratch.write(
            "apt.conf",
            """
            Dir "\(root)";
            Dir::State "\(root)/state";
            Dir::State::status "\(root)/status";
            Dir::Cache "\(root)/cache";
            Dir::Etc::sourcelist "\(root)/sources.list";
            Dir::Etc::sourceparts "-";
            Dir::Etc::preferencesparts "-";
            Dir::Etc::parts "-";
            APT::Architecture "amd64";
            APT::Architectures "amd64";
            APT::Sandbox::User "root";
            """)
        try await scratch.succeed("/bin/mkdir", ["-p", "\(root)/state/lists/partial", "\(root)/cache/archives/partial", "\(root)/etc/apt"])
        try await scratch.succeed("/usr/bin/env", ["APT_CONFIG=\(configuration)", "apt-get", "update"])
    }

    private static func paragraph(_ name: String, _ version: String, extra: String) -> String {
        """
        Package: \(name)
        \(extra)Architecture: amd64
        Maintainer: nobody <nobody@example.org>
        Version: \(version)
        Description: a package


        """
    }
}
