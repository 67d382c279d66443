import ACME
import DurableFiles
import FoundationEssentials
import Glibc
import Synchronization

/// Keeps a note of the answers that are in place, so that the next run takes away what a killed one left: a file in a web root, a
/// record in DNS.
final class RememberedAnswers: ChallengeSolver {
    private let solver: any ChallengeSolver
    private let path: String
    private let answers: Mutex<[Answer]>

    private struct Answer: Codable, Equatable {
        var type: String
        var name: String
        var token: String
        var keyAuthorization: String
        var digest: [UInt8]
    }

    /// - Parameter folder: where the note is kept, of which this process has the lock.
    init(_ solver: any ChallengeSolver, in folder: String) {
        self.solver = solver
        path = folder + "/.answers.json"
        // A note that cannot be understood is none: what it would have named is only in the way, it harms nobody.
        let bytes = (try? File.readIfThere(path)) ?? nil
        answers = Mutex(bytes.flatMap { try? JSONDecoder().decode([Answer].self, from: Data($0)) } ?? [])
    }

    var type: String { solver.type }

    /// Takes away what an earlier run could not. Answers of another kind wait for a run that can.
    func removeLeftovers() async {
        let left = answers.withLock { $0 }
        for answer in left where answer.type == type {
            let found = ChallengeAnswer(
                name: answer.name, token: answer.token, keyAuthorization: answer.keyAuthorization, digest: answer.digest)
            await solver.remove(found)
            // Once: what cannot be taken away is not tried for ever.
            forget(found)
        }
    }

    func present(_ answer: ChallengeAnswer) async throws(ChallengeError) {
        answers.withLock { answers in
            answers.append(note(of: answer))
            keep(answers)
        }
        try await solver.present(answer)
    }

    func remove(_ answer: ChallengeAnswer) async -> Bool {
        let isGone = await solver.remove(answer)
        if isGone { forget(answer) }
        return isGone
    }

    private func forget(_ answer: ChallengeAnswer) {
        answers.withLock { answers in
            answers.removeAll { $0 == note(of: answer) }
            keep(answers)
        }
    }

    private func note(of answer: ChallengeAnswer) -> Answer {
        Answer(type: type, name: answer.name, token: answer.token, keyAuthorization: answer.keyAuthorization, digest: answer.digest)
    }

    /// Without the note a killed run leaves something in the way, and that is all: no reason to go without a certificate, or to wait for the disk.
    private func keep(_ answers: [Answer]) {
        if answers.isEmpty {
            unlink(path)
        } else if let data = try? JSONEncoder().encode(answers) {
            try? File.write(Array(data), to: path, mode: 0o600, flushing: false)
        }
    }
}
