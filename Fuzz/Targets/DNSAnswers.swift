import DNS

@testable import ACME

/// What a name server answers: records, CAA properties, and the signature of a dynamic update.
@Sendable func readDNS(_ input: [UInt8]) {
    guard input.count >= 2 else { return }
    let id = UInt16(input[0]) << 8 | UInt16(input[1])
    guard let (header, records) = try? DNSReader.message(input, id: id) else { return }
    promise(records.count == header.counts[1...].reduce(0, +), "records were passed over")
    // The question is the input's own: then everything behind it is looked at.
    if let response = try? DNSResponse(input, to: [input[0], input[1]] + [UInt8](repeating: 0, count: 10) + input.dropFirst(12)) {
        _ = CAAPolicy(in: response)
        _ = response.target(of: "example.org")
        for record in response.answers {
            _ = (response.service(in: record), response.address(in: record), response.name(in: record), response.text(in: record))
        }
    }
    for record in records {
        promise(record.data.upperBound <= input.count, "a record ends behind the message")
        promise(record.name.utf8.count <= 1100, "a name that never ends")
    }
    let key = TransactionKey(name: "key.example.org") { message throws(SigningError) in Array(repeating: UInt8(message.count & 0xff), count: 32) }
    if let last = records.last { _ = key.accepts(input, to: Array(repeating: 7, count: 32), record: last, now: 1_700_000_000) }
}
