import CertificateStore
import Glibc
import Lifecycle
import RealServers
import Synchronization
import Testing

@testable import Appliance

@Suite("what administrators hear")
struct WarningTests {
    private static let day = 86_400
    private static let record = CertificateRecord(names: ["a.example"], issuer: "CA", serial: "01", notBefore: 0, notAfter: 90 * day)

    private static func failing(since first: Int) -> AttemptState {
        var attempts = AttemptState()
        attempts.failed(.init(kind: .caDown, error: "the authority is down", try: "wait"), now: first)
        return attempts
    }

    private static func level(_ attempts: AttemptState, isOwn: Bool = false, now: Int) -> Int {
        CertificateWarning(of: record, attempts: attempts, isOwn: isOwn, domain: "a.example", now: now).level
    }

    @Test("of renewal that fails they hear after three days, and 7, 3 and 1 days before the end")
    func levels() {
        let attempts = Self.failing(since: 60 * Self.day)
        let expected = [(60, 0), (62, 0), (63, 1), (82, 1), (83, 2), (86, 2), (87, 3), (88, 3), (89, 4), (91, 4)]
        for (day, level) in expected { #expect(Self.level(attempts, now: day * Self.day) == level, "day \(day)") }
        // One that is renewed in time is nobody's business, however short its life.
        for day in [60, 83, 89] { #expect(Self.level(AttemptState(), now: day * Self.day) == 0) }
    }

    @Test("of one's own files they hear without anything having failed")
    func ownFiles() {
        for (day, level) in [(70, 0), (83, 2), (87, 3), (89, 4)] {
            #expect(Self.level(AttemptState(), isOwn: true, now: day * Self.day) == level, "day \(day)")
        }
    }

    @Test("the message says what is wrong and what to do")
    func words() {
        let text = CertificateWarning(
            of: Self.record, attempts: Self.failing(since: 60 * Self.day), isOwn: false, domain: "a.example", now: 84 * Self.day
        ).text
        for part in ["a.example", "6 days", "1970-04-01", "the authority is down", "What to do: wait", "snikket certificate show"] {
            #expect(text.contains(part), "\(text)")
        }
    }

    @Test("of waiting upgrades they hear which, whether it is for security, and what to do")
    func upgrades() {
        let (old, secure) = (
            PendingUpgrade(package: "coturn", installed: "4.6.1", available: "4.6.2", isSecurity: false),
            PendingUpgrade(package: "prosody", installed: "13.0.1", available: "13.0.2", isSecurity: true)
        )
        #expect([[], [old], [old, secure]].map { UpgradeNotice(of: $0, domain: "a.example").level } == [0, 1, 2])
        let text = UpgradeNotice(of: [old, secure], domain: "a.example").text
        for part in ["a.example", "coturn 4.6.2 (now 4.6.1);", "prosody 13.0.2 (now 13.0.1), for security", "apt upgrade", "started again by itself"]
        {
            #expect(text.contains(part), "\(text)")
        }
        #expect(!UpgradeNotice(of: [old], domain: "a.example").text.contains("security"))
        let backport = PendingUpgrade(package: "prosody", installed: "13.0.1-1~bpo12+1", available: "13.0.2-1~bpo12+1", isSecurity: false)
        let notice = UpgradeNotice(of: [old, backport], domain: "a.example")
        #expect(notice.level == 1 && notice.text.contains("prosody 13.0.2-1~bpo12+1 (now 13.0.1-1~bpo12+1), perhaps for security"))
    }

    @Test("another security upgrade is told of, whatever was waiting before, and one that was told of is not")
    func securityUpgrades() async throws {
        func upgrade(_ package: String, _ version: String, isSecurity: Bool) -> PendingUpgrade {
            PendingUpgrade(package: package, installed: "1", available: version, isSecurity: isSecurity)
        }
        let (coturn, prosody) = (upgrade("coturn", "2", isSecurity: false), upgrade("prosody", "2", isSecurity: true))
        let looks: [(waiting: [PendingUpgrade], isTold: Bool)] = [
            ([coturn, prosody], true), ([coturn, prosody], false),
            // It is installed, the other one goes on waiting, and then it is of use again.
            ([coturn], false), ([coturn, prosody], true),
            // All are installed, and others come, between one look and the next.
            ([upgrade("nginx", "2", isSecurity: true)], true), ([upgrade("nginx", "3", isSecurity: true)], true),
            // One of two is installed.
            ([upgrade("nginx", "3", isSecurity: true), prosody], true), ([prosody], false),
            ([], true), ([coturn], true), ([coturn, upgrade("nginx", "4", isSecurity: false)], false),
            // Backports do not say what is for security.
            ([coturn, upgrade("prosody", "3~bpo12+1", isSecurity: false)], true),
            ([coturn, upgrade("prosody", "3~bpo12+1", isSecurity: false)], false),
            ([coturn, upgrade("prosody", "4~bpo12+1", isSecurity: false)], true),
        ]
        try await Scratch.with { scratch in
            let chat = Ears(hears: true)
            for (number, look) in looks.enumerated() {
                // Another run each time.
                let messages = AdminMessages(path: scratch.path + "/messages.json", channels: ["chat": chat])
                let (before, notice) = (chat.heard.count, UpgradeNotice(of: look.waiting, domain: "a.example"))
                await messages.tell("upgrade", level: notice.level, parts: notice.forSecurity, notice.text)
                #expect(chat.heard.count - before == (look.isTold ? 1 : 0), "look \(number)")
            }
        }
    }

    @Test("of a newer release they hear once of each version, and again when it is the one for security that is held back")
    func releases() async throws {
        let looks: [(release: WaitingRelease, isTold: Bool)] = [
            (.init(version: "0.2.0", isSecurity: false, isHeld: false), true), (.init(version: "0.2.0", isSecurity: false, isHeld: false), false),
            (.init(version: "0.2.1", isSecurity: false, isHeld: false), true), (.init(version: "0.2.2", isSecurity: true, isHeld: true), true),
            (.init(version: "0.2.2", isSecurity: true, isHeld: true), false), (.init(version: "0.2.3", isSecurity: true, isHeld: false), true),
        ]
        try await Scratch.with { scratch in
            let chat = Ears(hears: true)
            for (number, look) in looks.enumerated() {
                // Another run each time.
                let messages = AdminMessages(path: scratch.path + "/messages.json", channels: ["chat": chat])
                let (before, notice) = (chat.heard.count, ReleaseNotice(of: look.release, domain: "a.example"))
                await messages.tell("release", level: notice.level, parts: notice.versions, notice.text)
                #expect(chat.heard.count - before == (look.isTold ? 1 : 0), "look \(number)")
            }
            #expect(
                chat.heard[0] == """
                    snikket 0.2.0 is there for the server of a.example.
                    What to do: `snikket upgrade` on the server says what is new, asks, and installs it.
                    """)
            #expect(
                chat.heard[2] == """
                    snikket 0.2.2 is there for the server of a.example, and mends security problems of what is installed.
                    What to do: look with `snikket status` what does not serve: the release comes by itself once everything does.
                    """)
        }
    }

