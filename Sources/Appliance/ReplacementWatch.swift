import Lifecycle
import Settings

/// When to look at what the servers run, and which of them to start again.
struct ReplacementWatch {
    typealias Replaced = [Service: Set<String>]

    private static let longestPause = Duration.seconds(600)
    private var mark: PackageManager.Mark?
    private var lastLook: ContinuousClock.Instant?
    private var last: Replaced = [:]
    /// Whether the last look found something that was not there before.
    private var isUnsure = false
    /// What a start did not mend: not tried again.
    private var hopeless: Replaced = [:]

    /// Whenever a package has come or gone or what waits for a quiet hour may be done, and now and then besides; not while packages are coming and going.
    ///
    /// - Parameter mark: what is installed.
    mutating func isTimeToLook(_ mark: PackageManager.Mark?, isAtWork: Bool, isQuiet: Bool, at now: ContinuousClock.Instant) -> Bool {
        guard !isAtWork else { return false }
        let isDue = isQuiet && last.contains { $0.value != hopeless[$0.key] }
        guard mark != self.mark || isUnsure || isDue || lastLook.map({ now - $0 >= Self.longestPause }) ?? true else { return false }
        (self.mark, lastLook) = (mark, now)
        return true
    }

    /// Those that have been found with the same files twice: what is still being replaced may not fit together yet.
    mutating func toRestart(_ replaced: Replaced) -> [Service] {
        defer { last = replaced }
        isUnsure = replaced.contains { $0.value != last[$0.key] }
        hopeless = hopeless.filter { replaced[$0.key] == $0.value }
        return Service.allCases.filter { service in
            guard let files = replaced[service] else { return false }
            return files == last[service] && files != hopeless[service]
        }
    }

    /// - Parameter replaced: what is found after a start.
    mutating func hasStarted(_ service: Service, _ replaced: Replaced) {
        hopeless[service] = replaced[service]
        last[service] = nil
    }
}
