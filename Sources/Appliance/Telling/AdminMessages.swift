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
    /// What is being sent right now: whether anybody hears it is not known yet.
    private var underWay: Letter?

    private struct Book: Codable, Equatable {
        /// How urgent each matter is that has been raised.
        var levels: [String: Int] = [:]
        /// What a matter consisted of when it was looked at last; not in the file of an earlier version.
        var parts: [String: Set<String>]?
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

    /// Tells of a matter when it has become more urgent than when it was told last, or when something has joined what it consists of.
    ///
    /// - Parameters:
    ///   - level: 1 or more; 0 when it is over, which is told when it was told of before.
    ///   - parts: what it consists of, when each of them is worth a message.
    func tell(_ matter: String, level: Int, parts: Set<String> = [], _ text: @autoclosure () -> String) async {
        let known = book.levels[matter] ?? 0
        let hasNews = !parts.isSubset(of: book.parts?[matter] ?? [])
        note(parts, of: matter)
        guard level > known || hasNews || (level == 0 && known > 0) else { return await deliver() }
        // What has not been delivered is out of date.
        book.outbox.removeAll { $0.matter == matter }
        book.levels[matter] = level == 0 ? nil : level
        // An end of which nobody heard the begin is no news. Whoever is being told of it may have heard it in a moment.
        let isBeingTold = underWay.map { $0.matter == matter && !$0.isEnd } ?? false
        if level > 0 || book.told.contains(matter) || isBeingTold {
            book.outbox.append(Letter(matter: matter, text: text(), isEnd: level == 0, channels: Set(channels.keys)))
        }
        save()
        await deliver()
    }

    /// Forgets a matter that cannot go on: a server that is switched off neither fails nor gets well.
    func forget(_ matter: String) {
        guard book.levels[matter] != nil || book.told.contains(matter) else { return }
        book.levels[matter] = nil
        book.told.remove(matter)
        book.outbox.removeAll { $0.matter == matter }
        save()
    }

    /// What has gone is news when it comes again.
    private func note(_ parts: Set<String>, of matter: String) {
        guard parts != book.parts?[matter] ?? [] else { return }
        book.parts = book.parts ?? [:]
        book.parts?[matter] = parts.isEmpty ? nil : parts
        save()
    }

    /// Tries what has not been delivered.
    func deliver() async {
        guard !isDelivering else { return }
        isDelivering = true
        defer { isDelivering = false }
        for letter in book.outbox {
            for name in letter.channels.sorted() {
                // Another letter may have taken its place meanwhile.
                guard place(of: letter) != nil else { break }
                underWay = letter
                // A channel that is not there any more cannot be used; one may have been left behind in the file.
                let isHeard = await channels[name]?.tell(letter.text) ?? true
                underWay = nil
                if isHeard { wasHeard(letter, through: name) } else { wasUnheard(letter) }
            }
        }
    }

    private func place(of letter: Letter) -> Int? {
        book.outbox.firstIndex { $0.matter == letter.matter && $0.text == letter.text }
    }

    private func wasHeard(_ letter: Letter, through channel: String) {
        if letter.isEnd { book.told.remove(letter.matter) } else { book.told.insert(letter.matter) }
        if let place = place(of: letter) {
            book.outbox[place].channels.remove(channel)
            if book.outbox[place].channels.isEmpty { book.outbox.remove(at: place) }
        }
        save()
    }

    private func wasUnheard(_ letter: Letter) {
        // It ended meanwhile, and nobody has heard that it began.
        guard place(of: letter) == nil, !book.told.contains(letter.matter), book.levels[letter.matter] == nil else { return }
        book.outbox.removeAll { $0.matter == letter.matter }
        save()
    }

    private func save() {
        isEmpty.withLock { [waiting = !book.outbox.isEmpty] in $0 = !waiting }
        guard let bytes = try? JSONEncoder().encode(book) else { return }
        // Without it only the next run forgets.
        try? File.write(Array(bytes), to: path, mode: 0o600)
    }
}
