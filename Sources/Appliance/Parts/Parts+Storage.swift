import ChatServer
import Health
import Settings
import Supervision

extension Parts {
    /// The matter of what cannot be kept.
    static let storage = "storage"

    /// How long the chat server may take to keep something.
    private static let patience = Duration.seconds(5)

    /// Looks again and again whether what people write and send can be kept, and tells the administrators when it cannot. Never returns by itself.
    func watchStorage() async throws {
        var watch = StorageWatch()
        while true {
            try await Task.sleep(for: watch.pause, tolerance: .seconds(1))
            let disk = DiskSpace(of: locations.state)
            let isReadOnly = disk?.isReadOnly ?? false
            watch.note(isReadOnly ? nil : await storageFaults(), readOnly: isReadOnly ? locations.state : nil)
            await tell(of: watch.problem, isFull: disk.map { $0.alarm > 1 } ?? false)
        }
    }

    /// nil when nothing is known: a chat server that does not answer is looked after otherwise.
    private func storageFaults() async -> [String]? {
        guard await serving().contains(.prosody) else { return nil }
        var faults: [String]?
        try? await probes.timed(Service.prosody.rawValue, "storage") {
            do throws(ChatServerError) {
                faults = try await chat.storageFaults(within: Self.patience)
            } catch .unexpected(let status, _) {
                faults = ["it answered with the HTTP status \(status)"]
            }
            if let faults, !faults.isEmpty { throw NotKept(description: faults.joined(separator: "; ")) }
        }
        return faults
    }

    /// - Parameter isFull: whether the disk is full: that is told of by itself.
    private func tell(of problem: StatusReport.ProblemReport?, isFull: Bool) async {
        let wasBroken = isBroken
        guard let problem else {
            matters.close(Self.storage)
            if wasBroken { say.progress("what people write and send can be kept again") }
            return await messages.tell(Self.storage, level: 0, "What people on \(settings.domain) write and send can be kept again.")
        }
        matters.open(Self.storage, problem)
        if !wasBroken { say.problem(problem) }
        if isFull { return }
        await messages.tell(
            Self.storage, level: 1,
            """
            What people on \(settings.domain) write and send cannot be kept: it comes back to them, or is lost.
            What is wrong: \(problem.cause ?? "it is not known").
            What to do: look at the server's disk (`dmesg`), at who may write where, and at `snikket logs prosody`. Nothing is started again for it.
            """)
    }

    /// Whether what people write and send cannot be kept.
    var isBroken: Bool { matters.all.contains { $0.matter == Self.storage } }
}

/// What could not be kept, in words.
private struct NotKept: Error, CustomStringConvertible {
    var description: String
}
