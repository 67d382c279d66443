import ChatServer
import DurableFiles
import FoundationEssentials
import Glibc
import ProsodyFixture
import Testing

@Suite("where the chat server listens")
struct ChatEndpointTests {
    @Test("what is written is read again, replaced as a whole, and for one user's eyes only")
    func roundTrip() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/" + ChatEndpoint.fileName
        #expect(try ChatEndpoint.read(from: path) == nil)
        // A leftover of a writer that was killed, readable for everybody.
        let leftover = "\(folder)/.\(ChatEndpoint.fileName).new-\(Int32.max)"
        try Data("half".utf8).write(to: URL(filePath: leftover))
        chmod(leftover, 0o644)
        for port in [5280, 40009] {
            let endpoint = ChatEndpoint(domain: "chat.test", port: port)
            try endpoint.write(to: path)
            #expect(try ChatEndpoint.read(from: path) == endpoint)
        }
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [ChatEndpoint.fileName])
    }

    @Test("a file of another form is malformed, a folder that is not there is the system's error")
    func errors() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/chat.json"
        try Data("{\"port\":\"x\"}".utf8).write(to: URL(filePath: path))
        #expect(throws: FileError.malformed(path)) { try ChatEndpoint.read(from: path) }
        #expect(throws: FileError(.write, folder + "/none/chat.json", errno: ENOENT)) {
            try ChatEndpoint(domain: "a", port: 1).write(to: folder + "/none/chat.json")
        }
    }
}
