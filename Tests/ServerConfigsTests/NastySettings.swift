import Settings

/// Settings full of what breaks configuration files and pages. The same ones each time: the seed is part of the test.
struct NastySettings {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// No control characters: the settings refuse them.
    private static let pieces = [
        "\"", "'", "\\", "\\\\", "$", "${x}", "$(id)", "{", "}", "{{ domain }}", "{site}", "{token}", ";", "#", "]]", "[[", "]==]", "--", "--[[",
        "-->", "<!--", "%", "%n", "%s", "&", "&amp;", "&lt", "<", ">", "</script>", "</title>", "<b>", "<img src=x onerror=y>", "\u{2028}",
        "\u{feff}", "\u{fffe}", "é", "e\u{301}", "日本", "😀", "\u{202e}", " ", "  ", ":", "=", ",", "|", "*", "!", "?", "@", "`", "~", "a", "0",
        "007", "nil", "\\n", "\\x41", "\\0", "\\z", "\\u{41}", "..", "os.exit()",
    ]

    private mutating func next(below bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }

    /// One to a dozen pieces, without some characters.
    mutating func text(without unwanted: String = "", atMost length: Int = .max) -> String {
        var text = ""
        for _ in 0...next(below: 12) {
            let piece = Self.pieces[next(below: Self.pieces.count)].filter { !unwanted.contains($0) }
            if text.utf8.count + piece.utf8.count <= length { text += piece }
        }
        return text.isEmpty ? "x" : text
    }

    /// What coturn's line can hold: no blank and no quote at the ends, no `=` at the beginning.
    mutating func secret() -> String { "s" + text() + "t" }

    /// Settings of the everyday kind with nasty values in every free text. More than an e-mail address or a URI may hold is in theirs.
    mutating func settings(firstPort: Int) throws -> Settings {
        var settings = try Self.plain(firstPort: firstPort)
        settings.siteName = text()
        settings.adminEmail = text() + "@chat.example"
        settings.abuseEmail = text() + "@chat.example"
        settings.securityEmail = text() + "@chat.example"
        settings.termsURI = "https://chat.example/" + text()
        settings.privacyURI = "mailto:" + text()
        settings.invitationURL = "https://chat.example/" + text() + "{token}" + text()
        settings.turn.secret = secret()
        return settings
    }

    /// The same settings with nothing nasty in them.
    static func plain(firstPort: Int) throws -> Settings {
        var settings = try Example.everything.settings(firstPort: firstPort)
        settings.siteName = "Placeholder"
        settings.turn.secret = "placeholder"
        return settings
    }
}
