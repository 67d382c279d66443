import ArgumentParser

/// A command of ours: throws ``Failure`` or a room's error, which end as three lines on standard error and an exit code.
protocol Command: AsyncParsableCommand {
    /// What the command does.
    func execute() async throws
}

extension Command {
    func run() async throws {
        do {
            try await execute()
        } catch let exit as ExitCode {
            throw exit
        } catch let failure as Failure {
            throw failure.report()
        } catch {
            throw Failure(describing: error).report()
        }
    }
}

/// A room's error that has words for people: each `Failure+ROOM.swift` says so of its own.
protocol Explained: Error {
    var explanation: Failure { get }
}

extension Failure {
    /// Words for whatever a room threw.
    init(describing error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as any Explained: self = error.explanation
        default: self.init(error: "something unexpected happened", cause: "\(error)", tryThis: "run `snikket logs` and report what it says")
        }
    }
}
