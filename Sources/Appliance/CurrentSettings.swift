import Glibc
public import Settings
import Synchronization

/// Where the settings come from, each time they are read.
public struct SettingsSource: Sendable {
    /// The file, to notice that it has changed; nil when there is none.
    public let file: String?
    /// Reads and validates them.
    public let read: @Sendable () throws -> Settings
    /// Finds the words for an error, and whether it is the settings that are wrong.
    public let explain: @Sendable (any Error) -> (StatusReport.ProblemReport, isSettings: Bool)

    public init(
        file: String?, read: @escaping @Sendable () throws -> Settings,
        explain: @escaping @Sendable (any Error) -> (StatusReport.ProblemReport, isSettings: Bool)
    ) {
        self.file = file
        self.read = read
        self.explain = explain
    }

    /// When the file was changed last, in nanoseconds, and which it is; nil when there is none.
    var mark: [Int]? {
        var facts = stat()
        guard let file, stat(file, &facts) == 0 else { return nil }
        return [Int(facts.st_ino), facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec, Int(facts.st_size)]
    }
}

/// The settings that are in force: changed by a reload, read by everybody else.
final class CurrentSettings: Sendable {
    private let current: Mutex<(settings: Settings, mark: [Int]?)>
    let source: SettingsSource

    init(_ settings: Settings, from source: SettingsSource) {
        self.source = source
        current = Mutex((settings, source.mark))
    }

    var value: Settings { current.withLock { $0.settings } }

    /// Whether the file is another one than when it was taken over last.
    var isFileChanged: Bool { source.mark != current.withLock { $0.mark } }

    /// Takes others over. `mark` is that of the file before it was read: what is written meanwhile is seen as a change.
    func replace(with settings: Settings, mark: [Int]?) { current.withLock { $0 = (settings, mark) } }
}
