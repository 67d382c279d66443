import Glibc
import ServerConfigs
import Settings
import Testing

@Suite("acceptance by the real programs")
struct AcceptanceTests {
    @Test("Prosody, nginx and coturn accept what is rendered", arguments: Example.allCases)
    func accepted(example: Example) async throws {
        let stage = try await Stage(try example.settings(firstPort: try FreePorts.block(of: 50)))
        try await stage.acceptance().check(try stage.facts.files())
        for service in [Service.prosody, .nginx, .coturn] {
            #expect(access(stage.facts.locations.state + "/accepted/" + service.rawValue, F_OK) == 0)
            #expect(access(stage.facts.locations.run(of: service) + "/candidate", F_OK) != 0)
        }
    }

    @Test("nginx accepts its configuration for the time before the first certificate")
    func gettingReady() async throws {
        let stage = try await Stage(try Example.minimal.settings(firstPort: try FreePorts.block(of: 50)), phase: .gettingReady(nil))
        try await stage.acceptance().accept(.nginx, try stage.facts.files(of: .nginx))
    }

    @Test(
        "a file with a mistake is refused in the server's own words",
        arguments: [
            (Service.prosody, "\nthis is no Lua\n", "syntax error"), (.prosody, "\nmodules_enabled = 5\n", "modules_enabled"),
            (.nginx, "\nbogus_directive on;\n", "bogus_directive"), (.coturn, "\nbogus-option=1\n", "bogus-option"),
        ])
    func refused(service: Service, mistake: String, word: String) async throws {
        let stage = try await Stage(try Example.trial.settings(firstPort: try FreePorts.block(of: 50)))
        var files = try stage.facts.files(of: service)
        let index = try #require(files.firstIndex { $0.path == stage.facts.configurationFile(of: service) })
        files[index].contents += Array(mistake.utf8)
        do throws(ServerConfigsError) {
            try await stage.acceptance().accept(service, files)
            Issue.record("it was accepted")
        } catch {
            guard case .refused(service, let file, let words) = error else { throw error }
            #expect(file == files[index].path)
            #expect(words.contains { $0.contains(word) }, "\(words)")
            #expect(!words.contains { $0.contains("candidate") })
        }
        #expect(access(stage.facts.locations.state + "/accepted/" + service.rawValue, F_OK) != 0)
    }

    @Test("what was accepted once is not asked again, and asked again when it changes")
    func remembered() async throws {
        let stage = try await Stage(try Example.trial.settings(firstPort: try FreePorts.block(of: 50)))
        let files = try stage.facts.files(of: .nginx)
        try await stage.acceptance().accept(.nginx, files)
        // A checker that is not there cannot be asked.
        var facts = stage.facts
        let stamp = facts.locations.state + "/accepted/nginx"
        let before = try Folder.read(stamp)
        try await stage.acceptance().accept(.nginx, files)
        #expect(try Folder.read(stamp) == before)
        facts.settings.siteName = "another"
        facts.settings.uploadLimitMegabytes += 1
        let changed = Acceptance(facts: facts, programs: stage.programs, owner: { _ in Stage.owner })
        try await changed.accept(.nginx, try facts.files(of: .nginx))
        #expect(try Folder.read(stamp) != before)
    }
}
