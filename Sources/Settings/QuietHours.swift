import Glibc

/// The hours of the day in which little happens, by this machine's clock: what interrupts people for a moment waits for them.
public struct QuietHours: Sendable, Equatable {
    /// The hour with which they begin, 0 to 23.
    public var begin: Int
    /// The hour with which they end, 0 to 23; before ``begin`` when midnight lies between.
    public var end: Int

    public init(begin: Int, end: Int) {
        (self.begin, self.end) = (begin, end)
    }

    /// Seconds until they end; nil outside of them.
    ///
    /// - Parameter moment: seconds since 1970.
    public func secondsLeft(at moment: Int) -> Int? {
        var (time, parts) = (time_t(moment), tm())
        localtime_r(&time, &parts)
        let (hour, day) = (Int(parts.tm_hour), 24)
        guard (hour - begin + day) % day < (end - begin + day) % day else { return nil }
        return (end - hour + day) % day * 3600 - Int(parts.tm_min) * 60 - Int(parts.tm_sec)
    }
}

extension QuietHours: OptionValue {
    public var plain: String { "\(begin)-\(end)" }
}

extension ValueKind where Value == QuietHours {
    /// Two whole hours of the day.
    static var hours: Self {
        Self(name: "hours", bounds: "from one whole hour of the day to another, local time: 3-5, or 23-4") { text throws(Problem.Kind) in
            let hours = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0.drop { $0 == " " }.prefix { $0 != " " }) }
            guard hours.count == 2, let begin = hours[0], let end = hours[1], 0...23 ~= begin, 0...24 ~= end, begin != end % 24 else {
                throw .notHours(text)
            }
            return QuietHours(begin: begin, end: end % 24)
        }
    }
}