    @Test("what ended while it was being told of is told to be over, if anybody has heard of it", arguments: [true, false])
    func endsMeanwhile(isHeard: Bool) async throws {
        try await Scratch.with { scratch in
            let mail = Letterbox()
            let messages = AdminMessages(path: scratch.path + "/messages.json", channels: ["mail": mail])
            async let telling: Void = messages.tell("service prosody", level: 1, "fails")
            try await until { mail.waiting == "fails" }
            await messages.tell("service prosody", level: 0, "works again")
            mail.answer(isHeard, isQuickThen: true)
            await telling
            await messages.deliver()
            #expect(mail.heard == (isHeard ? ["fails", "works again"] : []))
            #expect(await messages.report == .init(matters: [], undelivered: 0))
            #expect(messages.areDelivered)
        }
    }

    @Test("what is over before its turn has come is not told any more")
    func overBeforeItsTurn() async throws {
        try await Scratch.with { scratch in
            let mail = Letterbox()
            let messages = AdminMessages(path: scratch.path + "/messages.json", channels: ["mail": mail])
            async let first: Void = messages.tell("disk", level: 1, "full")
            try await until { mail.waiting == "full" }
            await messages.tell("clock", level: 1, "wrong")
            mail.answer(false)
            await first
            async let again: Void = messages.deliver()
            try await until { mail.waiting == "full" }
            await messages.tell("clock", level: 0, "right")
            mail.answer(true, isQuickThen: true)
            await again
            #expect(mail.heard == ["full"])
        }
    }

