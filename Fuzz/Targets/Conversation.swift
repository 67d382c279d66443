import Dispatch
import Synchronization

@testable import ACME

/// A whole issuance, and a look at renewal information, with a CA that answers anything.
///
/// The input is split at NUL into the answers, in their order: the first byte of each chooses the status, an optional line of
/// `name: value` fields ends with an empty line, the rest is the body. When they run out, the CA falls silent.
@Sendable func talkToAuthority(_ input: [UInt8]) {
    let done = DispatchSemaphore(value: 0)
    // The fuzzer's loop is not asynchronous.
    Task.detached {
        let answers = input.split(separator: 0, omittingEmptySubsequences: false).map(answer)
        let client = Client(
            directory: "https://ca/dir", account: nil, transport: Answers(answers), signer: FixedSigner(), time: SkippedTime())
        let issuance = Issuance(
            client: client, names: ["example.org"], contact: nil, solver: NoSolver(), makeRequest: { () throws(SigningError) in [1] })
        do throws(ACMEError) { _ = try await issuance.run() } catch { check(error) }
        let other = Client(
            directory: "https://ca/dir", account: "https://ca/1", transport: Answers(answers), signer: FixedSigner(), time: SkippedTime())
        if let info = try? await other.renewalInfo("aa.bb") { promise(info.start < info.end, "a window that ends before it begins") }
        done.signal()
    }
    done.wait()
}

private func check(_ error: ACMEError) {
    guard case .problem(let problem, _, _, let after) = error else { return }
    promise(!hasControlCharacters(problem.detail), "a control character came through")
    promise(after.map { $0 >= 0 } ?? true, "a Retry-After in the past")
}

private func answer(_ bytes: some Collection<UInt8>) -> HTTPResponse {
    let statuses = [200, 201, 204, 302, 400, 403, 429, 500, 503]
    var response = HTTPResponse(status: statuses[Int(bytes.first ?? 0) % statuses.count], headers: [("replay-nonce", "bm9uY2U")])
    var rest = Array(bytes.dropFirst())[...]
    while let end = rest.firstIndex(of: 0x0a), let colon = rest[..<end].firstIndex(of: 0x3a) {
        response.headers.append(
            (
                name: String(decoding: rest[..<colon], as: UTF8.self).lowercased(),
                value: String(decoding: rest[(colon + 1)..<end], as: UTF8.self).trimming()
            ))
        rest = rest[(end + 1)...]
    }
    response.body = Array(rest)
    return response
}

/// Answers in their order, whatever is asked.
private final class Answers: Transport {
    private let rest: Mutex<ArraySlice<HTTPResponse>>
    init(_ answers: [HTTPResponse]) { rest = Mutex(answers[...]) }
    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        guard let answer = rest.withLock({ $0.popFirst() }) else { throw TransportError(kind: .tls, code: 0, text: "no answer is left") }
        return answer
    }
}

/// Signs everything alike: what is signed is not the question here.
private struct FixedSigner: Signer {
    let publicKey = JSONWebKey(x: Array(repeating: 1, count: 32), y: Array(repeating: 2, count: 32))
    func signature(of message: [UInt8]) throws(SigningError) -> [UInt8] { Array(repeating: 3, count: 64) }
    func sha256(_ message: [UInt8]) throws(SigningError) -> [UInt8] { Array(repeating: 4, count: 32) }
}

/// Time that passes only by waiting.
private final class SkippedTime: TimeSource {
    private let passed = Mutex(Duration.zero)
    func elapsed() -> Duration { passed.withLock { $0 } }
    func date() -> Int { 1_700_000_000 }
    func sleep(_ duration: Duration) async throws { passed.withLock { $0 += duration } }
}

private struct NoSolver: ChallengeSolver {
    var type: String { "http-01" }
    func present(_ answer: ChallengeAnswer) async throws(ChallengeError) {
        promise(
            !answer.token.isEmpty
                && answer.token.utf8.allSatisfy {
                    $0 < 128 && (Character(Unicode.Scalar($0)).isLetter || Character(Unicode.Scalar($0)).isNumber || $0 == 0x2d || $0 == 0x5f)
                },
            "a token that is no base64url")
    }
    func remove(_ answer: ChallengeAnswer) async -> Bool { true }
}
