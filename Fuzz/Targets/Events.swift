import CertificateStore

/// The lines that one program prints for the other: what is read is written the same way, and can be worked with.
@Sendable func readEvents(_ input: [UInt8]) {
    let line = String(decoding: input, as: UTF8.self)
    if let event = CertificateEvent(line: line) {
        promise(CertificateEvent(line: event.line) == event, "an event is not read back as it was written")
        promise(!event.line.contains("\n"), "an event is more than one line")
        switch event {
        case .issued(let record, _, _), .probed(let record, _), .inspected(let record): use(record)
        case .progress, .failed: break
        }
    }
    if let event = AuthorityEvent(line: line) {
        promise(AuthorityEvent(line: event.line) == event, "an event is not read back as it was written")
        if case .renewal(let window) = event {
            for spread in [0, 0.5, 1] { _ = window.time(spread: spread) }
            _ = window.nextLook(now: 1_700_000_000)
        }
    }
}

private func use(_ record: CertificateRecord) {
    _ = record.covers(["example.org", "a.b.example.org", ""])
    for spread in [0, 0.5, 1] {
        _ = record.renewalTime(spread: spread)
        _ = RenewalPlan(serial: record.serial, spread: spread, window: RenewalWindow(start: 0, end: record.notAfter)).time(of: record)
    }
}
