import Settings
import Testing

@Suite("Wrong input")
struct WrongInputTests {
    @Test("all problems of a file are told at once, in the order of their lines")
    func allAtOnce() {
        let text = """
            # our chat
            SNIKKET_DOMAIN=chat example.org
            SNIKKET_ADMIN_EMAIL=me

            SNIKKET_RETENTON_DAYS=4
            SNIKKET_TWEAK_HTTP_PORT=70000
            SNIKKET_SITE_NAME="one
            two"
            SNIKKET_LOGLEVEL=loud
            """
        #expect(
            problems(of: text) == [
                Problem(line: 2, option: "SNIKKET_DOMAIN", kind: .notADomain(.space)),
                Problem(line: 3, option: "SNIKKET_ADMIN_EMAIL", kind: .notAnEmail(.noAt)),
                Problem(line: 5, option: "SNIKKET_RETENTON_DAYS", kind: .unknown(nearest: "SNIKKET_RETENTION_DAYS")),
                Problem(line: 6, option: "SNIKKET_TWEAK_HTTP_PORT", kind: .outOfRange("70000", lowest: "1", highest: "65535")),
                Problem(line: 7, option: "SNIKKET_SITE_NAME", kind: .malformed(.unclosedQuote("\""))),
                Problem(line: 8, option: nil, kind: .malformed(.noEqualsSign)),
                Problem(line: 9, option: "SNIKKET_LOGLEVEL", kind: .notOneOf("loud", ["debug", "info", "warn", "error"])),
            ])
    }

    @Test("an empty file lacks its two lines")
    func empty() {
        for text in ["", "\n\n", "# nothing\n", "SNIKKET_DOMAIN=\nSNIKKET_ADMIN_EMAIL=\"\"\n"] {
            #expect(problems(of: text).map(\.kind) == [.missing, .missing], "\(text)")
            #expect(problems(of: text).map(\.option) == ["SNIKKET_DOMAIN", "SNIKKET_ADMIN_EMAIL"], "\(text)")
        }
        // An option that is there and empty is missing on its own line.
        #expect(problems(of: "SNIKKET_ADMIN_EMAIL=me@example.org\nSNIKKET_DOMAIN=").map(\.line) == [2])
    }

    @Test("an error names its file")
    func file() {
        #expect(
            throws: SettingsError(
                file: "/etc/x.conf",
                problems: [
                    Problem(line: nil, option: "SNIKKET_DOMAIN", kind: .missing),
                    Problem(line: nil, option: "SNIKKET_ADMIN_EMAIL", kind: .missing),
                ])
        ) { try Settings(parsing: "", file: "/etc/x.conf") }
    }

    @Test(
        "an unknown option names its line and the nearest option",
        arguments: [
            ("SNIKKET_DOMIAN", "SNIKKET_DOMAIN"), ("SNIKET_DOMAIN", "SNIKKET_DOMAIN"), ("snikket_site_name", "SNIKKET_SITE_NAME"),
            ("SNIKKET_RETENTION", "SNIKKET_RETENTION_DAYS"), ("SNIKKET", nil), ("SNIKKET_TWEAK", nil),
            ("RETENTION_DAYS", "SNIKKET_RETENTION_DAYS"), ("SNIKKET_HTTP_PORT", "SNIKKET_TWEAK_HTTP_PORT"),
            ("SNIKKET_TWEAK_SITE_NAME", "SNIKKET_SITE_NAME"), ("SNIKKET_TOS_URL", "SNIKKET_TOS_URI"), ("PUUID", "PUID"),
            ("SNIKKET_UPLOAD_LIMIT_GB", "SNIKKET_UPLOAD_LIMIT_MB"), ("LD_PRELOAD", nil), ("PATH", nil), ("TZ", nil), ("_", nil),
        ] as [(String, String?)])
    func unknown(name: String, nearest: String?) {
        #expect(problems(with: "", "\(name)=x") == [Problem(line: 4, option: name, kind: .unknown(nearest: nearest))])
    }
}
