import Glibc
import RealServers
import Testing

@testable import Lifecycle

@Suite("backups as files, with the real sqlite3 and age")
struct BackupFileTests {
    /// A small state and its settings.
    static func maker(in scratch: Scratch, encryption: Encryption = .none, name: String = "backup.tar.zst") async throws -> BackupMaker {
        // As the commands do: a program that ends early is told of, and is not our end.
        signal(SIGPIPE, SIG_IGN)
        try await scratch.succeed("/bin/mkdir", ["-p", "\(scratch.path)/state/prosody", "\(scratch.path)/state/backups"])
        try await scratch.succeed(
            "/usr/bin/sqlite3",
            [
                "\(scratch.path)/state/prosody/prosody.sqlite",
                """
                PRAGMA journal_mode=WAL;
                CREATE TABLE prosody (host TEXT, user TEXT, store TEXT, key TEXT, type TEXT, value TEXT);
                CREATE TABLE prosodyarchive (sort_id INTEGER PRIMARY KEY, value TEXT);
                INSERT INTO prosody VALUES ('h', 'a', 'accounts', 'x', 'y', 'z'), ('h', 'a', 'accounts', 'w', 'y', 'z'),
                    ('h', 'b', 'accounts', 'x', 'y', 'z');
                INSERT INTO prosodyarchive (value) VALUES ('one'), ('two'), ('three');
                """,
            ])
        _ = try scratch.write("state/prosody/upload.bin", String(repeating: "upload ", count: 5000))
        _ = try scratch.write("state/prosody/arriving.bin~", "half of it")
        _ = try scratch.write("state/lock", "")
        let settings = try scratch.write("snikket.conf", "SNIKKET_DOMAIN=chat.example.org\n")
        return BackupMaker(
            state: "\(scratch.path)/state", settings: [settings], owners: StateOwners(accounts: [:], folders: ["prosody": "snikket-prosody"]),
            version: "1.2.3", domain: "chat.example.org", prosody: "13.0.1", folder: scratch.path, name: name, encryption: encryption,
            now: 1_795_734_533)
    }

    static func verify(_ file: String, in scratch: Scratch, _ opening: Opening = .none) throws -> BackupContents {
        try BackupVerifier(file: file, opening: opening, scratch: scratch.path).verify { _, _ in }
    }

    @Test("what was backed up is told: accounts, messages, files; and it is 0600")
    func contents() async throws {
        try await Scratch.with { scratch in
            let result = try await Self.maker(in: scratch).make { _, _ in }
            let contents = try Self.verify(result.file, in: scratch)
            #expect(contents.about == result.about)
            #expect(contents.about.files == 3 && contents.about.domain == "chat.example.org")
            #expect(contents.databases.map(\.path) == ["state/prosody/prosody.sqlite"])
            #expect(contents.databases.map(\.accounts) == [2] && contents.databases.map(\.messages) == [3])
            var status = stat()
            #expect(stat(result.file, &status) == 0 && status.st_mode & 0o777 == 0o600)
        }
    }

    @Test("a database that somebody writes to all the time is copied as it is at one moment, and its writer is not kept waiting")
    func busyDatabase() async throws {
        try await Scratch.with { scratch in
            let maker = try await Self.maker(in: scratch)
            let database = "\(scratch.path)/state/prosody/prosody.sqlite"
            // Two rows at a time, in one transaction: an odd number would be a half.
            let script = try scratch.write(
                "write",
                """
                while [ ! -e \(scratch.path)/stop ]; do
                    sqlite3 \(database) "PRAGMA busy_timeout=50; BEGIN; INSERT INTO prosodyarchive (value) VALUES ('a');
                        INSERT INTO prosodyarchive (value) VALUES ('b'); COMMIT" >/dev/null || exit 1
                done
                """
            )
            async let writing: Void = scratch.succeed("/bin/sh", [script])
            let counts = try (0..<5).map { number in
                var maker = maker
                maker.name = "backup-\(number).tar.zst"
                let file = try maker.make { _, _ in }.file
                return try Self.verify(file, in: scratch).databases.compactMap(\.messages).first ?? 0
            }
            _ = try scratch.write("stop", "")
            try await writing
            #expect(counts == counts.sorted() && counts.allSatisfy { $0 % 2 == 1 }, "\(counts)")
        }
    }

    @Test("a second backup of the same state waits for nobody: it is told that the first is under way")
    func busy() async throws {
        try await Scratch.with { scratch in
            let maker = try await Self.maker(in: scratch)
            let lock = try HeldLock("\(scratch.path)/state/backup.lock")
            #expect(throws: BackupError.busy(maker.state)) { try maker.make { _, _ in } }
            withExtendedLifetime(lock) {}
        }
    }

