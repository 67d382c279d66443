import CertificateStore
import DNS
import RealServers
import Settings
import Testing

@testable import Preflight

@Suite("What is made of what was seen")
struct JudgementTests {
    private let machine = MachineAddresses(four: ["203.0.113.5"], six: ["2001:db8::5"])

    @Test(
        "an address is global, private, or of this machine only",
        arguments: [
            ("203.0.113.5", AddressKind.global), ("100.63.0.1", .global), ("100.64.0.1", .private), ("10.1.2.3", .private), ("172.16.0.1", .private),
            ("172.32.0.1", .global), ("192.168.1.1", .private), ("127.0.1.1", .here), ("169.254.1.1", .here), ("0.0.0.0", .here),
            ("224.0.0.1", .here),
            ("2001:db8::5", .global), ("fd00::1", .private), ("fe80::1", .here), ("::1", .here),
        ])
    func kinds(_ text: String, _ kind: AddressKind) { #expect(AddressKind(text) == kind) }

    @Test("this machine's loopback is not among the addresses that matter")
    func current() {
        let now = MachineAddresses.current()
        #expect((now.four + now.six + now.privateFour).allSatisfy { !$0.hasPrefix("127.") && $0 != "::1" && !$0.hasPrefix("fe80") })
    }

    @Test("what leads elsewhere is red, with the record that has to be there instead")
    func elsewhere() throws {
        let check = NamesCheck(settings: try .example(), machine: machine)
        func judged(_ name: PublishedName) throws -> Finding { try #require(check.findings([name]).first) }
        #expect(try judged(.init(name: "chat.example.org", four: ["203.0.113.5"])).level == .green)
        #expect(try judged(.init(name: "chat.example.org", four: ["203.0.113.5", "198.51.100.1"])).level == .red)
        let wrong = try judged(.init(name: "groups.chat.example.org", four: ["198.51.100.1"]))
        #expect(wrong.level == .red && wrong.records == ["groups.chat.example.org. A 203.0.113.5"])
        let loop = try judged(.init(name: "chat.example.org", four: ["127.0.1.1"]))
        #expect(loop.level == .red && loop.records == ["chat.example.org. A 203.0.113.5"])
        let dangling = try judged(.init(name: "share.chat.example.org", alias: "old.example.org", exists: false))
        #expect(dangling.level == .red && dangling.records == ["old.example.org. A 203.0.113.5"])
        let four = try judged(.init(name: "chat.example.org", six: ["2001:db8::5"]))
        #expect(four.level == .yellow && four.records == ["chat.example.org. A 203.0.113.5"])
        #expect(try judged(.init(name: "chat.example.org", failure: .refused(code: 2))).level == .red)
    }

    @Test("behind a web server on another machine, its address is not called wrong")
    func frontElsewhere() throws {
        let name = PublishedName(name: "chat.example.org", four: ["198.51.100.7"])
        for (proxies, level) in [("198.51.100.7", Finding.Level.yellow), ("10.0.0.0/8", .yellow), ("127.0.0.1", .red)] {
            let check = NamesCheck(settings: try .example("SNIKKET_TRUSTED_PROXIES=\(proxies)"), machine: machine)
            #expect(check.findings([name]).map(\.level) == [level], "\(proxies)")
        }
    }

    @Test("which port is whose: our own behind a web server, its own in front, and none of either twice")
    func sides() throws {
        let alone = try Settings.example()
        #expect(alone.publicPorts == alone.ownPorts)
        let behind = try Settings.example("SNIKKET_TWEAK_WEB_PROXY_PROTOS=http\nSNIKKET_TWEAK_HTTP_PORT=5080")
        func web(_ ports: [PublicPort]) -> [String] { ports.filter { $0.use.hasPrefix("web") }.map(\.number) }
        #expect(web(behind.ownPorts) == ["5080"])
        #expect(web(behind.publicPorts) == ["80", "443"])
        let passed = try Settings.example("SNIKKET_TRUSTED_PROXIES=127.0.0.1\nSNIKKET_TWEAK_HTTP_PORT=5080\nSNIKKET_TWEAK_HTTPS_PORT=5443")
        #expect(web(passed.ownPorts) == ["5080", "5443"])
        #expect(web(passed.publicPorts) == ["80", "443"])
    }

    @Test("an address of the own network is good for an authority of one's own, and for none that looks from outside")
    func ownNetwork() throws {
        let home = MachineAddresses(privateFour: ["192.168.1.5"])
        let name = PublishedName(name: "chat.example.org", four: ["192.168.1.5"])
        for (more, level) in [
            ("", Finding.Level.red), ("SNIKKET_CERTIFICATE=internal", .yellow), ("SNIKKET_CHALLENGE=dns-01\nSNIKKET_DNS_HOOK=/bin/true", .yellow),
        ] {
            let check = NamesCheck(settings: try .example(more), machine: home)
            #expect(check.findings([name]).map(\.level) == [level], "\(more)")
        }
        let missing = NamesCheck(settings: try .example(), machine: home).findings([.init(name: "chat.example.org", exists: false)])
        #expect(missing.map(\.records) == [[]], "a private address is no record for the world")
    }

    @Test("IPv6 that is published has to be ours, switched on, and have a way out")
    func ipv6() throws {
        let (ours, others) = (PublishedName(name: "a", six: ["2001:db8::5"]), PublishedName(name: "b", six: ["2001:db8::6"]))
        func levels(_ more: String, _ names: [PublishedName], hasRoute: Bool = true, isAnswered: Bool? = nil) throws -> [Finding.Level] {
            IPv6Check(settings: try .example(more), machine: machine, hasRoute: hasRoute, isAnswered: isAnswered).findings(names).map(\.level)
        }
        #expect(try levels("", [ours], isAnswered: true) == [.green])
        #expect(try levels("", [ours, others], isAnswered: false) == [.yellow, .red])
        #expect(try levels("", [ours]) == [.green])
        #expect(try levels("", [ours, others]) == [.green, .red])
        #expect(try levels("", [ours], hasRoute: false) == [.red])
        #expect(try levels("SNIKKET_TWEAK_IPV6=off", [ours]) == [.red])
        #expect(try levels("", [.init(name: "a", four: ["203.0.113.5"])], hasRoute: false) == [.green])
    }

    @Test("a clock before the certificate, or before this program, is red; one that nothing keeps is yellow")
    func clock() {
        let now = 1_800_000_000
        #expect(ClockCheck(now: now, isSynchronised: true).finding.level == .green)
        #expect(ClockCheck(now: now, isSynchronised: false).finding.level == .yellow)
        #expect(ClockCheck(now: now, isSynchronised: nil).finding.level == .yellow)
        #expect(ClockCheck(now: now, isSynchronised: true, certificateBegins: now + 600).finding.level == .red)
        #expect(ClockCheck(now: 86_400, isSynchronised: true).finding.level == .red)
    }

    @Test("little disk, memory and files are told by how little")
    func resources() {
        let (megabyte, gigabyte) = (1 << 20, 1 << 30)
        #expect([100 * megabyte, gigabyte, 3 * gigabyte].map { ResourcesCheck.disk(free: $0, at: "/x").level } == [.red, .yellow, .green])
        let files = [100, 10_000, 1_000_000, nil].map { ResourcesCheck.disk(free: 3 * gigabyte, files: $0, at: "/x") }
        #expect(files.map(\.level) == [.red, .yellow, .green, .green])
        #expect(files[0].what.contains("only 100 more files"))
        func memory(_ total: Int, _ available: Int, _ swap: Int = 0, isRunning: Bool = false) -> Finding.Level {
            ResourcesCheck.memory(total: total * megabyte, available: available * megabyte, swap: swap * megabyte, isRunning: isRunning).level
        }
        #expect(memory(400, 300) == .red)
        #expect(memory(400, 300, 1024) == .yellow)
        #expect(memory(700, 500) == .yellow)
        #expect(memory(700, 500, 1024) == .green)
        #expect(memory(960, 700) == .green)
        #expect(memory(960, 100) == .yellow)
        #expect(memory(960, 100, isRunning: true) == .green)
        #expect([nil, 65_536, 1024].map { ResourcesCheck.files(highest: $0).level } == [.green, .green, .yellow])
        #expect(ResourcesCheck(state: "/nonexistent/deep/folder", isRunning: false).findings.count == 3)
        #expect([512 * megabyte, 1536 * megabyte, 20 * gigabyte].map(size) == ["512 MB", "1.5 GB", "20 GB"])
    }

    @Test("a certificate that ends soon, is for other names, or whose last attempt failed is yellow; one that has ended is red")
    func certificate() throws {
        let now = 1_800_000_000
        let names = ["chat.example.org", "groups.chat.example.org", "share.chat.example.org"]
        func levels(_ record: CertificateRecord?, failure: Bool = false, isRunning: Bool = true) throws -> [Finding.Level] {
            let check = CertificateCheck(settings: try .example(), folder: "/nonexistent", isRunning: isRunning, now: now)
            var facts = CertificateCheck.Facts(record: record)
            if failure { facts.attempts.failed(.init(kind: .validation, error: "no", cause: "because", try: "this"), now: now) }
            return check.findings(facts).map(\.level)
        }
        func record(_ names: [String], days: Int) -> CertificateRecord {
            CertificateRecord(names: names, issuer: "CA", serial: "1", notBefore: now - (90 - days) * 86_400, notAfter: now + days * 86_400)
        }
        #expect(try levels(record(names, days: 60)) == [.green])
        #expect(try levels(record(names, days: 5)) == [.yellow])
        #expect(try levels(record(names, days: -1)) == [.red])
        #expect(try levels(record(["chat.example.org"], days: 60)) == [.yellow])
        #expect(try levels(record(names, days: 60), failure: true) == [.green, .yellow])
        #expect(try levels(nil) == [.yellow])
        #expect(try levels(nil, isRunning: false) == [.green])
        let own = CertificateCheck(
            settings: try .example("SNIKKET_CERTIFICATE=files\nSNIKKET_CERTIFICATE_FULLCHAIN=/nonexistent\nSNIKKET_CERTIFICATE_KEY=/etc/hostname"),
            folder: "/nonexistent", isRunning: false)
        #expect(own.findings(own.facts()).map(\.level) == [.red, .green])
    }

    @Test("the verdict is the worst line")
    func verdict() {
        let (green, yellow, red) = (Finding(.disk, .green, ""), Finding(.disk, .yellow, ""), Finding(.disk, .red, ""))
        #expect([Finding]().verdict == .green && [green, yellow].verdict == .yellow && [yellow, red, green].verdict == .red)
    }
}
