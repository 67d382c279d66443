import FoundationEssentials
import Glibc
import Subprocess
import SystemPackage
import Testing

/// The real program, with a folder of its own.
struct Program {
    let folder: String

    /// Runs a test in a folder that is gone afterwards.
    static func with(_ test: (Program) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/snikket-settings-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await test(Program(folder: folder))
    }

    var configuration: String { folder + "/snikket.conf" }

    /// The program beside the one that runs the tests.
    static var path: FilePath {
        get throws {
            let tests = try FilePath(FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            return tests.removingLastComponent().appending("snikket")
        }
    }

    struct Result {
        var code: Int32
        var output: String
        var errors: [String]
    }

    func run(_ arguments: String..., input: String = "", onTerminal: Bool = false) async throws -> Result {
        let program = try Self.path.string
        let all = arguments + ["--config", configuration]
        // script(1) gives the program a terminal, and what is typed on it from its own input.
        let shell = ([program] + all).map { "'\($0)'" }.joined(separator: " ")
        let result = try await Subprocess.run(
            .path(FilePath(onTerminal ? "/usr/bin/script" : program)),
            arguments: onTerminal ? ["-q", "-e", "-c", shell, "/dev/null"] : Arguments(all),
            input: .string(input), output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        guard case .exited(let code) = result.terminationStatus else { throw Errno.interrupted }
        let errors = result.standardError.split(separator: "\n").map(String.init)
        return Result(code: code, output: result.standardOutput.replacing("\r\n", with: "\n"), errors: errors)
    }

    func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: configuration)) }
    func written() throws -> String { String(decoding: try Data(contentsOf: URL(filePath: configuration)), as: UTF8.self) }
    func files() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }
}

