import Settings
import Testing

@Suite("The format of snikket.conf")
struct FormatTests {
    @Test(
        "a value is read as people who know env files mean it",
        arguments: [
            ("SNIKKET_SITE_NAME=Our chat", "Our chat"),
            ("SNIKKET_SITE_NAME = Our chat  ", "Our chat"),
            ("  SNIKKET_SITE_NAME=Our chat\r", "Our chat"),
            ("export SNIKKET_SITE_NAME=Our chat", "Our chat"),
            ("SNIKKET_SITE_NAME=Our chat # for the family", "Our chat"),
            ("SNIKKET_SITE_NAME=Chat #1", "Chat"),
            ("SNIKKET_SITE_NAME=Chat#1", "Chat#1"),
            ("SNIKKET_SITE_NAME=\"Chat #1\"", "Chat #1"),
            ("SNIKKET_SITE_NAME=\"Chat #1\" # first", "Chat #1"),
            ("SNIKKET_SITE_NAME='Chat #1'#first", "Chat #1"),
            ("SNIKKET_SITE_NAME=\"the \\\"best\\\" \\\\o/ \\$5 \\d\"", "the \"best\" \\o/ $5 \\d"),
            ("SNIKKET_SITE_NAME='the \"best\" \\o/ \\$5'", "the \"best\" \\o/ \\$5"),
            ("SNIKKET_SITE_NAME=a=b=c", "a=b=c"),
            ("SNIKKET_SITE_NAME=${HOME} $(id) `id` %s \\n", "${HOME} $(id) `id` %s \\n"),
            ("SNIKKET_SITE_NAME=]] os.execute('x') --[[", "]] os.execute('x') --[["),
            ("SNIKKET_SITE_NAME=x; } location / { return 200;", "x; } location / { return 200;"),
            ("SNIKKET_SITE_NAME=Grüße aus Zürich 🏔", "Grüße aus Zürich 🏔"),
            ("SNIKKET_SITE_NAME=\"  in the middle  \"", "  in the middle  "),
            ("SNIKKET_SITE_NAME=", "chat.example.org"),
            ("SNIKKET_SITE_NAME=\"\"", "chat.example.org"),
            ("#SNIKKET_SITE_NAME=x", "chat.example.org"),
            ("   # SNIKKET_SITE_NAME=x", "chat.example.org"),
            ("\t", "chat.example.org"),
        ])
    func values(line: String, siteName: String) throws {
        #expect(try settings(line).siteName == siteName)
    }

    @Test("a byte order mark and CRLF are tolerated, and lines are counted as an editor does")
    func windows() {
        let text = "\u{FEFF}SNIKKET_DOMAIN=chat.example.org\r\n\r\n# us\r\nSNIKKET_ADMIN_EMAIL=me@example.org\r\nNONSENSE\r\n"
        #expect(problems(of: text) == [Problem(line: 5, option: "NONSENSE", kind: .malformed(.noEqualsSign))])
    }

    @Test(
        "a malformed line names itself",
        arguments: [
            ("just words here", nil, Problem.Malformation.noEqualsSign),
            ("SNIKKET_SITE_NAME", "SNIKKET_SITE_NAME", .noEqualsSign),
            ("=value", nil, .badName("")),
            ("MY-NAME=value", nil, .badName("MY-NAME")),
            ("1ST=value", nil, .badName("1ST")),
            ("SNIKKET_SITE_NAME: our=chat", nil, .badName("SNIKKET_SITE_NAME: our")),
            ("SNIKKET SITE_NAME=chat", nil, .badName("SNIKKET SITE_NAME")),
            ("SNIKKET_SITE_NAME=\"our chat", "SNIKKET_SITE_NAME", .unclosedQuote("\"")),
            ("SNIKKET_SITE_NAME='our chat", "SNIKKET_SITE_NAME", .unclosedQuote("'")),
            ("SNIKKET_SITE_NAME=\"our chat\\\"", "SNIKKET_SITE_NAME", .unclosedQuote("\"")),
            ("SNIKKET_SITE_NAME=\"our\" chat", "SNIKKET_SITE_NAME", .textBehindQuote("chat")),
        ] as [(String, String?, Problem.Malformation)])
    func malformed(line: String, option: String?, malformation: Problem.Malformation) {
        #expect(problems(with: line) == [Problem(line: 3, option: option, kind: .malformed(malformation))])
    }

    @Test(
        "a control character in a value is refused, however it got there",
        arguments: [
            ("SNIKKET_SITE_NAME=a\u{0}b", 0), ("SNIKKET_SITE_NAME=a\rb", 0x0D), ("SNIKKET_SITE_NAME=\"a\\nb\"", 0x0A),
            ("SNIKKET_SITE_NAME=\"a\\tb\"", 0x09), ("SNIKKET_SITE_NAME=a\u{1B}[31mb", 0x1B), ("SNIKKET_SITE_NAME=a\u{7F}b", 0x7F),
            ("SNIKKET_SITE_NAME=a\u{85}b", 0x85), ("SNIKKET_SITE_NAME=a\u{2028}b", 0x2028), ("PUID=a\u{0}b", 0),
        ] as [(String, UInt32)])
    func controlCharacters(line: String, scalar: UInt32) {
        #expect(problems(with: line).map(\.kind) == [.controlCharacter(scalar)])
        #expect(problems(with: line).map(\.line) == [3])
    }

    @Test("an option set twice names both lines, and is not reported for its value too")
    func setTwice() {
        #expect(
            problems(with: "SNIKKET_DOMAIN=other.example.org", "", "SNIKKET_DOMAIN=a b") == [
                Problem(line: 3, option: "SNIKKET_DOMAIN", kind: .setTwice(firstLine: 1)),
                Problem(line: 5, option: "SNIKKET_DOMAIN", kind: .setTwice(firstLine: 1)),
            ])
    }

    @Test("an option from the command line replaces the file's, and its problems have no line")
    func overrides() throws {
        let text = "SNIKKET_DOMAIN=a b\nSNIKKET_ADMIN_EMAIL=me@example.org\n"
        let settings = try Settings(parsing: text, file: "x", overrides: [("SNIKKET_DOMAIN", "chat.example.org")])
        #expect(settings.domain == "chat.example.org")
        #expect(
            problems(of: text, overrides: [("SNIKKET_DOMAIN", "c d"), ("SNIKKET_DOMAN", "x"), ("SNIKKET_SITE_NAME", "a\nb")]) == [
                Problem(line: nil, option: "SNIKKET_SITE_NAME", kind: .controlCharacter(0x0A)),
                Problem(line: nil, option: "SNIKKET_DOMAIN", kind: .notADomain(.space)),
                Problem(line: nil, option: "SNIKKET_DOMAN", kind: .unknown(nearest: "SNIKKET_DOMAIN")),
            ])
        #expect(
            problems(of: text, overrides: [("SNIKKET_DOMAIN", "a.example"), ("SNIKKET_DOMAIN", "b.example")]).map(\.kind)
                == [.setTwice(firstLine: nil)])
        // What the command line says stands in for a line that cannot be read.
        #expect(
            problems(
                of: "SNIKKET_DOMAIN=chat.example.org\nSNIKKET_ADMIN_EMAIL=\"me", overrides: [("SNIKKET_ADMIN_EMAIL", "me@example.org")])
                == [Problem(line: 2, option: "SNIKKET_ADMIN_EMAIL", kind: .malformed(.unclosedQuote("\"")))])
    }
}