    @Test("each matter is told once for each degree, once more when it is over, and kept until somebody can hear it")
    func messages() async throws {
        try await Scratch.with { scratch in
            let path = scratch.path + "/messages.json"
            let chat = Ears(hears: false)
            let first = AdminMessages(path: path, channels: ["chat": chat])
            await first.tell("certificate", level: 1, "one")
            #expect(!first.areDelivered && chat.heard == [])
            // Another run, with somebody who administers.
            let messages = AdminMessages(path: path, channels: ["chat": chat])
            #expect(!messages.areDelivered)
            chat.hears = true
            await messages.deliver()
            #expect(messages.areDelivered && chat.heard == ["one"])
            await messages.tell("certificate", level: 1, "one again")
            #expect(chat.heard == ["one"])
            await messages.tell("certificate", level: 3, "three")
            await messages.tell("certificate", level: 2, "two")
            #expect(chat.heard == ["one", "three"])
            await messages.tell("certificate", level: 0, "over")
            await messages.tell("certificate", level: 0, "over again")
            #expect(chat.heard == ["one", "three", "over"])
            #expect(AdminMessages(path: path, channels: ["chat": chat]).areDelivered)
        }
    }

    @Test("what cannot go on is forgotten, and is news when it comes again")
    func forgotten() async throws {
        try await Scratch.with { scratch in
            let (path, chat) = (scratch.path + "/messages.json", Ears(hears: true))
            let messages = AdminMessages(path: path, channels: ["chat": chat])
            await messages.tell("service coturn", level: 1, "fails")
            await messages.forget("service coturn")
            #expect(await AdminMessages(path: path, channels: ["chat": chat]).report == .init(matters: [], undelivered: 0))
            await messages.tell("service coturn", level: 0, "works again")
            await messages.tell("service coturn", level: 1, "fails again")
            #expect(chat.heard == ["fails", "fails again"])
        }
    }

    @Test("an end of which nobody heard the begin is not told")
    func unheard() async throws {
        try await Scratch.with { scratch in
            let chat = Ears(hears: false)
            let messages = AdminMessages(path: scratch.path + "/messages.json", channels: ["chat": chat])
            await messages.tell("disk", level: 1, "full")
            await messages.tell("disk", level: 0, "over")
            chat.hears = true
            await messages.deliver()
            #expect(chat.heard == [] && messages.areDelivered)
        }
    }

    @Test("a channel that fails does not hold the other up, and each hears once")
    func channels() async throws {
        try await Scratch.with { scratch in
            let (chat, mail) = (Ears(hears: true), Ears(hears: false))
            let messages = AdminMessages(path: scratch.path + "/messages.json", channels: ["chat": chat, "mail": mail])
            await messages.tell("disk", level: 1, "full")
            #expect(chat.heard == ["full"] && !messages.areDelivered)
            mail.hears = true
            await messages.deliver()
            #expect(chat.heard == ["full"] && mail.heard == ["full"] && messages.areDelivered)
        }
    }

    @Test("who waits is woken by a wish, or after a time")
    func doorbell() async throws {
        let bell = Doorbell<Int>()
        #expect(try await bell.wait(atMost: .milliseconds(10)) == nil)
        async let waited = bell.wait(atMost: .seconds(60))
        await bell.ring(7)
        #expect(try await waited == 7)
        await bell.ring(8)
        await bell.ring(9)
        #expect(try await bell.wait(atMost: .seconds(60)) == 9)
        let task = Task { try await bell.wait(atMost: .seconds(60)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("accounts arranged beforehand are found by their authority, and a file that others can read is refused")
    func externalAccounts() async throws {
        try await Scratch.with { scratch in
            let path = scratch.path + "/accounts"
            try scratch.file(path, "# mine\n\nhttps://a.example/dir kid1 c2VjcmV0\nhttps://b.example/dir\tkid2  a2V5\r\n", mode: 0o600)
            let file = ExternalAccountFile(path: path)
            #expect(try file.account(at: "https://b.example/dir") == .init(keyID: "kid2", key: "a2V5"))
            #expect(try file.account(at: "https://c.example/dir") == nil)
            try scratch.file(path, "https://a.example/dir kid1\n", mode: 0o600)
            #expect(throws: CertificateFailure.self) { try file.account(at: "https://a.example/dir") }
            try scratch.file(path, "https://a.example/dir --output c2VjcmV0\n", mode: 0o600)
            #expect(throws: CertificateFailure.self) { try file.account(at: "https://a.example/dir") }
            chmod(path, 0o644)
            #expect(throws: CertificateFailure.self) { try file.account(at: "https://a.example/dir") }
        }
    }
}
