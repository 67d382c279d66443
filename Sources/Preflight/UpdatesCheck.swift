internal import DurableFiles
internal import Glibc
internal import Supervision

/// Whether Debian's security updates arrive by themselves: unattended-upgrades, as apt-config(8) tells of it.
struct UpdatesCheck {
    /// apt's settings instead of the machine's (apt.conf(5)); nil for the machine's.
    var configuration: String?
    var installer = "/usr/bin/unattended-upgrade"
    /// Where dpkg keeps what is installed.
    var packages = "/var/lib/dpkg"
    var system = "/etc/os-release"

    func findings() async -> [Finding] {
        let environment = configuration.map { ["APT_CONFIG": $0] } ?? [:]
        // Another system than Debian has other means.
        guard let dump = await Tool.output(of: "/usr/bin/apt-config", ["dump"], environment: environment) else { return [] }
        let settings = dump.split(separator: "\n").compactMap { line -> (name: Substring, value: Substring)? in
            guard let space = line.firstIndex(of: " "), line.hasSuffix("\";") else { return nil }
            return (line[..<space], line[space...].dropFirst(2).dropLast(2))
        }
        func value(_ name: String) -> Substring? { settings.last { $0.name == "APT::Periodic::\(name)" }?.value }
        let what = "nothing installs Debian's security updates by itself"
        guard access(installer, X_OK) == 0 else { return [Finding(.updates, .yellow, what, try: "sudo apt install unattended-upgrades")] }
        guard value("Enable") != "0" else {
            return [Finding(.updates, .yellow, what, try: "take `APT::Periodic::Enable \"0\"` out of /etc/apt/apt.conf.d")]
        }
        // Each is a number of days, 0 for never.
        guard !["Update-Package-Lists", "Unattended-Upgrade"].contains(where: { (value($0) ?? "0") == "0" }) else {
            return [Finding(.updates, .yellow, what, try: "sudo dpkg-reconfigure -plow unattended-upgrades")]
        }
        let origins = settings.filter { $0.name.hasPrefix("Unattended-Upgrade::Origins-Pattern::") }.map(\.value)
        if await isProsodyBackported(), let release = codename(), !origins.contains(where: { Self.letsIn($0, backportsOf: release) }) {
            return [
                Finding(
                    .updates, .yellow, "Debian's security updates are installed by themselves, but not those of Prosody, which is from backports",
                    try: """
                        echo '\(Self.origin)' | sudo tee /etc/apt/apt.conf.d/52snikket-backports
                        """)
            ]
        }
        return [Finding(.updates, .green, "Debian's security updates are installed by themselves")]
    }

    /// What backports call themselves changes with every release of Debian, but for their codename.
    private static let origin =
        #"Unattended-Upgrade::Origins-Pattern:: "origin=Debian Backports,codename=${distro_codename}-backports,label=Debian Backports";"#

    private func isProsodyBackported() async -> Bool {
        await Tool.output(of: "/usr/bin/dpkg-query", ["--admindir=\(packages)", "-W", "-f", "${Version}", "prosody"])?.contains("~bpo") ?? false
    }

    /// This release of Debian, `bookworm`.
    private func codename() -> String? {
        let text = (try? File.read(system)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: "\n").first { $0.hasPrefix("VERSION_CODENAME=") }.map { $0.dropFirst(17).filter { $0 != "\"" } }
    }

    /// - Parameter pattern: of unattended-upgrades: `origin=Debian,codename=${distro_codename}`; all of its parts have to fit.
    static func letsIn(_ pattern: some StringProtocol, backportsOf release: String) -> Bool {
        let pattern = String(pattern).replacing("${distro_codename}", with: release).replacing("${distro_id}", with: "Debian")
        guard !pattern.isEmpty else { return false }
        return pattern.split(separator: ",").allSatisfy { part in
            let words = part.split(separator: "=", maxSplits: 1).map { $0.split(separator: " ").joined(separator: " ") }
            guard words.count == 2 else { return false }
            func fits(_ names: String...) -> Bool { names.contains { fnmatch(words[1], $0, 0) == 0 } }
            return switch words[0] {
            case "o", "origin", "l", "label": fits("Debian Backports")
            case "n", "codename": fits("\(release)-backports")
            case "a", "suite", "archive": fits("stable-backports", "oldstable-backports", "oldoldstable-backports")
            default: true
            }
        }
    }
}
