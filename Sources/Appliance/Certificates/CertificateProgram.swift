import CertificateStore
import DurableFiles
import Glibc
import Supervision
import Synchronization
import SystemPackage

/// Runs `snikket-certs`, one process a job, as its own user.
struct CertificateProgram: Sendable {
    /// The program's path.
    let path: String
    /// Who it runs as; nil: whoever we are.
    let account: Account?

    init(path: String, account: Account?) throws(ApplianceError) {
        guard access(path, X_OK) == 0 else { throw .missingProgram(path: path) }
        self.path = path
        self.account = account
    }

    /// Does a job about a certificate and returns the last thing it said.
    ///
    /// - Parameters:
    ///   - deadline: after this it is ended.
    ///   - progress: gets each event as it comes.
    @discardableResult
    func run(
        _ job: CertificateJobs.Job, deadline: Duration = .seconds(330),
        progress: @escaping @Sendable (CertificateEvent) -> Void = { _ in }
    ) async throws(CertificateFailure) -> CertificateEvent {
        guard let event = try await lastEvent(of: job, deadline, CertificateEvent.init(line:), progress) else { throw Self.silence }
        return event
    }

    /// Asks an authority about something that exists already, and returns what it said last.
    @discardableResult
    func ask(_ job: CertificateJobs.Job, deadline: Duration = .seconds(150)) async throws(CertificateFailure) -> AuthorityEvent {
        guard let event = try await lastEvent(of: job, deadline, AuthorityEvent.init(line:), { _ in }) else { throw Self.silence }
        return event
    }

    /// Looks at endpoints; the answers that came, which can be fewer than the questions.
    func look(_ job: LookJob, deadline: Duration = .seconds(30)) async throws(CertificateFailure) -> [LookAnswer] {
        guard let input = try? job.json() else { throw Self.silence }
        let answers = Mutex<[LookAnswer]>([])
        _ = try await lastEvent(of: .init(arguments: ["look"], input: input), deadline, LookAnswer.init(line:)) { answer in
            answers.withLock { $0.append(answer) }
        }
        let all = answers.withLock { $0 }
        // It says something about everything that it is asked.
        guard !all.isEmpty else { throw Self.silence }
        return all
    }

    private static let silence = CertificateFailure(
        kind: .local, error: "snikket-certs did not end in time", try: "look at `snikket logs`")

    /// - Throws: the failure that the program told of, whatever its events are otherwise.
    private func lastEvent<Event: Sendable>(
        of job: CertificateJobs.Job, _ deadline: Duration, _ read: @escaping @Sendable (String) -> Event?,
        _ progress: @escaping @Sendable (Event) -> Void
    ) async throws(CertificateFailure) -> Event? {
        var specification = ServiceSpecification(name: "snikket-certs", executable: path, arguments: job.arguments)
        specification.account = job.asOurselves ? nil : account
        // Having read the person's files, it becomes the owner of the store.
        if job.asOurselves { specification.capabilities = [.setUser, .setGroup] }
        if job.bindsPort { specification.capabilities = [.bindService] }
        let said = Mutex<(last: Event?, failure: CertificateFailure?)>((nil, nil))
        let end: Errand.End
        do {
            let input = try Self.pipe(holding: job.input)
            defer { try? input.close() }
            // What it says in words on standard error, it says in its events too.
            end = try await Errand.run(specification, input: input, deadline: deadline) { line in
                if case .failed(let reason) = CertificateEvent(line: line) { said.withLock { $0.failure = reason } }
                guard let event = read(line) else { return }
                progress(event)
                said.withLock { $0.last = event }
            }
        } catch {
            throw CertificateFailure(
                kind: .local, error: "snikket-certs could not be run", cause: FileError(.read, path, errno: error.rawValue).words,
                try: error == .tooManyOpenFiles ? "permit snikket more open files" : "install snikket again")
        }
        let (last, failure) = said.withLock { $0 }
        if let failure { throw failure }
        switch end {
        case .exited: return last
        case .tooLate: return nil
        // What it said last is not how it ended then.
        case .killed(let signal):
            throw CertificateFailure(
                kind: .local, error: "snikket-certs was ended in the middle of its work", cause: "signal \(signal)",
                try: "nothing; it is tried again. If it happens again: does the machine have too little memory?")
        }
    }

    /// A pipe that holds everything already: what is written while the program runs would be our own end when it ends without having read it.
    private static func pipe(holding input: [UInt8]) throws(Errno) -> FileDescriptor {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { throw Errno(rawValue: errno) }
        let (reading, writing) = (FileDescriptor(rawValue: ends[0]), FileDescriptor(rawValue: ends[1]))
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        do {
            // The kernel takes 64 KiB; more than that is refused, and not waited for.
            _ = fcntl(writing.rawValue, F_SETFL, O_NONBLOCK)
            _ = try writing.closeAfter { try writing.writeAll(input) }
        } catch {
            try? reading.close()
            throw error as? Errno ?? .ioError
        }
        return reading
    }
}
