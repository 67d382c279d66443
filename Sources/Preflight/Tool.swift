internal import Subprocess
internal import SystemPackage

/// A program of the system that only shows something.
enum Tool {
    /// What it printed, when it ended well within these seconds; nil otherwise.
    static func output(of program: String, _ arguments: [String], seconds: Int = 3) async -> String? {
        await withTaskGroup(of: String?.self) { group in
            group.addTask {
                let result = try? await Subprocess.run(
                    .path(FilePath(program)), arguments: Arguments(arguments), input: .none, output: .string(limit: 8 << 20), error: .discarded)
                guard let result, result.terminationStatus.isSuccess else { return nil }
                return result.standardOutput
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(seconds))
                return nil
            }
            // Whichever is first; the other one is cancelled, and with it the program.
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }
}
