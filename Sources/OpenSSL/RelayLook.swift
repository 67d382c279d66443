internal import Glibc

/// Has a relay address given by a TURN server, and gives it back (RFC 8656 §7).
struct RelayLook {
    /// What the server shares with whoever hands out credentials.
    let secret: String
    /// Seconds since 1970.
    let now: Int

    /// Sends a request, and returns the answer to it.
    typealias Ask = (_ request: [UInt8], _ read: (_ message: [UInt8]) -> TURNMessage.Answer?) throws(ProbeError) -> TURNMessage.Answer

    func fault(_ ask: Ask) throws(ProbeError) -> Sight.Fault? {
        // Whoever comes without credentials is told what to sign (RFC 8489 §9.2.4).
        let challenge: TURNMessage.Challenge
        switch try asked(ask, TURNMessage.allocate, { id throws(OpenSSLError) in try TURNMessage.allocation(id, nil) }) {
        case .error(code: 401, let wanted?): challenge = wanted
        case .error(let code, _): return .refused(code: code)
        case .success: return .open
        }
        let credentials = try ours { () throws(OpenSSLError) in
            try TURNMessage.Credentials(secret: secret, end: now + 600, answering: challenge)
        }
        switch try asked(ask, TURNMessage.allocate, { id throws(OpenSSLError) in try TURNMessage.allocation(id, credentials) }) {
        case .success(relay: true): break
        case .success(relay: false): return .noRelay
        // Every place is taken: whoever says so to the right credentials is well.
        case .error(code: 486, _), .error(code: 508, _): return nil
        case .error(let code, _): return .refused(code: code)
        }
        switch try asked(ask, TURNMessage.refresh, { id throws(OpenSSLError) in try TURNMessage.release(id, credentials) }) {
        case .success: return nil
        case .error(let code, _): return .refused(code: code)
        }
    }

    private func asked(
        _ ask: Ask, _ method: UInt16, _ request: (_ transaction: [UInt8]) throws(OpenSSLError) -> [UInt8]
    ) throws(ProbeError) -> TURNMessage.Answer {
        let transaction = (0..<12).map { _ in UInt8.random(in: 0...255) }
        let message = try ours { () throws(OpenSSLError) in try request(transaction) }
        return try ask(message) { TURNMessage.answer($0, to: transaction, method) }
    }
}

extension Connection {
    /// Sends a datagram again and again, in growing pauses (RFC 8489 §6.2.1), until its answer comes.
    func answer(toDatagram request: [UInt8], _ read: ([UInt8]) -> TURNMessage.Answer?) throws(ProbeError) -> TURNMessage.Answer {
        // The RFC's 500 ms are for the Internet.
        var pause: Int32 = 250
        while true {
            try write(request)
            while try wait(for: POLLIN, atMost: pause) {
                if let answer = read(try self.read()) { return answer }
            }
            pause *= 2
        }
    }
}

extension ByteStream where Self: ~Copyable {
    /// Sends a request over a stream (RFC 8489 §6.2.2), and waits for its answer.
    func answer(to request: [UInt8], _ read: ([UInt8]) -> TURNMessage.Answer?) throws(ProbeError) -> TURNMessage.Answer {
        try write(request)
        var heard: [UInt8] = []
        while true {
            heard += try self.read()
            while let length = TURNMessage.length(of: heard), heard.count >= length {
                if let answer = read(Array(heard.prefix(length))) { return answer }
                heard.removeFirst(length)
            }
        }
    }
}
