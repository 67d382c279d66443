import DurableFiles
import FoundationEssentials
import Glibc
import ProsodyFixture
import Settings
import Testing

@testable import Portal

@Suite("the portal's pieces")
struct PieceTests {
    @Test("a bucket of attempts empties, fills up again, and the table of addresses stays bounded")
    func rateLimit() {
        let start = ContinuousClock.now
        let limit = RateLimit(burst: 3, interval: 2)
        #expect((0..<4).map { _ in limit.allows("a", at: start) } == [true, true, true, false])
        #expect(limit.allows("b", at: start))
        #expect(!limit.allows("a", at: start + .seconds(1.9)))
        #expect(limit.allows("a", at: start + .seconds(2.1)))
        #expect(!limit.allows("a", at: start + .seconds(2.2)))
        for number in 0..<10_000 { #expect(limit.allows("address \(number)", at: start + .seconds(2.2))) }
        #expect(!limit.allows("a", at: start + .seconds(2.3)), "whoever is at the limit is not forgotten first")
    }

    @Test("a form is read as browsers write it, and anything else is refused")
    func form() throws {
        let form = try #require(
            RegistrationForm(body: "username=+An%C3%A4%40chat.test&password=a%2Bb+c%26&x=1&confirmation&form=f".utf8, domain: "chat.test"))
        #expect(form.username == "Anä" && form.password == "a+b c&" && form.confirmation == "" && form.formToken == "f")
        for body in ["username=%", "username=%4", "username=%zz", "username=%ff", "%00%ff=1"] {
            #expect(RegistrationForm(body: body.utf8, domain: "chat.test") == nil, "\(body)")
        }
        #expect(RegistrationForm(body: "".utf8, domain: "chat.test")?.problems.username == .usernameMissing)
    }

    @Test("a configuration is read as it was written; a missing or malformed one says which file")
    func configuration() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/portal.json"
        let configuration = PortalConfiguration(
            domain: "chat.test", siteName: "“Rose\" \\wood", socket: "/run/x.sock", apiPort: 5280, apiSecret: "ab", templates: "/t",
            termsURI: nil, privacyURI: "https://example.org/p")
        #expect(throws: FileError(.read, path, errno: ENOENT)) { try PortalConfiguration.read(from: path) }
        try configuration.write(to: path)
        #expect(try PortalConfiguration.read(from: path) == configuration)
        try Data("{}".utf8).write(to: URL(filePath: path))
        #expect(throws: FileError.malformed(path)) { try PortalConfiguration.read(from: path) }
    }

    @Test("texts fill in what they name and leave the rest; a page whose text is missing does not start")
    func texts() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/en.json"
        try Data(#"{"language":"en","invite_lead_person":"{inviter} at {site} {unknown} {","home_title":"x"}"#.utf8).write(to: URL(filePath: path))
        let texts = try Texts(path: path, known: ["site": "{inviter}"])
        #expect(texts(.inviteLeadPerson, ["inviter": "Anna"]) == "Anna at {inviter} {unknown} {")
        #expect(throws: PortalError.missingText(key: "invite_title")) { try texts.check() }
        try Data("<p>{{ t_none }}</p>".utf8).write(to: URL(filePath: folder + "/page.html"))
        #expect(throws: PortalError.missingText(key: "none")) { try Page(path: folder + "/page.html", texts: texts) }
        try Data("[]".utf8).write(to: URL(filePath: path))
        #expect(throws: PortalError.malformedTexts(path: path)) { try Texts(path: path, known: [:]) }
        #expect(throws: PortalError.unreadable(path: "/none")) { try Texts(path: "/none", known: [:]) }
    }
}
