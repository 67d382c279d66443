import Settings
import Testing

@Suite("Domains and e-mail addresses")
struct DomainTests {
    @Test(
        "a domain ends in its ASCII form, in lower case",
        arguments: [
            ("chat.example.org", "chat.example.org"),
            ("Chat.Example.ORG", "chat.example.org"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("bu\u{308}cher.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("straße.example", "xn--strae-oqa.example"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("почта.рф", "xn--80a1acny.xn--p1ai"),
            ("faß。example", "xn--fa-hia.example"),
            ("r3---sn-4g5e.example", "r3---sn-4g5e.example"),
            ("a1.2b.example", "a1.2b.example"),
            ("localhost", "localhost"),
            ("LOCALHOST", "localhost"),
            ("chat.localhost", "chat.localhost"),
        ])
    func good(written: String, domain: String) throws {
        let text = "SNIKKET_DOMAIN=\(written)\nSNIKKET_ADMIN_EMAIL=me@\(written)\nSNIKKET_TWEAK_TURNSERVER_DOMAIN=\(written)"
        let settings = try Settings(parsing: text, file: "x")
        #expect(settings.domain == domain)
        #expect(settings.adminEmail == "me@\(domain)")
        #expect(settings.turn.host == domain)
        #expect(settings.given["SNIKKET_DOMAIN"] == domain)
    }

    static let long = String(repeating: "a", count: 63)

    @Test(
        "what is no domain is refused, with the reason",
        arguments: [
            ("chat example.org", .space), ("chat\u{A0}x.org", .space), ("https://chat.example.org", .isURL), ("chat.example.org/", .isURL),
            ("me@example.org", .isAddress), ("chat.example.org:443", .hasPort), ("chat.example.org:x", .badCharacter(":")),
            ("192.0.2.1", .isIPAddress), ("１９２.0.2.1", .isIPAddress), ("2001:db8::1", .isIPAddress), ("::1", .isIPAddress),
            ("192.0.2.256", .numericTopLevel("256")), ("chat.123", .numericTopLevel("123")), ("chat", .singleLabel),
            ("chat..example.org", .emptyLabel), (".example.org", .emptyLabel), ("example.org.", .emptyLabel),
            ("_xmpp.example.org", .badCharacter("_")),
            ("chat.example.org;", .badCharacter(";")), ("chat\"x.org", .badCharacter("\"")), ("${x}.org", .badCharacter("$")),
            ("*.example.org", .badCharacter("*")), ("-chat.example.org", .hyphenAtEdge("-chat")),
            ("chat-.example.org", .hyphenAtEdge("chat-")),
            ("a\(long).example", .labelTooLong("a" + long)),
        ] as [(String, Problem.DomainProblem)])
    func bad(written: String, problem: Problem.DomainProblem) {
        let text = "SNIKKET_ADMIN_EMAIL=me@example.org\n\nSNIKKET_DOMAIN=\(written)"
        #expect(problems(of: text) == [Problem(line: 3, option: "SNIKKET_DOMAIN", kind: .notADomain(problem))])
    }

    @Test(
        "what cannot be written in ASCII is refused",
        arguments: ["xn--a.example", "xn--.example", "\u{301}a.example", "a\u{202E}b.example"])
    func notConvertible(written: String) throws {
        let problem = try #require(problems(of: "SNIKKET_ADMIN_EMAIL=me@example.org\nSNIKKET_DOMAIN=\(written)").first)
        // Which of libidn2's errors it is depends on libidn2's version.
        guard case .notADomain(.notConvertible(let name)) = problem.kind else {
            Issue.record("\(problem)")
            return
        }
        #expect(name.hasPrefix("IDN2_"))
    }

    @Test("a domain has to leave room for the longest name made of it")
    func length() throws {
        let tail = "." + [Self.long, Self.long, String(repeating: "b", count: 50)].joined(separator: ".")  // 179
        let longest = String(repeating: "c", count: 3) + "." + Self.long + tail
        #expect(longest.count == 246)
        let settings = try Settings(parsing: "SNIKKET_DOMAIN=\(longest)\nSNIKKET_ADMIN_EMAIL=me@example.org", file: "x")
        #expect(settings.certificateNames.allSatisfy { $0.count <= 253 })
        #expect(
            problems(of: "SNIKKET_DOMAIN=c\(longest)\nSNIKKET_ADMIN_EMAIL=me@example.org").map(\.kind)
                == [.notADomain(.tooLong(length: 247, highest: 246))])
    }

    @Test(
        "what is no e-mail address is refused, with the reason",
        arguments: [
            ("me", .noAt), ("me.example.org", .noAt), ("me@you@example.org", .twoAts), ("@example.org", .emptyLocalPart),
            ("m e@example.org", .badCharacter(" ")), ("mé@example.org", .badCharacter("é")), ("m(e@example.org", .badCharacter("(")),
            (".me@example.org", .misplacedDot), ("m..e@example.org", .misplacedDot), ("me.@example.org", .misplacedDot),
            ("\(String(repeating: "m", count: 65))@example.org", .localPartTooLong(length: 65)),
            ("me@", .domain(.emptyLabel)), ("me@example", .domain(.singleLabel)), ("me@192.0.2.1", .domain(.isIPAddress)),
            ("me@exam ple.org", .domain(.space)),
        ] as [(String, Problem.EmailProblem)])
    func badEmail(written: String, problem: Problem.EmailProblem) {
        let text = "SNIKKET_DOMAIN=chat.example.org\nSNIKKET_ADMIN_EMAIL=\(written)"
        #expect(problems(of: text) == [Problem(line: 2, option: "SNIKKET_ADMIN_EMAIL", kind: .notAnEmail(problem))])
    }

    @Test(
        "an unusual e-mail address is accepted",
        arguments: ["o'brien+chat@example.org", "a.b.c@example.org", "{x}#y=z@example.org", "me@localhost"])
    func goodEmail(address: String) throws {
        #expect(try settings("SNIKKET_ABUSE_EMAIL=\(address)").abuseEmail == address)
    }
}
