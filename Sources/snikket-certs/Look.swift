import ArgumentParser
import CertificateStore
import Dispatch
import OpenSSL
import SystemPackage

/// Everything that is served, looked at as its users do.
struct Look: Job {
    static let configuration = CommandConfiguration(
        commandName: "look", abstract: "Look at every endpoint at once; a JSON object on standard input says which.")

    func execute() async throws(CertificateFailure) {
        guard let job = try? LookJob(json: try read("-", what: "endpoints")) else {
            throw CertificateFailure(
                kind: .configuration, error: "standard input holds no endpoints", cause: "it has to be one JSON object, as snikket writes it",
                try: "reinstall snikket, when it was snikket that asked")
        }
        for question in job.questions {
            _ = try validated([question.host])
            guard question.scene.isHarmless else {
                throw CertificateFailure(
                    kind: .configuration, error: "the endpoint \(question.name) asks for what is no domain or path",
                    cause: "it holds a character that would mean something else there", try: "give it as it is in the DNS or in a link")
            }
        }
        let milliseconds = min(max(job.milliseconds, 1), 60_000)
        // coturn 4.6 trips over its own database when two come in at the same moment, and turns one of them away.
        let (relays, others) = (job.questions.filter(\.scene.isRelay), job.questions.filter { !$0.scene.isRelay })
        await withTaskGroup(of: Void.self) { tasks in
            for questions in [relays] + others.map({ [$0] }) {
                tasks.addTask { for question in questions { emit(await question.answer(milliseconds: milliseconds)) } }
            }
        }
    }
}

/// Prints an answer. Without buffering: the reader follows along.
private func emit(_ answer: LookAnswer) {
    _ = try? FileDescriptor.standardOutput.writeAll(Array((answer.line + "\n").utf8))
}

extension LookJob.Question {
    /// Looks. One that hangs must not hold up the others, and looking blocks its thread.
    fileprivate func answer(milliseconds: Int) async -> LookAnswer {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: look(milliseconds: milliseconds)) }
        }
    }

    private func look(milliseconds: Int) -> LookAnswer {
        let start = ContinuousClock.now
        let sight = OpenSSL.look(
            at: scene.seen, address: address, name: host.lowercased(), milliseconds: milliseconds, now: now(), isPlain: way.isPlain,
            isAnnounced: way.isAnnounced)
        let (seconds, attoseconds) = start.duration(to: .now).components
        let moment = now()
        return LookAnswer(
            name: name, milliseconds: Int(seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000), serial: sight.certificate?.serial,
            isGood: sight.certificate.map { $0.covers(host) && $0.notBefore <= moment && $0.notAfter >= moment },
            verdict: sight.fault?.verdict ?? .good, reason: sight.fault?.words)
    }
}

extension LookJob.Scene {
    /// Nothing in it can end the quotes of a stream's header, or the line of a request.
    fileprivate var isHarmless: Bool {
        func isPlain(_ text: String, _ forbidden: String) -> Bool {
            text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F } && !text.contains { forbidden.contains($0) }
        }
        switch self {
        case .clients(let domain, _), .servers(let domain, _): return isPlain(domain, "<>&'\"")
        case .login(let domain, let username, _): return isPlain(domain, "<>&'\"") && isPlain(username, ",=")
        case .page(let path), .upload(let path): return path.hasPrefix("/") && isPlain(path, "")
        case .relay, .port: return true
        }
    }

    fileprivate var isRelay: Bool { if case .relay = self { true } else { false } }

    fileprivate var seen: OpenSSL.Scene {
        switch self {
        case .clients(let domain, let isDirect): .clients(domain: domain, isDirect: isDirect)
        case .login(let domain, let username, let password): .login(domain: domain, username: username, password: password)
        case .servers(let domain, let isDirect): .servers(domain: domain, isDirect: isDirect)
        case .page(let path): .page(path: path)
        case .upload(let path): .upload(path: path)
        case .relay(let secret, .udp): .relay(secret: secret, over: .udp)
        case .relay(let secret, .tcp): .relay(secret: secret, over: .tcp)
        case .relay(let secret, .tls): .relay(secret: secret, over: .tls)
        case .port: .port
        }
    }
}
