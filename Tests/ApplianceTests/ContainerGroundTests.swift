import DurableFiles
import Glibc
import Lifecycle
import RealServers
import ServerConfigs
import Settings
import Testing

@testable import Appliance

@Suite("the ground of containers")
struct ContainerGroundTests {
    private static let text = "SNIKKET_DOMAIN=chat.example\nSNIKKET_ADMIN_EMAIL=admin@chat.example\n"

    private func ground(_ scratch: Scratch, _ text: String = text) throws -> ContainerGround {
        try scratch.file(scratch.locations.configuration, text, mode: 0o600)
        return try ContainerGround(settings: try Settings(parsing: text, file: "snikket.conf"), locations: scratch.locations)
    }

    @Test("whatever is mounted is there, nobody but the engine finds it, and its owner is who writes in it")
    func folders() async throws {
        try await Scratch.with { scratch in
            let plan = try ground(scratch).containers
            try ground(scratch).prepare()
            let isRoot = geteuid() == 0
            for container in plan.containers {
                for mount in container.mounts {
                    let facts = try #require(scratch.facts(mount.source), "\(mount.source)")
                    #expect(facts.st_mode & S_IFMT == S_IFDIR)
                    if !mount.isReadOnly { #expect(facts.st_uid == container.user.user, "\(mount.source)") }
                }
                #expect(container.user.user != 0 || !isRoot)
            }
            #expect(scratch.facts(plan.shared).map { $0.st_mode & 0o7777 } == 0o700)
            // What the certificates' container puts there is its server's to read, through the folder's group.
            for service in [Service.prosody, .nginx, .coturn] {
                let facts = try #require(scratch.facts(plan.shared(service, "tls")))
                #expect(facts.st_mode & 0o7777 == 0o2750)
                #expect(facts.st_gid == plan.accounts[service]?.group)
                #expect(facts.st_uid == plan.certificates.user)
            }
        }
    }

    @Test("each server has the secrets that it shares, alone; they stay the same, also when everything is made again")
    func secrets() async throws {
        try await Scratch.with { scratch in
            let plan = try ground(scratch).containers
            try ground(scratch).prepare()
            let stored = try Secrets.load(from: scratch.locations)
            try ground(scratch).prepare()
            #expect(try Secrets.load(from: scratch.locations) == stored)
            let given: [Service: [String: String]] = [
                .prosody: ["api": stored.api, "turn": stored.turn], .portal: ["api": stored.api], .coturn: ["turn": stored.turn],
            ]
            for (service, secrets) in given {
                let folder = plan.shared(service, "secrets")
                #expect(Set(Folder.names(in: folder)) == Set(secrets.keys))
                for (name, secret) in secrets {
                    #expect(try File.read("\(folder)/\(name)") == Array((secret + "\n").utf8))
                    let facts = try #require(scratch.facts("\(folder)/\(name)"))
                    #expect(facts.st_mode & 0o7777 == 0o600)
                    #expect(facts.st_uid == plan.accounts[service]?.user)
                }
            }
            #expect(scratch.facts(plan.shared(.nginx, "secrets")) == nil)
        }
    }

    @Test("a secret in the settings is only in the copies of whom it concerns, and they read the same lines otherwise")
    func settingsSecrets() async throws {
        try await Scratch.with { scratch in
            let text =
                Self.text
                + "export SNIKKET_TWEAK_TURNSERVER_SECRET = \"between us\"\r\nSNIKKET_SMTP_URL=smtps://me:mine@mail.example\nSNIKKET_SITE_NAME=us\n"
                + "#SNIKKET_SMTP_URL=smtps://me:mine@mail.example\nSNIKKET_RETENTION_DAYS=9 # not smtps://me:mine@mail.example\n"
            let ground = try ground(scratch, text)
            try ground.prepare()
            let plan = ground.containers
            let lines = text.utf8.count { $0 == 0x0A }
            for service in Service.allCases {
                let copy = try File.read(plan.settingsCopy(of: service) + "/snikket.conf")
                let words = String(decoding: copy, as: UTF8.self)
                #expect(words.contains("between us") == [.prosody, .coturn].contains(service), "\(service)")
                #expect(!words.contains("me:mine"))
                #expect(words.utf8.count { $0 == 0x0A } == lines)
                let read = try Settings(parsing: words, file: "copy")
                #expect(read.siteName == "us" && read.retentionDays == 9 && (read.turn.secret != nil))
                let facts = try #require(scratch.facts(plan.settingsCopy(of: service) + "/snikket.conf"))
                #expect(facts.st_mode & 0o777 == ([.prosody, .coturn].contains(service) ? 0o600 : 0o644))
            }
        }
    }

    @Test("where a restore has not come to its end nothing is made")
    func unfinishedRestore() async throws {
        try await Scratch.with { scratch in
            try ground(scratch).prepare()
            let state = scratch.locations.state
            try Folder.make(state + "/restoring", mode: 0o700)
            try scratch.file("\(state)/restoring/plan.json", "{}", mode: 0o600)
            #expect(throws: ApplianceError.restoreUnfinished(state: state)) { try ground(scratch).prepare() }
        }
    }

    @Test("the containers' copy of the settings is replaced in one step when they have changed, and only then")
    func settings() async throws {
        try await Scratch.with { scratch in
            let copy = try ground(scratch).containers.settingsCopy + "/snikket.conf"
            try ground(scratch).prepare()
            let first = try #require(scratch.facts(copy))
            #expect(first.st_mode & 0o7777 == 0o644)
            try ground(scratch).prepare()
            #expect(scratch.facts(copy)?.st_ino == first.st_ino)
            try ground(scratch, Self.text + "SNIKKET_SITE_NAME=x\n").prepare()
            #expect(scratch.facts(copy)?.st_ino != first.st_ino)
            #expect(try File.read(copy) == File.read(scratch.locations.configuration))
        }
    }

    /// As if this were a version that has brought a change of the portal's files.
    private func newer(_ scratch: Scratch) throws -> ContainerGround {
        var ground = try ground(scratch)
        ground.migrations.append(
            Migration(to: 99, touches: ["portal/made"]) { state throws(FileError) in
                try File.write(Array("made".utf8), to: state + "/portal/made", mode: 0o600)
            })
        return ground
    }

    @Test("a newer version changes the state once nothing runs, and the containers are told of it")
    func newer() async throws {
        try await Scratch.with { scratch in
            let plan = try ground(scratch).containers
            try ground(scratch).prepare()
            let copy = plan.settingsCopy + "/version"
            #expect(try File.read(copy) == File.read(scratch.locations.state + "/version"))
            for name in (["lock"] + Restorer.containerLocks).map({ "\(scratch.locations.state)/\($0)" }) {
                let lock = try HeldLock(name)
                #expect(throws: ApplianceError.olderContainersRun(state: scratch.locations.state)) { try newer(scratch).prepare() }
                #expect(try File.read(copy) != Array("99\n".utf8) && scratch.facts(scratch.locations.portal + "/made") == nil)
                withExtendedLifetime(lock) {}
            }
            try newer(scratch).prepare()
            #expect(try File.read(copy) == Array("99\n".utf8) && File.read(scratch.locations.portal + "/made") == Array("made".utf8))
            // The version before would spoil it.
            let known = StateVersion(of: scratch.locations.state).newest
            #expect(throws: StateError.newer(found: 99, known: known)) { try ground(scratch).prepare() }
        }
    }

    @Test("a container of another version than what was rendered for it does not begin", arguments: [nil, "0", "99"])
    func otherVersion(_ found: String?) async throws {
        try await Scratch.with { scratch in
            if let found { try scratch.file(File.folder(of: scratch.locations.configuration) + "/version", found + "\n", mode: 0o644) }
            let newest = StateVersion(of: scratch.locations.state).newest
            let check = { try Serve.checkVersion(scratch.locations) }
            if found == "99" {
                #expect(throws: StateError.newer(found: 99, known: newest), performing: check)
            } else {
                #expect(throws: ApplianceError.renderedByOlder(found: found.flatMap(Int.init), needed: newest), performing: check)
            }
        }
    }
}

@Suite("the health of a part")
struct HealthAnswerTests {
    private func answer(_ path: String, _ report: StatusReport) -> Int { report.health(askedAs: path).status }

    @Test("a server is healthy when it is ready, the certificates when there is one; who is not there is not known")
    func health() {
        var report = StatusReportTests.full
        #expect(answer("/health/nginx", report) == 200)
        report.services[0].state = "unhealthy"
        #expect(answer("/health/nginx", report) == 503)
        #expect(answer("/health/certificates", report) == 200)
        report.problems = [.init(matter: "certificate-copies", problem: .init(error: "one server has none"))]
        #expect(answer("/health/certificates", report) == 503)
        report.problems = []
        report.certificate?.serial = nil
        #expect(answer("/health/certificates", report) == 503)
        report.certificate = nil
        #expect(answer("/health/certificates", report) == 404)
        #expect(answer("/health/prosody", report) == 404)
        #expect(answer("/health/", report) == 404)
    }
}
