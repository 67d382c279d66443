public import DurableFiles
import Glibc
public import Settings

/// Asks each server's own checker about new files before they are put in place.
///
/// What was accepted once is remembered in the state directory, so that starting with an unchanged configuration costs nothing.
public struct Acceptance: Sendable {
    private let facts: ServerFacts
    private let programs: ServerPrograms
    private let account: @Sendable (Service) -> Account?
    private let seconds: Int

    /// - Parameters:
    ///   - account: who a server runs as; nil: whoever runs this.
    ///   - seconds: how long a checker may take.
    public init(facts: ServerFacts, programs: ServerPrograms, account: @escaping @Sendable (Service) -> Account? = { _ in nil }, seconds: Int = 20) {
        self.facts = facts
        self.programs = programs
        self.account = account
        self.seconds = seconds
    }

    /// Asks every server that has files among these, all at the same time.
    ///
    /// - Throws: ``ServerConfigsError/refused(_:file:words:)`` with the checker's own words, or why there is no answer.
    public func check(_ files: [RenderedFile]) async throws(ServerConfigsError) {
        let services = Set(files.map(\.service))
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for service in services { group.addTask { try await accept(service, files) } }
                try await group.waitForAll()
            }
        } catch let error as ServerConfigsError {
            throw error
        } catch {
            throw .checkerFailed(.nginx, reason: "\(error)")
        }
    }

    /// Asks one server, unless it has accepted the same files before.
    public func accept(_ service: Service, _ files: [RenderedFile]) async throws(ServerConfigsError) {
        let own = files.filter { $0.service == service }
        guard let main = own.first(where: { $0.path == facts.configurationFile(of: service) }) else { return }
        if service == .nginx, facts.settings.sortsHTTPSConnections, access(ServerFacts.nginxStreamModule, R_OK) != 0 {
            throw .missingModule(.nginx, path: ServerFacts.nginxStreamModule, package: "libnginx-mod-stream")
        }
        let fingerprint = fingerprint(of: own, service)
        let memory = facts.locations.state + "/accepted/" + service.rawValue
        if let known = try? File.own(memory), known == Array(fingerprint.utf8) { return }

        let folder = facts.locations.run(of: service) + "/candidate"
        let candidate = folder + "/" + File.name(of: main.path)
        // Without a place of its own for it, coturn writes it into the folder of whoever started us.
        let pidFile = facts.locations.work(of: service) + "/candidate.pid"
        defer {
            unlink(pidFile)
            unlink(candidate)
            rmdir(folder)
        }
        let contents = service == .coturn ? Self.onLoopback(main.text, pidFile: pidFile) : main.contents
        try onDisk { () throws(FileError) in
            try Folder.make(facts.locations.run(of: service), mode: 0o711)
            try Folder.make(facts.locations.work(of: service), mode: 0o700, owner: account(service))
            try Folder.make(folder, mode: 0o711)
            try File.write(contents, to: candidate, mode: account(service) == nil ? 0o600 : 0o640, owner: account(service)?.reader)
        }
        let words = try await objections(of: service, to: candidate)
        guard words.isEmpty else {
            throw .refused(service, file: main.path, words: words.map { Self.naming(main.path, in: $0) })
        }
        try onDisk { () throws(FileError) in
            try Folder.make(File.folder(of: memory), mode: 0o700)
            try File.write(Array(fingerprint.utf8), to: memory, mode: 0o600)
        }
    }

    /// What a server's checker has against a file; empty when it accepts it.
    private func objections(of service: Service, to file: String) async throws(ServerConfigsError) -> [String] {
        let checker = Checker(service: service, seconds: seconds, bindsLowPort: facts.usesLowPort(service))
        switch service {
        case .prosody:
            try await programs.checkProsodyVersion()
            let result = try await checker.run(programs.prosodyctl, ["--config", file, "check", "config"], as: account(service))
            return result.succeeded ? [] : Self.prosodyWords(result.lines)
        case .nginx:
            let result = try await checker.run(programs.nginx, ["-t", "-q", "-e", "stderr", "-c", file], as: account(service))
            return result.succeeded ? [] : Self.words(result.lines)
        case .coturn:
            // It has no checker, and goes on after a line that it does not understand: so a real start, for a moment.
            let lines = try await checker.run(programs.turnserver, ["-c", file], as: account(service)) { $0.contains("Total General servers") }.lines
            let isUp = lines.contains { $0.contains("Total General servers") }
            let bad = lines.filter { line in Self.coturnObjections.contains { line.contains($0) } }
            return bad.isEmpty && !isUp ? Array(lines.suffix(5)) : Array(Set(bad)).sorted()
        case .portal: return []
        }
    }

    /// What coturn says of a configuration that it does not take as it is meant. It says nothing else that is of use here:
    /// a certificate that is not there yet is no fault of the configuration.
    private static let coturnObjections = [
        "Bad configuration format", "Unknown argument", "CONFIG ERROR", "Wrong", "invalid", "cannot bind", "Cannot find config file",
    ]

    /// Prosody's remarks without its headings and good wishes.
    private static func prosodyWords(_ lines: [String]) -> [String] {
        let headings = ["Checking", "Done.", "All checks", "Problems found", "***", "More help", "Good luck", "The following configuration", "-  "]
        return words(lines).filter { line in !headings.contains { line.hasPrefix($0) } }
    }

    /// The words with the file's own path for the candidate's, which Lua may have cut off at its beginning.
    private static func naming(_ path: String, in words: String) -> String {
        guard let folder = words.firstRange(of: "candidate/") else { return words }
        let name = File.name(of: path)
        let start = words[..<folder.lowerBound].lastIndex(of: " ").map(words.index(after:)) ?? words.startIndex
        return words[..<start] + path + words[folder.upperBound...].dropFirst(name.count)
    }

    private static func words(_ lines: [String]) -> [String] {
        lines.map { line in String(line.drop { $0 == " " || $0 == "\t" }) }.filter { !$0.isEmpty }
    }

    /// The same configuration on ports that the kernel picks and on loopback only, so that it can be started beside the
    /// real server.
    private static func onLoopback(_ text: String, pidFile: String) -> [UInt8] {
        let places = ["listening-port=", "tls-listening-port=", "listening-ip=", "relay-ip=", "external-ip=", "pidfile=", "userdb="]
        let kept = text.split(separator: "\n", omittingEmptySubsequences: false).filter { line in !places.contains { line.hasPrefix($0) } }
        let onLoopback = "log-file=stdout\nlistening-ip=127.0.0.1\nlistening-port=0\ntls-listening-port=0\npidfile=\(pidFile)\n"
        return Array((onLoopback + kept.joined(separator: "\n")).utf8)
    }

    /// What the answer depends on: the files, and the server's program. No defence against anybody, only against repetition.
    private func fingerprint(of files: [RenderedFile], _ service: Service) -> String {
        var information = stat()
        var parts: [[UInt8]] = files.sorted { $0.path < $1.path }.flatMap { [Array($0.path.utf8), $0.contents] }
        if let program = programs.program(of: service), stat(program, &information) == 0 {
            parts.append(Array("\(program) \(information.st_size) \(information.st_mtim.tv_sec)".utf8))
        }
        if service == .prosody { parts.append((try? File.own(programs.prosodyVersionFile)) ?? []) }
        // FNV-1a, twice with different beginnings.
        var hashes: [UInt64] = [0xcbf2_9ce4_8422_2325, 0x8422_2325_cbf2_9ce4]
        for part in parts {
            for byte in part + [0] {
                for index in hashes.indices { hashes[index] = (hashes[index] ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
            }
            hashes[1] = hashes[1] &+ 1
        }
        return hashes.map { String($0, radix: 16) }.joined(separator: "-") + "-\(parts.reduce(0) { $0 + $1.count })\n"
    }
}
