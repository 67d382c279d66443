internal import Dispatch
internal import Glibc
internal import Synchronization

/// Answers http-01 (RFC 8555 §8.3) itself, for when no web server runs. Everything else gets 404.
public final class Responder: ChallengeSolver {
    private let socket: ListeningSocket
    private let answers = AnswerTable()
    public var type: String { "http-01" }

    /// Listens at once.
    ///
    /// - Parameter address: `192.0.2.1:80`, `[::]:80`, or `:80` for all addresses.
    public init(listen address: String) throws(ChallengeError) {
        socket = try ListeningSocket(address)
        let (descriptor, answers) = (socket.descriptor, answers)
        DispatchQueue(label: "http-01").async { ResponderLoop(listening: descriptor, answers: answers).run() }
    }

    deinit {
        if let path = socket.path { unlink(path) }
        answers.close(socket.descriptor)
    }

    public func present(_ answer: ChallengeAnswer) async throws(ChallengeError) {
        answers.set(answer.token, answer.keyAuthorization)
    }

    public func remove(_ answer: ChallengeAnswer) async -> Bool {
        answers.set(answer.token, nil)
        return true
    }
}

/// What is answered at the moment; shared with the loop that answers.
final class AnswerTable: Sendable {
    private let state = Mutex<(answers: [String: String], isClosed: Bool)>(([:], false))

    func set(_ token: String, _ answer: String?) { state.withLock { $0.answers[token] = answer } }
    func answer(to token: String) -> String? { state.withLock { $0.answers[token] } }
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Ends the loop: shutting a listening socket down wakes whoever waits for it.
    func close(_ listening: Int32) {
        state.withLock { $0.isClosed = true }
        shutdown(listening, Int32(SHUT_RDWR))
    }
}
