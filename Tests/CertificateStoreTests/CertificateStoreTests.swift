import CertificateStore
import DurableFiles
import Glibc
import SystemPackage
import Testing

@Suite("The certificate store")
struct CertificateStoreTests {
    @Test("an empty store has no certificate")
    func empty() throws {
        try withFolder { folder throws in
            #expect(try CertificateStore(folder: folder + "/none").current() == nil)
            #expect(try CertificateStore(folder: folder).current(covering: ["a.org"], now: 0) == nil)
        }
    }

    @Test("what is installed is current, and the one before is still readable; older ones are gone")
    func install() throws {
        try withFolder { folder throws in
            let store = CertificateStore(folder: folder)
            var stored: [CertificateStore.Stored] = []
            for serial in ["01", "02", "03"] {
                stored.append(try store.install(chain: Array("chain \(serial)".utf8), key: Array("key \(serial)".utf8), record: record(serial)))
            }
            #expect(try store.current() == stored[2])
            #expect(text(folder + "/fullchain.pem") == "chain 03")
            #expect(text(folder + "/privkey.pem") == "key 03")
            #expect(text(stored[1].privateKey) == "key 02")
            #expect(access(stored[0].privateKey, F_OK) != 0)
            var status = stat()
            #expect(stat(stored[2].privateKey, &status) == 0 && status.st_mode & 0o777 == 0o600)
        }
    }

    @Test("the same certificate can be installed again")
    func again() throws {
        try withFolder { folder throws in
            let store = CertificateStore(folder: folder)
            for _ in 1...3 { try store.install(chain: [1], key: [2], record: record("aa")) }
            #expect(try store.current()?.record == record("aa"))
        }
    }

