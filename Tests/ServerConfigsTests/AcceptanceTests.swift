import Glibc
import RealServers
import ServerConfigs
import Settings
import Testing

@Suite("acceptance by the real programs")
struct AcceptanceTests {
    @Test("Prosody, nginx and coturn accept what is rendered", arguments: Example.allCases)
    func accepted(example: Example) async throws {
        let stage = try await Stage(try example.settings(firstPort: try FreePorts.block(of: 50)))
        try await stage.acceptance().check(try stage.facts.files())
        for service in [Service.prosody, .nginx, .coturn] where try !stage.facts.files(of: service).isEmpty {
            #expect(access(stage.facts.locations.state + "/accepted/" + service.rawValue, F_OK) == 0)
            #expect(access(stage.facts.locations.run(of: service) + "/candidate", F_OK) != 0)
        }
    }

    @Test("nginx accepts its configuration for the time before the first certificate", arguments: [Example.minimal, .onePort])
    func gettingReady(example: Example) async throws {
        let stage = try await Stage(try example.settings(firstPort: try FreePorts.block(of: 50)), phase: .gettingReady)
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

    @Test(
        "what was accepted once is not asked again, and asked again when the files or the program change",
        arguments: [Service.prosody, .nginx, .coturn])
    func remembered(service: Service) async throws {
        let stage = try await Stage(try Example.trial.settings(firstPort: try FreePorts.block(of: 50)))
        var files = try stage.facts.files(of: service)
        let index = try #require(files.firstIndex { $0.path == stage.facts.configurationFile(of: service) })
        let checker = try await Checker(of: service, in: stage)
        let acceptance = Acceptance(facts: stage.facts, programs: checker.programs, account: { _ in Stage.account })
        try await acceptance.accept(service, files)
        #expect(try checker.timesAsked() == 1)

        // From here on, whoever asks is refused.
        try checker.breakDown()
        try await acceptance.accept(service, files)
        #expect(try checker.timesAsked() == 1)
        let accepted = files
        files[index].contents += Array("\n".utf8)
        await refused(service) { try await acceptance.accept(service, files) }
        #expect(try checker.timesAsked() == 2)
        // A refusal is not remembered, and does not make the accepted files forgotten.
        await refused(service) { try await acceptance.accept(service, files) }
        #expect(try checker.timesAsked() == 3)
        try await acceptance.accept(service, accepted)
        #expect(try checker.timesAsked() == 3)
        try await checker.becomeAnother()
        await refused(service) { try await acceptance.accept(service, accepted) }
        #expect(try checker.timesAsked() == 4)
    }

    private func refused(_ service: Service, _ body: () async throws -> Void) async {
        await #expect {
            try await body()
        } throws: { error in
            guard case .refused(service, _, let words) = error as? ServerConfigsError else { return false }
            return words == ["the checker is broken"]
        }
    }
}

/// The real program of a server behind a script that counts how often it is asked.
private struct Checker {
    let programs: ServerPrograms
    private let script: String
    private let folder: String

    init(of service: Service, in stage: Stage) async throws {
        var programs = stage.programs
        folder = stage.folder.path
        script = folder + "/checker"
        let real =
            switch service {
            case .prosody: programs.prosodyctl
            case .nginx: programs.nginx
            case .coturn, .portal: programs.turnserver
            }
        try Folder.write("", to: folder + "/asked")
        // Whoever the checker runs as.
        chmod(folder + "/asked", 0o666)
        try await putProgram(
            """
            #!/bin/sh
            echo x >> \(folder)/asked
            if [ -e \(folder)/broken ]; then echo the checker is broken; exit 1; fi
            exec \(real) "$@"

            """, at: script)
        (programs.prosody, programs.prosodyctl, programs.nginx, programs.turnserver) = (script, script, script, script)
        self.programs = programs
    }

    func timesAsked() throws -> Int { try Folder.read(folder + "/asked").split(separator: "\n").count }
    func breakDown() throws { try Folder.write("", to: folder + "/broken") }
    /// As after an upgrade.
    func becomeAnother() async throws { try await putProgram(try Folder.read(script) + "# another version\n", at: script) }
}
