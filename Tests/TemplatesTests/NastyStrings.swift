/// Random strings made of what breaks configuration files. The same ones each time: the seed is part of the test.
struct NastyStrings {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    private static let pieces = [
        "\"", "'", "\\", "\\\\", "\n", "\r", "\t", "$", "${x}", "$(id)", "{", "}", "{{ a }}", ";", "#", "]]", "[[", "--", "-->", "<!--", "%", "%n",
        "&", "&amp;", "<", ">", "</script>", "\u{7f}", "\u{1}", "\u{1b}[31m", "\u{85}", "\u{2028}", "\u{feff}", "\u{fffe}", "é", "日本", "😀",
        "\u{202e}",
        " ", "  ", ":", ": ", "- ", "=", ",", "|", "*", "!", "?", "@", "`", "~", "a", "0", "007", "null", "true", "=x", "\\n", "\\x41", "\\0",
    ]

    private mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 33
    }

    mutating func string() -> String {
        (0..<(1 + next() % 12)).map { _ in Self.pieces[Int(next() % UInt64(Self.pieces.count))] }.joined()
    }

    mutating func strings(_ count: Int) -> [String] { (0..<count).map { _ in string() } }
}