    @Test("the one before is found by its serial, and the one before that is gone")
    func bySerial() throws {
        try withFolder { folder throws in
            let store = CertificateStore(folder: folder)
            #expect(try store.pair(serial: "01") == nil)
            for serial in ["01", "02", "03"] { try store.install(chain: [1], key: [2], record: record(serial)) }
            #expect(
                try ["01", "02", "03"].map { try store.pair(serial: $0)?.fullChain }
                    == [nil, "cert-02", "cert-03"].map { $0.map { "\(folder)/\($0)/fullchain.pem" } })
            #expect(try store.pair(serial: "03")?.record == store.current()?.record)
        }
    }

    @Test("plain files of another program stay a pair until they are replaced as one")
    func adoption() throws {
        try withFolder { folder throws in
            try File.write(Array("old chain".utf8), to: folder + "/fullchain.pem", mode: 0o644)
            try File.write(Array("old key".utf8), to: folder + "/privkey.pem", mode: 0o600)
            let store = CertificateStore(folder: folder)
            #expect(try store.current() == nil)
            try store.install(chain: Array("new chain".utf8), key: Array("new key".utf8), record: record("0b"))
            #expect(text(folder + "/fullchain.pem") == "new chain")
            #expect(text(folder + "/privkey.pem") == "new key")
            #expect(text(folder + "/cert-found/privkey.pem") == "old key")
        }
    }

    @Test("leftovers of a killed run are removed by the next, and were never current")
    func leftovers() throws {
        try withFolder { folder throws in
            let store = CertificateStore(folder: folder)
            try store.install(chain: [1], key: [2], record: record("01"))
            mkdir(folder + "/.new-1", 0o700)
            try File.write([9], to: folder + "/.new-1/privkey.pem", mode: 0o600)
            symlink("cert-99", folder + "/.current.new-1")
            #expect(try store.current()?.record.serial == "01")
            try store.install(chain: [3], key: [4], record: record("02"))
            #expect(access(folder + "/.new-1", F_OK) != 0 && Folder.names(in: folder).allSatisfy { !$0.contains("new") })
            #expect(try store.current()?.record.serial == "02")
        }
    }

    @Test("deploying copies both files, says whether they changed, and lets one group read them and change nothing")
    func deployment() throws {
        try withFolder { folder throws in
            let store = CertificateStore(folder: folder + "/store")
            let destination = folder + "/run/nginx/tls"
            let reader = Account(user: 61_190, group: getuid() == 0 ? 61_190 : getgid())
            let first = try store.install(chain: [1], key: [2], record: record("01"))
            #expect(try store.deploy(first, to: destination, reader: reader))
            #expect(try !store.deploy(first, to: destination, reader: reader))
            var status = stat()
            #expect(stat(destination + "/privkey.pem", &status) == 0 && status.st_mode & 0o777 == 0o640)
            #expect(status.st_uid == getuid() && status.st_gid == reader.group)
            let second = try store.install(chain: [3], key: [4], record: record("02"))
            #expect(try store.deploy(second, to: destination, reader: nil))
            #expect(text(destination + "/privkey.pem") == "\u{4}")
            #expect(stat(destination + "/privkey.pem", &status) == 0 && status.st_mode & 0o777 == 0o600 && status.st_uid == getuid())

            symlink(folder + "/elsewhere", folder + "/link")
            #expect(throws: StoreError.file(FileError(.write, folder + "/link", errno: ENOTDIR))) {
                try store.deploy(second, to: folder + "/link", reader: nil)
            }
        }
    }

    @Test("only one process at a time changes a store")
    func lock() throws {
        try withFolder { folder throws in
            let lock = try StoreLock(folder: folder)
            defer { extendLifetime(lock) }
            #expect(throws: StoreError.busy(path: folder)) { _ = try StoreLock(folder: folder) }
        }
    }

    @Test("a certificate is current only for names that it holds, and until it ends")
    func covering() throws {
        try withFolder { folder throws in
            let store = CertificateStore(folder: folder)
            var held = record("01")
            held.names = ["a.org", "*.b.org"]
            try store.install(chain: [1], key: [2], record: held)
            #expect(try store.current(covering: ["a.org", "x.b.org"], now: 5000) != nil)
            #expect(try store.current(covering: ["y.x.b.org"], now: 5000) == nil)
            #expect(try store.current(covering: ["a.org"], now: held.notAfter) == nil)
        }
    }

    @Test("renewal is due at two thirds of the life, at half of a short one, and earlier when spread")
    func renewal() {
        let long = CertificateRecord(names: [], issuer: "", serial: "", notBefore: 0, notAfter: 90 * 86400)
        #expect(long.renewalTime() == 60 * 86400)
        #expect(long.renewalTime(spread: 1) == Int(90 * 86400 * (2.0 / 3 - 0.05)))
        let short = CertificateRecord(names: [], issuer: "", serial: "", notBefore: 0, notAfter: 6 * 86400)
        #expect(short.renewalTime() == 3 * 86400)
    }
}

@Suite("Attempts")
struct AttemptTests {
    @Test("pauses grow, respect what the CA asked for, and survive on disk")
    func pauses() throws {
        try withFolder { folder throws in
            let store = CertificateStore(folder: folder)
            #expect(try store.attempts() == AttemptState())
            var state = AttemptState()
            let down = CertificateFailure(kind: .caDown, error: "down")
            state.failed(down, now: 1000)
            #expect(state.nextAttempt == 1060)
            state.failed(down, now: 2000)
            #expect(state.nextAttempt == 2120)
            for _ in 1...20 { state.failed(down, now: 3000) }
            #expect(state.nextAttempt == 3000 + 86400)
            state.failed(CertificateFailure(kind: .rateLimited, error: "slow down", retryAfter: 200_000), now: 4000)
            #expect(state.nextAttempt == 204_000)
            try store.save(state)
            #expect(try store.attempts() == state)
            state.succeeded(now: 5000)
            #expect(state == AttemptState(lastAttempt: 5000))
            // That another one could be had does not revoke the one before.
            state.toRevoke = "0a"
            state.succeeded(now: 6000)
            try store.save(state)
            #expect(try store.attempts().toRevoke == "0a")
            var validation = AttemptState()
            validation.failed(CertificateFailure(kind: .validation, error: "no"), now: 0)
            #expect(validation.nextAttempt == 1800)
        }
    }
}

