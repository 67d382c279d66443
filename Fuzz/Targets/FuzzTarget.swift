/// Something that reads what others wrote, fed with anything.
///
/// The fuzzer and the tests call the same bodies. A body must never trap on its own account: a failed `precondition` in it is
/// a promise that the product broke.
struct FuzzTarget: Sendable, CustomStringConvertible {
    /// As `Fuzz/run` takes it; its inputs are in Fuzz/Corpus/NAME.
    let name: String
    let body: @Sendable ([UInt8]) -> Void
    var description: String { name }

    static let all: [FuzzTarget] = [
        FuzzTarget(name: "json", body: readACMEDocuments),
        FuzzTarget(name: "conversation", body: talkToAuthority),
        FuzzTarget(name: "headers", body: readHeaders),
        FuzzTarget(name: "pem", body: readPEM),
        FuzzTarget(name: "csr", body: makeRequests),
        FuzzTarget(name: "events", body: readEvents),
        FuzzTarget(name: "dns", body: readDNS),
        FuzzTarget(name: "settings", body: readSettings),
        FuzzTarget(name: "templates", body: readTemplates),
        FuzzTarget(name: "probes", body: judgeReplies),
    ]
}

/// A promise that holds for every input; breaking it is a finding.
func promise(_ holds: Bool, _ what: @autoclosure () -> String) {
    precondition(holds, what())
}

/// Whether a text could steer a terminal.
func hasControlCharacters(_ text: String) -> Bool {
    text.unicodeScalars.contains { $0.properties.generalCategory == .control }
}
