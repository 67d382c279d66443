import Lifecycle

/// What `snikket upgrade --check` says. These keys stay.
struct UpgradeLook: Encodable {
    var installed, available: String
    /// Whether the release is newer than what is installed.
    var new: Bool
    /// Whether it mends a security problem of what is installed.
    var security: Bool
    var news: [String]
    /// Why it did not stay when it was tried; null when it was not.
    var refused: String?

    init(_ look: UpgradePreparation.Look) {
        (installed, available, new, security) = (look.installed, look.release.version, look.isNew, look.isSecurity)
        news = look.release.news
        refused = look.refusal.map { $0.reason ?? "it was taken back" }
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(installed, forKey: .installed)
        try values.encode(available, forKey: .available)
        try values.encode(new, forKey: .new)
        try values.encode(security, forKey: .security)
        try values.encode(news, forKey: .news)
        try values.encode(refused, forKey: .refused)
    }

    enum CodingKeys: CodingKey { case installed, available, new, security, news, refused }

    /// For people.
    var text: String {
        guard new else { return "snikket \(installed) is the newest" }
        var lines = ["snikket \(available) is there; \(installed) is installed" + (security ? ", and has security problems that are mended" : "")]
        lines += news.map { "  " + $0 }
        if let refused { lines.append("it was tried here and did not stay: \(refused)") }
        return lines.joined(separator: "\n")
    }
}