extension AttemptTests {
    @Test(
        "a file with numbers that nobody could have written counts as none, or is made believable",
        arguments: [
            #"{"failures": 1, "firstFailure": -9223372036854775808}"#, #"{"failures": 9223372036854775807}"#,
            #"{"failures": -9223372036854775808, "nextAttempt": 9223372036854775807}"#,
            #"{"failures": 1, "authorities": {"https://ca.example": {"failures": 9223372036854775807, "nextAttempt": 0}}}"#,
            #"{"failures": 1, "renewal": {"serial": "01", "spread": 1e300, "nextLook": -9223372036854775808}}"#,
            #"{"failures": 1, "lastError": {"kind": "rateLimited", "error": "x", "retryAfter": 9223372036854775807}}"#,
        ])
    func unbelievable(_ text: String) throws {
        try withFolder { folder throws in
            let path = folder + "/attempts.json"
            #expect(access(folder, W_OK) == 0)
            try File.write(Array(text.utf8), to: path, mode: 0o600)
            var state = try CertificateStore(folder: folder).attempts()
            #expect((0...1_000_000).contains(state.failures))
            // None of these may trap.
            for failure in [state.lastError, CertificateFailure(kind: .caDown, error: "down", retryAfter: .max)].compactMap({ $0 }) {
                state.failed(failure, at: "https://ca.example", now: 5000)
                state.failed(failure, asking: ["https://ca.example", "https://other.example"], now: 5000)
            }
            #expect(try #require(state.nextAttempt) > 5000)
            _ = state.forgetFuture(now: 5000)
            _ = state.renewal?.time(of: record("01"))
        }
    }
}

@Suite("Events")
struct EventTests {
    @Test(
        "an event is one line and reads back",
        arguments: [
            CertificateEvent.progress(step: "order", name: nil), .progress(step: "challenges", name: "a.org"),
            .issued(record: record("01"), fullChain: "/x/fullchain.pem", privateKey: "/x/privkey.pem"),
            .failed(CertificateFailure(kind: .rateLimited, error: "a\nb", cause: "\"", try: nil, retryAfter: 7)),
            .probed(record: record("02"), refusal: "expired"), .inspected(record: record("03")),
        ])
    func lines(_ event: CertificateEvent) {
        #expect(!event.line.contains("\n"))
        #expect(CertificateEvent(line: event.line) == event)
    }

    @Test("what is no event is passed over", arguments: ["", "hello", "{}", #"{"event":"later"}"#])
    func others(_ line: String) {
        #expect(CertificateEvent(line: line) == nil)
    }
}

private func record(_ serial: String) -> CertificateRecord {
    CertificateRecord(names: ["a.org"], issuer: "Test", serial: serial, notBefore: 1000, notAfter: 10_000)
}

private func text(_ path: String) -> String? {
    guard let file = try? FileDescriptor.open(FilePath(path), .readOnly) else { return nil }
    defer { try? file.close() }
    var buffer = [UInt8](repeating: 0, count: 1000)
    let count = (try? buffer.withUnsafeMutableBytes { try file.read(into: $0) }) ?? 0
    return String(decoding: buffer.prefix(count), as: UTF8.self)
}

private func withFolder(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/snikket-store-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
    let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    defer { removeTree(folder) }
    try body(folder)
}

private func removeTree(_ path: String) {
    if unlink(path) == 0 { return }
    if let stream = opendir(path) {
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
            if name != ".", name != ".." { removeTree(path + "/" + name) }
        }
        closedir(stream)
    }
    rmdir(path)
}
