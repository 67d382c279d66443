internal import Glibc

/// The clocks. Tests pass one that does not really wait.
public protocol TimeSource: Sendable {
    /// Time that only goes forward, from any origin.
    func elapsed() -> Duration
    /// Seconds since 1970.
    func date() -> Int
    /// Waits; throws CancellationError.
    func sleep(_ duration: Duration) async throws
}

/// The machine's clocks.
public struct SystemTime: TimeSource {
    private let origin = ContinuousClock.now
    public init() {}
    public func elapsed() -> Duration { origin.duration(to: .now) }
    public func date() -> Int { Int(time(nil)) }
    public func sleep(_ duration: Duration) async throws { try await Task.sleep(for: duration) }
}

/// Seconds from now, of a Retry-After: seconds, or a date (RFC 9110 §10.2.3). nil when it is neither; never negative.
func retryAfter(_ value: String?, now: Int) -> Int? {
    guard let value else { return nil }
    let text = value.trimming()
    // A number too large for the type still means 'not soon'.
    if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return min(Int(text) ?? .max, 366 * 86400) }
    guard let date = httpDate(text) else { return nil }
    return min(max(0, date - now), 366 * 86400)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, and the two older forms that have to be understood: `Sunday, 06-Nov-94 08:49:37 GMT` and
/// `Sun Nov  6 08:49:37 1994` (RFC 9110 §5.6.7).
private func httpDate(_ text: String) -> Int? {
    let parts = text.split { " ,-".contains($0) }
    let places: (day: Int, month: Int, year: Int, clock: Int)
    switch parts.count {
    case 6 where parts[5] == "GMT": places = (1, 2, 3, 4)
    case 5: places = (2, 1, 4, 3)
    default: return nil
    }
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard let day = Int32(parts[places.day]), (1...31).contains(day), let month = months.firstIndex(of: String(parts[places.month])),
        var year = Int32(parts[places.year])
    else { return nil }
    if (0...99).contains(year) { year += year < 70 ? 2000 : 1900 }
    let clock = parts[places.clock].split(separator: ":").compactMap { Int32($0) }
    guard clock.count == 3, clock.allSatisfy({ (0...60).contains($0) }), (1970...9999).contains(year) else { return nil }
    var time = tm()
    (time.tm_mday, time.tm_mon, time.tm_year) = (day, Int32(month), year - 1900)
    (time.tm_hour, time.tm_min, time.tm_sec) = (clock[0], clock[1], clock[2])
    return timegm(&time)
}

extension String {
    func trimming() -> String {
        String(drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