@Suite("The commands init and config")
struct CommandTests {
    @Test("init writes the two answers and the consent, which are then good settings")
    func initWrites() async throws {
        try await Program.with { program in
            let result = try await program.run("init", "--domain", "bücher.example", "--email", "me@example.org", "--agree-tos")
            #expect(result.code == 0)
            #expect(result.output.contains("share.xn--bcher-kva.example"))
            #expect(
                try program.written()
                    == "SNIKKET_DOMAIN=bücher.example\nSNIKKET_ADMIN_EMAIL=me@example.org\nSNIKKET_LETSENCRYPT_TOS_AGREE=Y\n")
            let attributes = try FileManager.default.attributesOfItem(atPath: program.configuration)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try program.files() == ["snikket.conf"])
            #expect(try await program.run("config", "show").code == 0)
        }
    }

    @Test("init leaves settings alone that are there, unless told otherwise")
    func initRefuses() async throws {
        try await Program.with { program in
            try program.write("# mine\n")
            let refused = try await program.run("init", "--domain", "chat.example.org", "--email", "me@example.org", "--agree-tos")
            #expect(refused.code == 1)
            #expect(refused.errors.first == "snikket: error: there are settings already")
            #expect(try program.written() == "# mine\n")
            let forced = try await program.run(
                "init", "--domain", "chat.example.org", "--email", "me@example.org", "--agree-tos", "--force")
            #expect(forced.code == 0)
            #expect(try program.written().hasPrefix("SNIKKET_DOMAIN=chat.example.org\n"))
            #expect(try program.files() == ["snikket.conf"])
        }
    }

    @Test("init with bad answers says what is wrong with each, and writes nothing")
    func initBadAnswers() async throws {
        try await Program.with { program in
            let result = try await program.run("init", "--domain", "chat example.org", "--email", "me", "--agree-tos")
            #expect(result.code == 78)
            #expect(
                result.errors == [
                    "snikket: error: no settings were written",
                    "snikket: cause: --domain is not a domain: there is a space in it",
                    "snikket: cause: --email is not an e-mail address: there is no @ in it",
                    "snikket: try:   correct it and run `snikket init` again",
                ])
            #expect(try program.files() == [])
        }
    }

    @Test("init without a terminal says what it has to be given")
    func initWithoutTerminal() async throws {
        try await Program.with { program in
            let result = try await program.run("init", "--domain", "chat.example.org")
            #expect(result.code == 64)
            #expect(result.errors.contains("snikket: cause: --email, --agree-tos not given"))
            #expect(try program.files() == [])
        }
    }

    @Test("init asks on a terminal, and asks again after a bad answer")
    func initAsks() async throws {
        try await Program.with { program in
            let answers = "\nlocalhost:80\nchat.example.org\nme\n me@example.org \nperhaps\nyes\n"
            let result = try await program.run("init", input: answers, onTerminal: true)
            #expect(result.code == 0, "\(result.output)")
            #expect(result.output.contains("please answer\n"))
            #expect(result.output.contains("that is not a domain: there is a port behind it"))
            #expect(result.output.contains("that is not an e-mail address: there is no @ in it"))
            #expect(result.output.contains("please answer yes or no"))
            #expect(
                try program.written()
                    == "SNIKKET_DOMAIN=chat.example.org\nSNIKKET_ADMIN_EMAIL=me@example.org\nSNIKKET_LETSENCRYPT_TOS_AGREE=Y\n")
        }
    }

    @Test("init writes nothing without consent")
    func initWithoutConsent() async throws {
        try await Program.with { program in
            let result = try await program.run("init", input: "chat.example.org\nme@example.org\nno\n", onTerminal: true)
            #expect(result.code == 1)
            #expect(result.output.contains("snikket: error: no settings were written"))
            #expect(try program.files() == [])
        }
    }

    @Test("wrong settings end with 78, and a cause for each line")
    func wrong() async throws {
        try await Program.with { program in
            try program.write(
                "SNIKKET_DOMAIN=chat example.org\nSNIKKET_RETENTON_DAYS=4\n\nSNIKKET_TWEAK_HTTP_PORT=70000\nSNIKKET_SITE_NAME=\u{1B}[2J\n")
            let result = try await program.run("config", "show")
            #expect(result.code == 78)
            #expect(
                result.errors == [
                    "snikket: error: there are 5 problems in \(program.configuration)",
                    "snikket: cause: line 1: SNIKKET_DOMAIN is not a domain: there is a space in it",
                    "snikket: cause: line 2: SNIKKET_RETENTON_DAYS is no option; did you mean SNIKKET_RETENTION_DAYS?",
                    "snikket: cause: line 4: SNIKKET_TWEAK_HTTP_PORT has to be from 1 to 65535, and is 70000",
                    "snikket: cause: line 5: SNIKKET_SITE_NAME has a control character in its value (U+001B)",
                    "snikket: cause: SNIKKET_ADMIN_EMAIL is missing",
                    "snikket: try:   correct the file; `snikket config list` shows every option",
                ])
        }
    }

    @Test("nothing that stands in the file reaches the terminal as it is")
    func terminal() async throws {
        try await Program.with { program in
            try program.write("\u{1B}[31m=x\n\u{202E}\u{1B}]0;x\u{7}\nSNIKKET_LOGLEVEL=\u{202E}x\n")
            let result = try await program.run("config", "show")
            #expect(result.code == 78)
            #expect(!result.errors.joined().unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F || $0.value == 0x202E })
        }
    }

    @Test("no settings, or none that are text, are wrong settings too")
    func unreadable() async throws {
        try await Program.with { program in
            let missing = try await program.run("config", "show")
            #expect(missing.code == 78)
            #expect(missing.errors.last == "snikket: try:   run `snikket init`")
            try Data([0x23, 0x0A, 0xFF, 0xFE]).write(to: URL(filePath: program.configuration))
            let binary = try await program.run("config", "show")
            #expect(binary.code == 78)
            #expect(binary.errors.contains("snikket: cause: line 2: holds bytes that are no UTF-8"))
            try FileManager.default.removeItem(atPath: program.configuration)
            try FileManager.default.createDirectory(atPath: program.configuration, withIntermediateDirectories: false)
            let folder = try await program.run("config", "show")
            #expect(folder.code == 78)
            #expect(folder.errors.contains("snikket: cause: \(program.configuration): is a directory"))
        }
    }

    @Test("show has what is set, what follows, and no secret")
    func show() async throws {
        try await Program.with { program in
            try program.write(
                "SNIKKET_DOMAIN=chat.example.org\nSNIKKET_ADMIN_EMAIL=me@example.org\nPUID=1\nSNIKKET_TWEAK_TURNSERVER_SECRET=hush-hush\n")
            let text = try await program.run("config", "show")
            #expect(text.code == 0)
            #expect(text.output.contains("each server runs as a user of its own"))
            #expect(!text.output.contains("hush-hush"))
            let json = try await program.run("config", "show", "--json")
            #expect(!json.output.contains("hush-hush"))
            struct Shown: Decodable {
                struct Option: Decodable {
                    var name: String
                    var value: String?
                    var given: Bool
                }
                var options: [Option]
            }
            let options = try JSONDecoder().decode(Shown.self, from: Data(json.output.utf8)).options
            #expect(options.first { $0.name == "SNIKKET_SITE_NAME" }?.value == "chat.example.org")
            #expect(options.first { $0.name == "SNIKKET_SITE_NAME" }?.given == false)
            #expect(options.first { $0.name == "SNIKKET_TWEAK_TURNSERVER_SECRET" }?.given == true)
        }
    }

    @Test("explain knows every option, and the nearest to a typing mistake")
    func explain() async throws {
        try await Program.with { program in
            let known = try await program.run("config", "explain", "snikket_retention_days")
            #expect(known.code == 0)
            #expect(known.output.contains("1 to 36500 days"))
            #expect(known.output.contains("effect   after `snikket reload`\n"))
            #expect(try await program.run("config", "explain", "SNIKKET_IPV4").output.contains("effect   after a restart\n"))
            #expect(!known.output.contains("\n  now"), "there is no file yet")
            let later = try await program.run("config", "explain", "SNIKKET_TWEAK_GENERAL_MUC")
            #expect(later.output.contains("a later version"))
            try program.write("SNIKKET_DOMAIN=chat.example.org\nSNIKKET_ADMIN_EMAIL=me@example.org\nSNIKKET_RETENTION_DAYS=31\n")
            #expect(try await program.run("config", "explain", "SNIKKET_RETENTION_DAYS").output.contains("  now      31 (set in"))
            let mistyped = try await program.run("config", "explain", "SNIKKET_RETENTON_DAYS")
            #expect(mistyped.code == 64)
            #expect(mistyped.errors.last == "snikket: try:   `snikket config explain SNIKKET_RETENTION_DAYS`")
        }
    }

    @Test("list has every option, as text and as JSON")
    func list() async throws {
        try await Program.with { program in
            let text = try await program.run("config", "list")
            let json = try await program.run("config", "list", "--json")
            struct Listed: Decodable { var name: String }
            let names = try JSONDecoder().decode([Listed].self, from: Data(json.output.utf8)).map(\.name)
            #expect(names.contains("SNIKKET_DOMAIN"))
            #expect(names.allSatisfy { text.output.contains("  \($0) ") })
        }
    }

    @Test("the reference page and the example are what the program makes and takes")
    func documents() async throws {
        let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        try await Program.with { program in
            let page = try Data(contentsOf: URL(filePath: root.appending("docs/settings.md").string))
            let made = try await program.run("config", "list", "--markdown").output
            #expect(String(decoding: page, as: UTF8.self) == made, "run `snikket config list --markdown > docs/settings.md`")
            let example = String(
                decoding: try Data(contentsOf: URL(filePath: root.appending("snikket.conf.example").string)), as: UTF8.self)
            #expect(example.split(separator: "\n", omittingEmptySubsequences: false).count == 3, "two lines and nothing more")
            try program.write(example)
            #expect(try await program.run("config", "show").code == 0)
        }
    }
}
