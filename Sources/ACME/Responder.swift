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

    deinit { answers.close(socket.descriptor) }

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

/// A listening TCP socket that does not block. Whoever accepts from it closes it.
package struct ListeningSocket: Sendable {
    package let descriptor: Int32

    package init(_ text: String) throws(ChallengeError) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { throw .badAddress(text) }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if host.isEmpty { host = "::" }
        var four = sockaddr_in()
        var six = sockaddr_in6()
        let isFour = inet_pton(AF_INET, host, &four.sin_addr) == 1
        guard isFour || inet_pton(AF_INET6, host, &six.sin6_addr) == 1 else { throw .badAddress(text) }
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        descriptor = Glibc.socket(isFour ? AF_INET : AF_INET6, kind, 0)
        guard descriptor >= 0 else { throw .listen(address: text, errno: errno) }
        var (yes, no): (Int32, Int32) = (1, 0)
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let bound: Int32
        if isFour {
            four.sin_family = sa_family_t(AF_INET)
            four.sin_port = port.bigEndian
            bound = withUnsafePointer(to: &four) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
            }
        } else {
            // `[::]` means IPv4 as well, whatever the system's default is.
            setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &no, socklen_t(MemoryLayout<Int32>.size))
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = port.bigEndian
            bound = withUnsafePointer(to: &six) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
            }
        }
        guard bound == 0, listen(descriptor, 64) == 0 else {
            let reason = errno
            close(descriptor)
            throw .listen(address: text, errno: reason)
        }
    }
}
