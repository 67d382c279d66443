import FoundationEssentials

@testable import ACME

/// Every document of RFC 8555 and RFC 9773 that is decoded by itself.
@Sendable func readACMEDocuments(_ input: [UInt8]) {
    let data = Data(input)
    let decoder = JSONDecoder()
    _ = try? decoder.decode(Directory.self, from: data)
    _ = try? decoder.decode(Account.self, from: data)
    if let order = try? decoder.decode(Order.self, from: data) { check(order.error) }
    if let authorization = try? decoder.decode(Authorization.self, from: data) {
        for challenge in authorization.challenges { check(challenge.error) }
    }
    if let challenge = try? decoder.decode(Challenge.self, from: data) { check(challenge.error) }
    check(try? decoder.decode(Problem.self, from: data))
}

/// What a CA says ends on terminals and pages.
private func check(_ problem: Problem?) {
    guard let problem else { return }
    let parts = problem.subproblems.flatMap { [$0.type, $0.detail, $0.identifier?.value ?? ""] }
    for text in [problem.type, problem.detail, problem.name ?? ""] + parts {
        promise(!hasControlCharacters(text), "a control character came through")
        promise(text.unicodeScalars.count <= 1000, "a text is longer than a person would read")
    }
    promise(problem.subproblems.count <= 100, "too many subproblems came through")
}

/// Header fields and the small encodings: Retry-After, Link, RFC 3339, base64url.
@Sendable func readHeaders(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    let now = 1_700_000_000
    if let seconds = retryAfter(text, now: now) { promise(seconds >= 0, "a Retry-After in the past") }
    let response = HTTPResponse(status: 200, headers: text.split(separator: "\n").map { (name: "link", value: String($0)) })
    for target in links(of: response, relation: "alternate") { promise(target.hasPrefix("https://"), "a link that is no https: \(target)") }
    _ = seconds(rfc3339: text)
    promise(bytes(base64url: base64url(input)) == input, "base64url does not read back what it wrote")
    if let read = bytes(base64url: text) {
        promise(bytes(base64url: base64url(read)) == read, "base64url does not write what it read")
    }
}
