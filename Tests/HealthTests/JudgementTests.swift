import Testing

@testable import Health

extension Verdict: Equatable {
    static func == (left: Verdict, right: Verdict) -> Bool {
        switch (left, right) {
        case (.good, .good), (.more, .more): true
        case (.bad(let left), .bad(let right)): left == right
        default: false
        }
    }
}

@Suite struct JudgementTests {
    static let stream = "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' from='a' id='1' xmlns='jabber:client'>"
    static let features =
        "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"

    @Test("an XMPP answer is good only when it is whole, however it is cut")
    func cutStream() {
        let whole = Array((Self.stream + Self.features).utf8)
        for length in 0..<whole.count { #expect(XMPPProbe.judge(Array(whole[..<length])) == .more, "\(length)") }
        #expect(XMPPProbe.judge(whole) == .good)
    }

    @Test(
        "an XMPP answer without STARTTLS, with optional STARTTLS, with an error, or of another protocol says so",
        arguments: [
            (stream + "<stream:features><mechanisms/></stream:features>", "a stream without STARTTLS"),
            (stream + "<stream:features><starttls/></stream:features>", "a stream that does not require STARTTLS"),
            (stream + "<stream:error><host-unknown xmlns='x'/></stream:error></stream:stream>", "the stream error host-unknown"),
            ("HTTP/1.1 400 Bad Request\r\n", "something that is no XMPP"),
            ("<html>", "<html> instead of a stream"),
        ])
    func badStream(_ answer: String, _ what: String) {
        #expect(XMPPProbe.judge(Array(answer.utf8)) == .bad(.unexpected(what)))
    }

    @Test("a STUN answer to another request is not ours")
    func strangeTransaction() {
        let ours = [UInt8](repeating: 7, count: 12)
        let answer: [UInt8] = [1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + ours
        #expect(STUNProbe.judge(answer, ours) == .good)
        #expect(STUNProbe.judge(answer, [UInt8](repeating: 8, count: 12)) == .more)
        #expect(STUNProbe.judge(Array(answer.dropLast()), ours) == .more)
    }

    @Test("a TLS answer is judged by its first message")
    func tls() {
        #expect(TLSProbe.judge([22, 3, 3, 0, 90]) == .more)
        #expect(TLSProbe.judge([22, 3, 3, 0, 90, 2]) == .more)
        #expect(TLSProbe.judge([22, 3, 3, 0, 90, 2] + [UInt8](repeating: 0, count: 89)) == .good)
        #expect(TLSProbe.judge([21, 3, 3, 0, 2, 2, 112]) == .bad(.unexpected("the TLS alert 112")))
        #expect(TLSProbe.judge(Array("SSH-2.0".utf8)) == .bad(.unexpected("something that is no TLS")))
    }
}
