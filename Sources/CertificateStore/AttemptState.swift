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
    /// When the first of these failures was, in seconds since 1970.
    public var firstFailure: Int?
    /// Not before this second since 1970; nil for at once.
    public var nextAttempt: Int?
    /// How each certificate authority did, by its directory; those that did well are missing.
    public var authorities: [String: AuthorityState]?
    /// When the certificate in use is to be renewed.
    public var renewal: RenewalPlan?
    /// The serial of the certificate that somebody wishes to be revoked, until it is.
    public var toRevoke: String?

    public init(lastAttempt: Int? = nil, lastError: CertificateFailure? = nil, failures: Int = 0, nextAttempt: Int? = nil) {
        self.lastAttempt = lastAttempt
        self.lastError = lastError
        self.failures = failures
        self.nextAttempt = nextAttempt
    }

    /// The file is the certificates' user's, and a number in it must not be able to end whoever reads it: dates are dates, counts are counts.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        lastAttempt = try values.decodeDateIfPresent(.lastAttempt)
        lastError = try values.decodeIfPresent(CertificateFailure.self, forKey: .lastError)
        failures = try values.decodeCount(.failures)
        firstFailure = try values.decodeDateIfPresent(.firstFailure)
        nextAttempt = try values.decodeDateIfPresent(.nextAttempt)
        authorities = try values.decodeIfPresent([String: AuthorityState].self, forKey: .authorities)
        renewal = try values.decodeIfPresent(RenewalPlan.self, forKey: .renewal)
        toRevoke = try values.decodeIfPresent(String.self, forKey: .toRevoke)
    }

    /// After a failure: the pause grows from a minute to a day, and is never shorter than what the CA asked for.
    ///
    /// - Parameter directories: the authorities that can be asked; the first that may be asked again ends the pause.
    public mutating func failed(_ failure: CertificateFailure, asking directories: [String] = [], now: Int) {
        failures += 1
        lastAttempt = now
        firstFailure = firstFailure ?? now
        lastError = failure
        guard directories.count > 1 else { return nextAttempt = now + AuthorityState.pause(after: failures, failure) }
        var own = failure
        own.retryAfter = nil
        let soonest = directories.map { authorities?[$0]?.nextAttempt ?? 0 }.min() ?? 0
        nextAttempt = max(now + AuthorityState.pause(after: failures, own), soonest)
    }

    /// After an authority's failure: its own pause. The whole attempt's ``failed(_:now:)`` follows, unless another authority does better.
    public mutating func failed(_ failure: CertificateFailure, at directory: String, now: Int) {
        var state = authorities?[directory] ?? AuthorityState()
        state.failures += 1
        state.nextAttempt = now + AuthorityState.pause(after: state.failures, failure)
        authorities = (authorities ?? [:]).merging([directory: state]) { $1 }
    }

    /// Forgets the pauses that were begun by a clock that was ahead of the present one: they would last for as long as it was wrong.
    ///
    /// - Returns: whether there were any.
    public mutating func forgetFuture(now: Int) -> Bool {
        let before = self
        if let lastAttempt, lastAttempt > now + 60 {
            self = AttemptState(lastError: lastError, failures: failures)
            renewal = before.renewal
            toRevoke = before.toRevoke
        }
        // Nobody plans further ahead than a day.
        if let plan = renewal, plan.nextLook > now + 86_460 { renewal?.nextLook = 0 }
        return self != before
    }

    /// After success.
    ///
    /// - Parameter directory: the authority that did it; the others' troubles are not forgotten.
    public mutating func succeeded(at directory: String? = nil, now: Int) {
        var others = authorities
        if let directory { others?[directory] = nil }
        let wish = toRevoke
        self = AttemptState(lastAttempt: now)
        toRevoke = wish
        authorities = others?.isEmpty == true ? nil : others
    }
}

/// How a certificate authority did lately.
public struct AuthorityState: Sendable, Equatable, Codable {
    /// Failures in a row.
    public var failures = 0
    /// Not before this second since 1970.
    public var nextAttempt = 0

    public init() {}

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        failures = try values.decodeCount(.failures)
        nextAttempt = try values.decodeDate(.nextAttempt)
    }

    /// Whether it has to be assumed that it is of no use for a while: it failed twice in a row, or said itself that it will take longer than an hour.
    public func staysDown(now: Int) -> Bool { failures >= 2 || nextAttempt > now + 3_600 }

    /// The pause after a failure, in seconds: from a minute to a day, at least what the CA asked for.
    ///
    /// A failed validation waits for half an hour at least: the CA permits five an hour for a name. A certificate that could not
    /// be used waits for a day: the CA gives five for the same names a week.
    static func pause(after failures: Int, _ failure: CertificateFailure) -> Int {
        let growing = min(60 << min(failures - 1, 11), 86_400)
        let least =
            switch failure.kind {
            case .validation, .refused: 1_800
            case .badCertificate: 86_400
            default: 0
            }
        return max(growing, least, min(failure.retryAfter ?? 0, 30 * 86_400))
    }
}

extension CertificateFailure {
    /// Whether it is the authority's doing, so that another one may do better.
    public var isOfAuthority: Bool {
        switch kind {
        case .unreachable, .caDown, .rateLimited, .refused, .externalAccount, .badCertificate: true
        case .validation, .webroot, .listen, .configuration, .busy, .local: false
        }
    }
}

extension CertificateStore {
    private var attemptsPath: String { folder + "/attempts.json" }

    /// What has been tried. A file that cannot be understood counts as none.
    public func attempts() throws(StoreError) -> AttemptState {
        guard let bytes = try inside({ () throws(FileError) in try File.readIfThere(attemptsPath) }) else { return AttemptState() }
        return (try? JSONDecoder().decode(AttemptState.self, from: Data(bytes))) ?? AttemptState()
    }

    /// Keeps what has been tried.
    public func save(_ attempts: AttemptState) throws(StoreError) {
        let bytes = try encoded(attempts)
        try inside { () throws(FileError) in
            try Folder.make(folder, mode: 0o700, followingLinks: true)
            try File.write(bytes, to: attemptsPath, mode: 0o600)
        }
    }
}

extension CertificateStore {
    private var sourcePath: String { folder + "/source" }

    /// Where the certificate in place came from, as ``save(source:)`` was told; nil when there is none.
    public func source() throws(StoreError) -> String? {
        try inside { () throws(FileError) in try File.readIfThere(sourcePath) }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Keeps where the certificate in place came from.
    public func save(source: String) throws(StoreError) {
        try inside { () throws(FileError) in try File.write(Array(source.utf8), to: sourcePath, mode: 0o600) }
    }
}
