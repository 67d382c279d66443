internal import DurableFiles
internal import FoundationEssentials

/// What has been tried, kept on disk: a restart neither hammers the CA nor forgets why it refused.
public struct AttemptState: Sendable, Equatable, Codable {
    /// Seconds since 1970; nil before the first.
    public var lastAttempt: Int?
    /// Why the last attempt failed; nil when it succeeded.
    public var lastError: CertificateFailure?
    /// Failures in a row.
    public var failures: Int
    /// Not before this second since 1970; nil for at once.
    public var nextAttempt: Int?

    public init(lastAttempt: Int? = nil, lastError: CertificateFailure? = nil, failures: Int = 0, nextAttempt: Int? = nil) {
        self.lastAttempt = lastAttempt
        self.lastError = lastError
        self.failures = failures
        self.nextAttempt = nextAttempt
    }

    /// After a failure: the pause grows from a minute to a day, and is never shorter than what the CA asked for.
    ///
    /// A failed validation waits for half an hour at least: the CA permits five an hour for a name.
    public mutating func failed(_ failure: CertificateFailure, now: Int) {
        failures += 1
        lastAttempt = now
        lastError = failure
        var pause = min(60 << min(failures - 1, 11), 86400)
        if failure.kind == .validation || failure.kind == .refused { pause = max(pause, 1800) }
        nextAttempt = now + max(pause, failure.retryAfter ?? 0)
    }

    /// After success.
    public mutating func succeeded(now: Int) { self = AttemptState(lastAttempt: now) }
}

extension CertificateStore {
    private var attemptsPath: String { folder + "/attempts.json" }

    /// What has been tried. A file that cannot be understood counts as none.
    public func attempts() throws(StoreError) -> AttemptState {
        guard let bytes = try onDisk({ () throws(FileError) in try File.readIfThere(attemptsPath) }) else { return AttemptState() }
        return (try? JSONDecoder().decode(AttemptState.self, from: Data(bytes))) ?? AttemptState()
    }

    /// Keeps what has been tried.
    public func save(_ attempts: AttemptState) throws(StoreError) {
        let bytes = try encoded(attempts)
        try onDisk { () throws(FileError) in
            try Folder.make(folder, mode: 0o700, followingLinks: true)
            try File.write(bytes, to: attemptsPath, mode: 0o600)
        }
    }
}

extension CertificateStore {
    private var sourcePath: String { folder + "/source" }

    /// Where the certificate in place came from, as ``save(source:)`` was told; nil when there is none.
    public func source() throws(StoreError) -> String? {
        try onDisk { () throws(FileError) in try File.readIfThere(sourcePath) }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Keeps where the certificate in place came from.
    public func save(source: String) throws(StoreError) {
        try onDisk { () throws(FileError) in try File.write(Array(source.utf8), to: sourcePath, mode: 0o600) }
    }
}
