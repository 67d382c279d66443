import FoundationEssentials

/// Points in time as text (RFC 3339, UTC, whole seconds).
public enum RFC3339 {
    /// - Parameter seconds: since 1970.
    public static func text(_ seconds: Int) -> String {
        Date(timeIntervalSince1970: Double(seconds)).ISO8601Format()
    }

    /// Seconds since 1970; nil when the text is no such time.
    public static func seconds(_ text: String) -> Int? {
        guard let date = try? Date.ISO8601FormatStyle().parse(text) else { return nil }
        let seconds = Int(date.timeIntervalSince1970)
        // The parser takes 25 o'clock for one in the morning.
        return Self.text(seconds) == text ? seconds : nil
    }
}
