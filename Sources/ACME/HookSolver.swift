internal import DNS
internal import Dispatch
internal import Glibc

/// Answers dns-01 (RFC 8555 §8.4) through a program of the person's, which knows how to change the DNS zone.
///
/// It is run as `PROGRAM present NAME RECORD VALUE` and `PROGRAM remove NAME RECORD VALUE`, without a shell: NAME is the name that is
/// validated, RECORD the TXT record's name with a dot at the end, VALUE its text. It exits with 0 when the CA may look, or when it is gone.
/// A name and its wildcard share one RECORD with two VALUEs, so `present` has to add.
public struct HookSolver: ChallengeSolver {
    private let program: String
    private let patience: Duration
    public var type: String { "dns-01" }

    /// - Parameters:
    ///   - program: its path.
    ///   - patience: how long one run of it may take.
    public init(program: String, patience: Duration = .seconds(180)) {
        self.program = program
        self.patience = patience
    }

    public func present(_ answer: ChallengeAnswer) async throws(ChallengeError) {
        let result = await run("present", answer)
        guard result.status == 0 else { throw .hook(program: program, result) }
    }

    public func remove(_ answer: ChallengeAnswer) async -> Bool {
        await run("remove", answer).status == 0
    }

    private func run(_ verb: String, _ answer: ChallengeAnswer) async -> HookResult {
        let arguments = [program, verb, answer.name, "_acme-challenge.\(answer.name).", base64url(answer.digest)]
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: HookRun(arguments).finish(within: patience)) }
        }
    }
}

/// How a hook program ended.
public struct HookResult: Sendable, Equatable {
    /// Its exit status; negative for the signal that ended it.
    public var status: Int32
    /// Why it could not be started; else 0.
    public var errno: Int32
    /// The last of what it printed, without control characters.
    public var output: String
    /// Whether it was ended because it took too long.
    public var isTooSlow: Bool
}

/// One run of a hook program. Blocks its thread.
private struct HookRun {
    let arguments: [String]
    init(_ arguments: [String]) { self.arguments = arguments }

    func finish(within limit: Duration) -> HookResult {
        var ends: (Int32, Int32) = (-1, -1)
        let made = withUnsafeMutablePointer(to: &ends) { $0.withMemoryRebound(to: Int32.self, capacity: 2) { pipe($0) } }
        guard made == 0 else { return HookResult(status: -1, errno: errno, output: "", isTooSlow: false) }
        defer { close(ends.0) }
        for end in [ends.0, ends.1] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // What it prints is not ours to mix with our events.
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends.1, 1)
        posix_spawn_file_actions_adddup2(&actions, ends.1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own, so that what it started ends with it.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        var list: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for text in list { free(text) } }
        var process: pid_t = 0
        let reason = posix_spawn(&process, arguments[0], &actions, &attributes, &list, environ)
        close(ends.1)
        guard reason == 0 else { return HookResult(status: -1, errno: reason, output: "", isTooSlow: false) }
        let (output, isTooSlow) = read(from: ends.0, until: .now + limit)
        if isTooSlow { kill(-process, SIGKILL) }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let code = status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f)
        return HookResult(status: code, errno: 0, output: printable(String(decoding: output.suffix(400), as: UTF8.self)), isTooSlow: isTooSlow)
    }

    /// Everything until the program and what it left behind have closed the pipe.
    private func read(from descriptor: Int32, until deadline: ContinuousClock.Instant) -> (output: [UInt8], isTooSlow: Bool) {
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { return (output, true) }
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, Int32(clamping: left.components.seconds * 1000 + 100)) > 0 else { continue }
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return (output, false) }
            output = (output + buffer.prefix(count)).suffix(4096)
        }
    }
}
