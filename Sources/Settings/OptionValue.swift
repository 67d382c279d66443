/// What an option's value can be, and how it is written in the file.
protocol OptionValue: Sendable {
    /// The value in its usual form, as it would stand in the file.
    var plain: String { get }
}

extension String: OptionValue {
    var plain: String { self }
}

extension [String]: OptionValue {
    var plain: String { joined(separator: ", ") }
}

extension Int: OptionValue {
    var plain: String { "\(self)" }
}

extension Double: OptionValue {
    /// Without `.0` at the end.
    var plain: String {
        guard let whole = Int(exactly: self) else { return "\(self)" }
        return "\(whole)"
    }
}

extension Bool: OptionValue {
    var plain: String { self ? "on" : "off" }
}

extension OptionValue where Self: RawRepresentable<String> {
    var plain: String { rawValue }
}

extension Settings.LogLevel: OptionValue {}
extension Settings.TLSProfile: OptionValue {}
extension Draft.CertificateKind: OptionValue {}
extension Draft.ChallengeKind: OptionValue {}
