import DurableFiles
import Supervision
import SystemPackage

/// Supervises one program until it is killed or told to end, for the tests that do that, and for Benchmarks/supervision.
///
/// Arguments: the log folder, the parent-death signal's number, `--user=NUMBER` if the program is to run as another user, the program, its
/// arguments. Prints `ready PID`. However often the program ends, it is started again at once.
@main
struct SupervisedParent {
    static func main() async throws {
        var arguments = CommandLine.arguments.dropFirst()
        guard let logs = arguments.popFirst(), let number = arguments.popFirst().flatMap({ Int32($0) }),
            let signal = ServiceSignal(rawValue: number)
        else { return }
        var account: Account?
        if let user = arguments.first, user.hasPrefix("--user=") {
            account = UInt32(user.dropFirst("--user=".count)).map { Account(user: $0, group: $0) }
            arguments.removeFirst()
        }
        guard let program = arguments.popFirst() else { return }
        var specification = ServiceSpecification(
            name: "child", executable: program, arguments: Array(arguments), account: account, parentDeathSignal: signal,
            restart: RestartPolicy(firstPause: .zero, failedAfter: .max))
        specification.limits = ResourceLimits(openFiles: 1024, processes: 64)
        let service = SupervisedService(specification, sink: LogSink(folder: logs, service: "child"))
        await withTaskGroup { group in
            group.addTask { await service.run() }
            try? await service.waitUntilReady(deadline: .seconds(20))
            let pid = await service.snapshot().pid ?? 0
            _ = try? FileDescriptor.standardOutput.writeAll("ready \(pid)\n".utf8)
        }
    }
}
