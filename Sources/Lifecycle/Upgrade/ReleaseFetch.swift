public import DurableFiles
import Glibc
import Subprocess
import Supervision
import SystemPackage

/// Gets files of a release, and believes nothing before its signature.
public struct ReleaseFetch: Sendable {
    let source: ReleaseSource
    /// Who talks to the network: nil: whoever we are.
    let account: Account?

    public init(_ source: ReleaseSource, as account: Account?) {
        (self.source, self.account) = (source, account)
    }

    /// The release that is there now, verified.
    ///
    /// - Parameter folder: a folder of ours, for what is fetched, which nobody else uses meanwhile.
    public func release(into folder: String) async throws(UpgradeError) -> Release {
        // Just now its makers may have put one of the two files in place, and not yet the other.
        var bytes = try await verified(in: folder)
        if bytes == nil {
            try? await Task.sleep(for: .seconds(1))
            bytes = try await verified(in: folder)
        }
        guard let bytes else { throw .unsigned(place: source.place) }
        guard let text = String(validating: bytes, as: UTF8.self), let release = Release(text) else { throw .malformed(place: source.place) }
        return release
    }

    /// What is in the release's file; nil when its makers have not signed that.
    private func verified(in folder: String) async throws(UpgradeError) -> [UInt8]? {
        let (fetched, file, signature, key) = ("\(folder)/release", "\(folder)/verified", "\(folder)/release.sig", "\(folder)/key.pem")
        try await fetch("release", to: fetched, limit: Release.limit)
        try await fetch("release.sig", to: signature, limit: Release.limit)
        // Whoever fetched it could still write to that file, but not to this one.
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try File.read(fetched, limit: Release.limit)
            try File.write(bytes, to: file, mode: 0o600)
            try File.write(Array(source.keyFile.utf8), to: key, mode: 0o600)
        } catch {
            throw .file(error)
        }
        let verification = Tool(
            "/usr/bin/openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", file, "-sigfile", signature)
        return try await verification.run().succeeded ? bytes : nil
    }

    /// Gets a package of a verified release. Only the one that the release means gets its name in the folder, which may have it already.
    ///
    /// - Returns: its path.
    public func package(_ package: Release.Package, into folder: String) async throws(UpgradeError) -> String {
        let path = "\(folder)/\(package.file)"
        if try await Self.checksum(of: path) == package.checksum.lowercased() { return path }
        let (fetched, staged) = ("\(folder)/fetched", "\(folder)/staged")
        defer { for file in [fetched, staged] { unlink(file) } }
        try await fetch(package.file, to: fetched, limit: Release.packageLimit)
        // Whoever fetched it could still write to that file, but not to this one.
        unlink(staged)
        try await Tool("/bin/cp", "--", fetched, staged, within: .seconds(300)).succeed()
        guard try await Self.checksum(of: staged) == package.checksum.lowercased() else { throw .altered(file: package.file) }
        do throws(FileError) { try Self.keep(staged, as: path) } catch { throw .file(error) }
        return path
    }

    /// On the disk, and then under its name.
    private static func keep(_ staged: String, as path: String) throws(FileError) {
        let descriptor = open(staged, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(.read, staged, errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0, rename(staged, path) == 0 else { throw FileError(.write, path, errno: errno) }
        try Folder.flush(File.folder(of: path))
    }

    static func checksum(of path: String) async throws(UpgradeError) -> String? {
        guard access(path, R_OK) == 0 else { return nil }
        return try await Tool("/usr/bin/sha256sum", "--", path).succeed().split(separator: " ").first.map(String.init)
    }

    /// Gets a file. Whatever is on the other side, it gets no more than so many bytes written, and nothing but that descriptor of ours.
    private func fetch(_ name: String, to path: String, limit: Int) async throws(UpgradeError) {
        let place = "\(source.place)/\(name)"
        unlink(path)
        let output = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard output >= 0 else { throw .file(FileError(.write, path, errno: errno)) }
        var words = ["/usr/bin/prlimit", "--fsize=\(limit)", "--core=0"]
        if let account, geteuid() == 0, !source.isFolder {
            words += [
                "/usr/bin/setpriv", "--reuid=\(account.user)", "--regid=\(account.group)", "--clear-groups", "--no-new-privs", "--inh-caps=-all",
                "--bounding-set=-all",
            ]
        }
        // What comes from a folder of this machine goes the same way: within the limit.
        words +=
            source.isFolder
            ? ["/bin/cat", "--", place]
            : [
                "/usr/bin/curl", "--disable", "--fail", "--silent", "--show-error", "--location", "--max-redirs", "5", "--proto", "=http,https",
                "--proto-redir", "=http,https", "--retry", "3", "--connect-timeout", "20", "--max-time", "900", "--", place,
            ]
        let said = try await Self.run(words, writingTo: output, within: .seconds(960))
        if let said {
            unlink(path)
            throw .unreachable(place: place, words: said)
        }
    }

    /// What a program said when it did not end well; nil when it did. Its output is closed in any case.
    private static func run(_ words: [String], writingTo output: Int32, within deadline: Duration) async throws(UpgradeError) -> String? {
        let environment = Dictionary(
            uniqueKeysWithValues: ServiceSpecification.plainEnvironment.map { (Environment.Key(stringLiteral: $0.key), $0.value) })
        do {
            return try await withThrowingTaskGroup(of: String?.self) { group in
                group.addTask {
                    let result = try await Subprocess.run(
                        .path(FilePath(words[0])), arguments: Arguments(Array(words.dropFirst())), environment: .custom(environment),
                        output: .fileDescriptor(FileDescriptor(rawValue: output), closeAfterSpawningProcess: true), error: .string(limit: 64 << 10))
                    guard !result.terminationStatus.isSuccess else { return nil }
                    if case .signaled = result.terminationStatus { return "it is larger than it can be" }
                    return result.standardError.split(whereSeparator: \.isNewline).last.map(String.init) ?? "\(result.terminationStatus)"
                }
                group.addTask {
                    try await Task.sleep(for: deadline)
                    return "it did not come in time"
                }
                defer { group.cancelAll() }
                return try await group.next() ?? nil
            }
        } catch {
            throw .program(words[0], words: "\(error)")
        }
    }
}