    @Test("a program that dies on the way is told of, and no file is left")
    func deadProgram() async throws {
        try await Scratch.with { scratch in
            // age refuses a recipient that is none.
            let maker = try await Self.maker(in: scratch, encryption: .recipients(["age1nobody"]), name: "b.age")
            #expect {
                try maker.make { _, _ in }
            } throws: { error in
                guard case .program("age", let words) = error as? BackupError else { return false }
                return words.contains("age1nobody")
            }
            #expect(BackupFolder(scratch.path).items().isEmpty)
            #expect(!Tree.exists("\(scratch.path)/b.age") && !Tree.exists("\(scratch.path)/\(PackedFile.temporaryPrefix)\(getpid())"))
            #expect(!Tree.exists("\(scratch.path)/state/\(Snapshot.folderName)"))
        }
    }

    @Test("a database that is not sound is found, though every checksum fits")
    func unsoundDatabase() async throws {
        try await Scratch.with { scratch in
            let maker = try await Self.maker(in: scratch)
            let path = "\(scratch.path)/state/prosody/prosody.sqlite"
            // The first page of the second table: its kind of page is none.
            let file = try Descriptor.open(path, O_RDWR)
            var nonsense = [UInt8](repeating: 0xEE, count: 16)
            #expect(pwrite(file.number, &nonsense, nonsense.count, 4096) == 16)
            let made = try maker.make { _, _ in }.file
            #expect {
                try Self.verify(made, in: scratch)
            } throws: { error in
                guard case .damaged(_, .database("state/prosody/prosody.sqlite", _)) = error as? BackupError else { return false }
                return true
            }
        }
    }

    @Test("a newer format is refused by its number, and what is no backup by its name")
    func others() async throws {
        try await Scratch.with { scratch in
            #expect(throws: BackupError.tooNew("x", format: 2)) { try BackupAbout(json: Array(#"{"format":2,"new":true}"#.utf8), file: "x") }
            let text = try scratch.write("text", "hello")
            #expect(throws: BackupError.notABackup(text)) { try Self.verify(text, in: scratch) }
            try await scratch.succeed("/usr/bin/zstd", ["-q", text])
            #expect(throws: BackupError.self) { try Self.verify("\(text).zst", in: scratch) }
            #expect(throws: BackupError.noSuchFile("\(scratch.path)/none")) { try Self.verify("\(scratch.path)/none", in: scratch) }
            #expect(throws: BackupError.notAFile(scratch.path)) { try Self.verify(scratch.path, in: scratch) }
        }
    }

    @Test("an archive whose list does not fit is refused, though the file's own sum does")
    func forgedList() async throws {
        try await Scratch.with { scratch in
            _ = try scratch.write("content", "hello world")
            let archive = try ArchiveTests.write(scratch) {
                try $0.add(ArchiveTests.entry("state/a", size: 11), from: .open("\(scratch.path)/content", O_RDONLY))
            }
            var bytes = try ArchiveTests.contents(archive)
            let place = try #require(bytes.indices.first { bytes[$0...].starts(with: "hello world".utf8) })
            bytes[place] = UInt8(ascii: "j")
            let packed = try PackedFile(in: scratch.path, encryption: .none)
            try packed.write(bytes)
            _ = try packed.finish(as: "forged.tar.zst")
            let file = "\(scratch.path)/forged.tar.zst"
            #expect(throws: BackupError.damaged(file, .list)) { try Self.verify(file, in: scratch) }
        }
    }

    @Test("names tell domain and moment; the oldest of the scheduled ones go, and nothing else")
    func names() async throws {
        try await Scratch.with { scratch in
            let name = BackupFolder.name(domain: "chat.example.org", created: 1_795_734_533, isScheduled: true, isEncrypted: true)
            #expect(name == "snikket-chat.example.org-20261126T230853Z-auto.tar.zst.age")
            for day in 1...4 { _ = try scratch.write("snikket-chat.example.org-2026010\(day)T000000Z-auto.tar.zst", "") }
            let others = [
                name, "snikket-chat.example.org-20260101T000000Z.tar.zst", "snikket-other.example-20260101T000000Z-auto.tar.zst", "notes.txt",
                "snikket-chat.example.org-20261326T230853Z-auto.tar.zst", "snikket-x-99999999T999999Z.tar.zst",
            ]
            for other in others { _ = try scratch.write(other, "") }
            let folder = BackupFolder(scratch.path)
            #expect(folder.items().count == 7 && folder.items().first?.created == 1_795_734_533)
            try folder.prune(domain: "chat.example.org", keeping: 2)
            #expect(
                folder.items().map(\.file).sorted()
                    == ([others[0], others[1], others[2]] + ["snikket-chat.example.org-20260104T000000Z-auto.tar.zst"]).map {
                        "\(scratch.path)/\($0)"
                    }.sorted())
            #expect(Tree.exists("\(scratch.path)/notes.txt"))
        }
    }
}
