import DurableFiles
import FoundationEssentials
import Synchronization

/// A way to reach those who administer the service.
protocol AdministratorChannel: Sendable {
    /// Sends a message; false when nobody could be reached, so that it is tried again.
    func tell(_ text: String) async -> Bool
}

/// What needs an administrator's hand: told once, and once more when it is over.
///
/// What could not be delivered, because the chat server is down or nobody administers yet, is kept on disk and tried again.
actor AdminMessages {
    private let path: String
    /// By their names, under which the file knows them.
    private let channels: [String: any AdministratorChannel]
    private var book: Book
    private nonisolated let isEmpty: Mutex<Bool>
    private var isDelivering = false

    private struct Book: Codable, Equatable {
        /// How urgent each matter is that has been raised.
        var levels: [String: Int] = [:]
        /// The matters of which somebody has heard.
        var told: Set<String> = []
        /// What is still to be told, oldest first.
        var outbox: [Letter] = []
    }

    private struct Letter: Codable, Equatable {
        var matter: String
        var text: String
        /// Whether it says that the matter is over.
        var isEnd: Bool
        /// The channels that it has not gone through.
        var channels: Set<String>
    }

    /// - Parameter channels: by names that stay the same from run to run.
    init(path: String, channels: [String: any AdministratorChannel]) {
        self.path = path
        self.channels = channels
        let bytes = (try? File.readIfThere(path)) ?? nil
        book = bytes.flatMap { try? JSONDecoder().decode(Book.self, from: Data($0)) } ?? Book()
        isEmpty = Mutex(book.outbox.isEmpty)
    }

    /// Whether nothing is waiting to be delivered.
    nonisolated var areDelivered: Bool { isEmpty.withLock { $0 } }

    /// What somebody has been told of and is not over, and what waits to be delivered.
    var report: StatusReport.TellingReport {
        .init(matters: book.told.intersection(book.levels.keys).sorted(), undelivered: book.outbox.count)
    }

    /// Tells of a matter when it has become more urgent than when it was told last.
    ///
    /// - Parameter level: 1 or more; 0 when it is over, which is told when it was told of before.
    func tell(_ matter: String, level: Int, _ text: @autoclosure () -> String) async {
        let known = book.levels[matter] ?? 0
        guard level > known || (level == 0 && known > 0) else { return await deliver() }
        // What has not been delivered is out of date.
        book.outbox.removeAll { $0.matter == matter }
        book.levels[matter] = level == 0 ? nil : level
        // An end of which nobody heard the begin is no news.
        if level > 0 || book.told.contains(matter) {
            book.outbox.append(Letter(matter: matter, text: text(), isEnd: level == 0, channels: Set(channels.keys)))
        }
        save()
        await deliver()
    }

    /// Tries what has not been delivered.
    func deliver() async {
        guard !isDelivering else { return }
        isDelivering = true
        defer { isDelivering = false }
        for letter in book.outbox {
            for name in letter.channels.sorted() {
                // A channel that is not there any more cannot be used; one may have been left behind in the file.
                guard await channels[name]?.tell(letter.text) ?? true else { continue }
                // Another letter may have taken its place meanwhile.
                guard let place = book.outbox.firstIndex(where: { $0.matter == letter.matter && $0.text == letter.text }) else { break }
                book.outbox[place].channels.remove(name)
                if letter.isEnd { book.told.remove(letter.matter) } else { book.told.insert(letter.matter) }
                if book.outbox[place].channels.isEmpty { book.outbox.remove(at: place) }
                save()
            }
        }
    }

    private func save() {
        isEmpty.withLock { [waiting = !book.outbox.isEmpty] in $0 = !waiting }
        guard let bytes = try? JSONEncoder().encode(book) else { return }
        // Without it only the next run forgets.
        try? File.write(Array(bytes), to: path, mode: 0o600)
    }
}
