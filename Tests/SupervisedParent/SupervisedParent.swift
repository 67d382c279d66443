import Supervision
import SystemPackage

/// Supervises one program until it is killed, for the tests that kill it.
///
/// Arguments: the log folder, the parent-death signal's number, the program, its arguments. Prints `ready PID`.
@main
struct SupervisedParent {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count >= 3, let number = Int32(arguments[1]), let signal = ServiceSignal(rawValue: number) else { return }
        let service = SupervisedService(
            ServiceSpecification(
                name: "child", executable: arguments[2], arguments: Array(arguments.dropFirst(3)), parentDeathSignal: signal),
            sink: LogSink(folder: arguments[0], service: "child"))
        await withTaskGroup { group in
            group.addTask { await service.run() }
            try? await service.waitUntilReady(deadline: .seconds(20))
            let pid = await service.snapshot().pid ?? 0
            _ = try? FileDescriptor.standardOutput.writeAll("ready \(pid)\n".utf8)
        }
    }
}
