import Settings
import Testing

/// SplitMix64: the same numbers for the same seed, so that a failure can be looked at again.
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Text of characters that mean something somewhere, and of any others.
    mutating func text(upTo length: Int, controls: Bool) -> String {
        let meaningful = Array("\"'\\#=$ {}();[]<>&%`~|/.@-:ab1ü\u{301}\u{200D}漢🏔Ⅷ".unicodeScalars)
        let steering = Array("\0\n\r\t\u{1B}\u{85}\u{2028}\u{FEFF}".unicodeScalars)
        var scalars = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...length, using: &self) {
            switch Int.random(in: 0..<10, using: &self) {
            case 0 where controls: scalars.append(steering.randomElement(using: &self) ?? "\0")
            case 0...7: scalars.append(meaningful.randomElement(using: &self) ?? "a")
            default:
                guard let scalar = Unicode.Scalar(UInt32.random(in: 0x20...0x2FFFF, using: &self)) else { continue }
                let isControl = [.control, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
                if controls || !isControl { scalars.append(scalar) }
            }
        }
        return String(scalars)
    }
}

@Suite("Random input")
struct RandomTests {
    @Test("any text without control characters comes back as it was written", arguments: 1...20 as ClosedRange<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var numbers = SeededNumbers(state: seed)
        let option = try #require(Settings.Option.named("SNIKKET_SITE_NAME"))
        for _ in 0..<100 {
            let value = numbers.text(upTo: 40, controls: false)
            let read = try settings(option.line(setting: value)).siteName
            let expected = value.isEmpty ? "chat.example.org" : value
            // Scalars: strings that look the same are equal to ==.
            #expect(Array(read.unicodeScalars) == Array(expected.unicodeScalars), "\(option.line(setting: value))")
        }
    }

    @Test("any text at all is read or refused, with lines that exist", arguments: 1...20 as ClosedRange<UInt64>)
    func anything(seed: UInt64) {
        var numbers = SeededNumbers(state: seed)
        for _ in 0..<100 {
            let text = numbers.text(upTo: 300, controls: true)
            let problems = problems(of: text)
            #expect(!problems.isEmpty, "no random text holds both required options")
            let lines = text.unicodeScalars.count { $0 == "\n" } + 1
            #expect(problems.allSatisfy { ($0.line.map { (1...lines).contains($0) }) ?? true })
        }
    }

    @Test(
        "any value of any option is accepted or refused on its line, and what is accepted stays itself",
        arguments: 1...20 as ClosedRange<UInt64>)
    func anyValue(seed: UInt64) throws {
        var numbers = SeededNumbers(state: seed)
        var (accepted, refused) = (0, 0)
        for option in Settings.Option.all where option.name != "SNIKKET_DOMAIN" && option.name != "SNIKKET_ADMIN_EMAIL" {
            let value =
                [numbers.text(upTo: 12, controls: false), "\(Int.random(in: -9...70000, using: &numbers))", "https://x.example/{token}"]
                .randomElement(using: &numbers) ?? ""
            let text = "SNIKKET_DOMAIN=chat.example.org\nSNIKKET_ADMIN_EMAIL=me@example.org\n" + option.line(setting: value)
            do {
                let settings = try Settings(parsing: text, file: "x")
                guard let given = settings.given[option.name] else { continue }
                let again = try Settings(
                    parsing: "SNIKKET_DOMAIN=chat.example.org\nSNIKKET_ADMIN_EMAIL=me@example.org\n" + option.line(setting: given),
                    file: "x")
                #expect(again.given == settings.given)
                accepted += 1
            } catch {
                #expect(error.problems.allSatisfy { $0.line == 3 || $0.kind == .missingFor(option: "SNIKKET_CERTIFICATE", value: "files") })
                refused += 1
            }
        }
        #expect(accepted > 0 && refused > 0)
    }

    @Test("whatever is accepted as a domain is a host name, and stays itself", arguments: 1...20 as ClosedRange<UInt64>)
    func domains(seed: UInt64) throws {
        var numbers = SeededNumbers(state: seed)
        let pieces = ["a", "Z", "9", "-", ".", ".", "ü", "ß", "漢", "xn--", "é", "e\u{301}", "_", "\u{200D}", "١", "。", "İ", "🏔", "org"]
        var accepted = 0
        for _ in 0..<150 {
            let length = Int.random(in: 1...12, using: &numbers)
            let name = (0..<length).map { _ in pieces.randomElement(using: &numbers) ?? "" }.joined() + (length < 4 ? ".org" : "")
            guard let domain = try? Settings(parsing: "SNIKKET_DOMAIN=\(name)\nSNIKKET_ADMIN_EMAIL=me@example.org", file: "x").domain else {
                continue
            }
            accepted += 1
            let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
            #expect(
                labels.count > 1 && labels.allSatisfy { (1...63).contains($0.utf8.count) && $0.first != "-" && $0.last != "-" }, "\(name)")
            #expect(
                domain.unicodeScalars.allSatisfy { ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "-" || $0 == "." },
                "\(name)")
            #expect(domain.utf8.count <= 246)
            #expect(
                try Settings(parsing: "SNIKKET_DOMAIN=\(domain)\nSNIKKET_ADMIN_EMAIL=me@example.org", file: "x").domain == domain, "\(name)"
            )
        }
        #expect(accepted > 0)
    }
}
