import DurableFiles
import Glibc
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
        report.certificate?.serial = nil
        #expect(answer("/health/certificates", report) == 503)
        report.certificate = nil
        #expect(answer("/health/certificates", report) == 404)
        #expect(answer("/health/prosody", report) == 404)
        #expect(answer("/health/", report) == 404)
    }
}
