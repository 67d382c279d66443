@testable import Health

/// What servers answer to the probes: a verdict for each, at every length of what has come so far.
@Sendable func judgeReplies(_ input: [UInt8]) {
    guard let kind = input.first else { return }
    let reply = Array(input.dropFirst())
    switch kind % 3 {
    case 0: _ = XMPPProbe.judge(reply)
    case 1: _ = TLSProbe.judge(reply)
    default:
        let transaction = Array(0..<12) as [UInt8]
        _ = STUNProbe.judge(reply, transaction)
    }
}
