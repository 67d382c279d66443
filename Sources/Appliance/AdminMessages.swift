import ChatServer
import DurableFiles
import FoundationEssentials
import Synchronization

/// What needs an administrator's hand: told by a chat message, once, and once more when it is over.
///
/// What could not be delivered, because the chat server is down or nobody administers yet, is kept on disk and tried again.
actor AdminMessages {
    private let path: String
    private let chat: any ChatServer
    private var book: Book
    private nonisolated let isEmpty: Mutex<Bool>

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
    }

    init(path: String, chat: any ChatServer) {
        self.path = path
        self.chat = chat
        let bytes = (try? File.readIfThere(path)) ?? nil
        book = bytes.flatMap { try? JSONDecoder().decode(Book.self, from: Data($0)) } ?? Book()
        isEmpty = Mutex(book.outbox.isEmpty)
    }

    /// Whether nothing is waiting to be delivered.
    nonisolated var areDelivered: Bool { isEmpty.withLock { $0 } }

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
        if level > 0 || book.told.contains(matter) { book.outbox.append(Letter(matter: matter, text: text())) }
        save()
        await deliver()
    }

    /// Tries again what could not be delivered.
    func deliver() async {
        while let letter = book.outbox.first {
            guard let count = try? await chat.tellAdministrators(letter.text), count > 0 else { return }
            // Another one may have taken its place meanwhile.
            guard book.outbox.first == letter else { continue }
            book.outbox.removeFirst()
            if book.levels[letter.matter] == nil { book.told.remove(letter.matter) } else { book.told.insert(letter.matter) }
            save()
        }
    }

    private func save() {
        isEmpty.withLock { [waiting = !book.outbox.isEmpty] in $0 = !waiting }
        guard let bytes = try? JSONEncoder().encode(book) else { return }
        // Without it only the next run forgets.
        try? File.write(Array(bytes), to: path, mode: 0o600)
    }
}
