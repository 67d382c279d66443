import DurableFiles
import Glibc
import ServerConfigs
import Settings
import Testing

@Suite("writing")
struct WritingTests {
    /// Facts whose files go to a folder of the test's own.
    func facts(_ folder: Folder) throws -> ServerFacts {
        var facts = try Example.minimal.facts()
        facts.locations.run = folder.path + "/run"
        facts.locations.state = folder.path + "/state"
        return facts
    }

    @Test("only what differs is written, and the services it belongs to are named")
    func onlyDifferences() throws {
        let folder = try Folder()
        var facts = try facts(folder)
        #expect(try facts.files().write() == [.prosody, .nginx, .coturn])
        #expect(try facts.files().write() == [])
        facts.settings.retentionDays += 1
        #expect(try facts.files().write() == [.prosody])
        facts.phase = .gettingReady
        #expect(try facts.files().write() == [.nginx])
    }

    @Test("a secret file is 0600 and stays so, and no temporary file is left")
    func permissions() throws {
        let folder = try Folder()
        let facts = try facts(folder)
        try facts.files().write()
        let path = facts.locations.run(of: .coturn) + "/turnserver.conf"
        var information = stat()
        #expect(lstat(path, &information) == 0 && information.st_mode & 0o777 == 0o600)
        chmod(path, 0o644)
        #expect(try facts.files().write() == [.coturn])
        #expect(lstat(path, &information) == 0 && information.st_mode & 0o777 == 0o600)
        #expect(DurableFiles.Folder.names(in: facts.locations.run(of: .coturn)) == ["turnserver.conf"])
    }

    @Test("a link in place of a file is replaced, not followed")
    func links() throws {
        let folder = try Folder()
        let facts = try facts(folder)
        try facts.files().write()
        let path = facts.locations.run(of: .nginx) + "/nginx.conf"
        let victim = folder.path + "/victim"
        try Folder.write("mine", to: victim)
        unlink(path)
        #expect(symlink(victim, path) == 0)
        #expect(try facts.files().write() == [.nginx])
        #expect(try Folder.read(victim) == "mine")
    }

    @Test("a difference shows lines and never a secret")
    func difference() throws {
        let folder = try Folder()
        var facts = try facts(folder)
        #expect(try facts.files().difference().contains("--- /dev/null"))
        try facts.files().write()
        #expect(try facts.files().difference() == "")
        let old = facts.secrets
        facts.settings.retentionDays = 9
        facts.secrets = .random()
        let text = try facts.files().difference()
        #expect(text.contains("\n-archive_expires_after = 604800\n"))
        #expect(text.contains("\n+archive_expires_after = 777600\n"))
        #expect(text.contains("+static-auth-secret= ********"))
        for secret in [old.api, old.turn, facts.secrets.api, facts.secrets.turn] { #expect(!text.contains(secret)) }
    }

    @Test("a secret is masked in every format that we write, in what is changed and beside it")
    func masks() throws {
        let folder = try Folder()
        func portal(_ name: String) -> [RenderedFile] {
            let text = "{\n  \"apiSecret\" : \"0123abcd\",\n  \"siteName\" : \"\(name)\"\n}\n"
            return [RenderedFile(path: folder.path + "/portal.json", text: text, service: .portal, isSecret: true)]
        }
        #expect(try portal("Ours").difference().contains("+  \"apiSecret\" : ********\n"))
        try portal("Ours").write()
        let text = try portal("Theirs").difference()
        #expect(text.contains("-  \"siteName\" : \"Ours\"\n+  \"siteName\" : \"Theirs\"\n"))
        #expect(text.contains("   \"apiSecret\" : ********\n") && !text.contains("0123abcd"))
    }

    @Test("secrets are made once, 0600 in a folder 0700, and a damaged one is not used")
    func secrets() throws {
        let folder = try Folder()
        var locations = try Example.minimal.facts().locations
        locations.state = folder.path
        #expect(throws: ServerConfigsError.file(FileError(.read, Secrets.apiFile(in: locations), errno: ENOENT))) {
            try Secrets.load(from: locations)
        }
        let secrets = try Secrets.loadOrCreate(in: locations)
        #expect(secrets.api != secrets.turn && secrets.api.count == 64)
        #expect(try Secrets.loadOrCreate(in: locations) == secrets)
        #expect(try Secrets.load(from: locations) == secrets)
        var information = stat()
        #expect(lstat(locations.secrets, &information) == 0 && information.st_mode & 0o777 == 0o700)
        #expect(lstat(Secrets.apiFile(in: locations), &information) == 0 && information.st_mode & 0o777 == 0o600)
        try Folder.write("short", to: Secrets.turnFile(in: locations))
        #expect(throws: ServerConfigsError.damagedSecret(path: Secrets.turnFile(in: locations))) { try Secrets.loadOrCreate(in: locations) }
    }

    @Test("an old Prosody is refused with the line that installs the right one")
    func oldProsody() async throws {
        let folder = try Folder()
        var programs = try ServerPrograms.installed()
        programs.prosodyVersionFile = folder.path + "/version"
        try Folder.write("0.12.3\n", to: programs.prosodyVersionFile)
        await #expect(
            throws: ServerConfigsError.tooOld(
                .prosody, version: "0.12.3", needed: "13.0", install: "apt-get install -t bookworm-backports prosody prosody-modules")
        ) { try await programs.checkProsodyVersion() }
        try Folder.write("13.0.1\n", to: programs.prosodyVersionFile)
        #expect(try await programs.checkProsodyVersion() == "13.0.1")
        unlink(programs.prosodyVersionFile)
        #expect(try await programs.checkProsodyVersion().hasPrefix("13."))
    }

    @Test("a program that is not there is named with its package")
    func missing() throws {
        #expect(throws: ServerConfigsError.missingProgram(.prosody, program: "prosody", package: "prosody")) {
            try ServerPrograms.installed(in: ["/nonexistent"])
        }
    }
}
