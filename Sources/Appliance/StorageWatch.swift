/// Whether what people write and send can be kept, from one look to the next.
///
/// A look that shows nothing, because the chat server does not answer, says nothing. One bad look says nothing either; nothing is started again for any
/// number of them, since a start on a broken disk makes it worse.
struct StorageWatch {
    /// When it is looked at next: now and then, soon when it is not known yet how it goes on, and then so often that its end is seen in time.
    private static let pauses = (usual: Duration.seconds(60), soon: Duration.seconds(5), whileBroken: Duration.seconds(15))

    /// Bad looks in a row.
    private var bad = 0
    /// What is wrong; nil when nothing is, or it is not known yet.
    private(set) var problem: StatusReport.ProblemReport?

    /// - Parameters:
    ///   - faults: what could not be kept, and why; nil when nobody could be asked.
    ///   - readOnly: the folder whose file system is read-only; nil when it is not. That is no chance.
    mutating func note(_ faults: [String]?, readOnly folder: String?) {
        if let folder {
            bad = DeepVerdicts.threshold
            problem = Self.problem("the disk is read-only, as after an error of it: \(folder)")
        } else if let faults {
            bad = faults.isEmpty ? 0 : bad + 1
            problem = bad < DeepVerdicts.threshold ? nil : Self.problem(faults.joined(separator: "; "))
        }
    }

    /// How long until the next look.
    var pause: Duration { problem != nil ? Self.pauses.whileBroken : bad > 0 ? Self.pauses.soon : Self.pauses.usual }

    private static func problem(_ cause: String) -> StatusReport.ProblemReport {
        .init(
            error: "what people write and send cannot be kept", cause: cause,
            tryThis: "look at the disk (`dmesg`), at who may write where, and at `snikket logs prosody`; nothing is started again for it")
    }
}
