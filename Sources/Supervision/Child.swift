import CLinux
import Glibc
import SystemPackage

/// A process that we started, in a session of its own. It is to be waited for with ``end(reading:)``.
struct Child: Sendable {
    /// Gets what is printed as it comes, on the launcher's thread.
    typealias Output = @Sendable (UnsafeRawBufferPointer) -> Void

    enum End: Sendable {
        case exited(status: Int32)
        case killed(signal: Int32)
    }

    /// Its number, which means nobody else before it is taken away.
    let pid: Int32
    private let launcher: Launcher

    /// Starts a process as a specification has it: its program, account, limits, environment and nothing else.
    ///
    /// - Parameters:
    ///   - mark: one more variable of its environment.
    ///   - input: what it reads; nil: nothing. Stays open here.
    ///   - keepsErrors: whether standard error is part of its output; it is thrown away otherwise.
    /// - Throws: why the program could not be begun: then there is no process.
    static func start(
        _ specification: ServiceSpecification, mark: String? = nil, input: Int32? = nil, keepsErrors: Bool = true, output: @escaping Output
    ) async throws(Errno) -> Child {
        let launcher = try Launcher.running()
        let environment = specification.environment.map { "\($0.key)=\($0.value)" } + (mark.map { [$0] } ?? [])
        let privileges = Privileges(for: specification)
        let started = await launcher.perform { table in
            Result { () throws(Errno) in
                try start(specification, privileges, environment, input: input, keepsErrors: keepsErrors, output, &table)
            }
        }
        return Child(pid: try started.get(), launcher: launcher)
    }

    private static func start(
        _ specification: ServiceSpecification, _ privileges: Privileges, _ environment: [String], input: Int32?, keepsErrors: Bool,
        _ take: @escaping Output, _ table: inout Launcher.Table
    ) throws(Errno) -> Int32 {
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard null >= 0 else { throw Errno(rawValue: errno) }
        defer { close(null) }
        let (reading, writing) = try Launcher.pipe()
        defer { close(writing) }
        _ = fcntl(reading, F_SETFL, O_NONBLOCK)
        var descriptor: Int32 = -1
        let pid = privileges.withProgram(
            specification.executable, arguments: specification.arguments, environment: environment, folder: specification.workingDirectory,
            descriptors: [input ?? null, writing, keepsErrors ? writing : null]
        ) { snikket_start($0, &descriptor) }
        guard pid > 0 else {
            close(reading)
            throw Errno(rawValue: -pid)
        }
        table.add(pid, descriptor: descriptor, output: reading, take)
        return pid
    }

    /// Waits for its end, without taking it away: until then its number can mean nobody else.
    func ended() async {
        await withCheckedContinuation { continuation in
            launcher.post { $0.tellOfEnd(of: pid, continuation) }
        }
    }

    /// Kills it and its whole process group. Only while it is not taken away.
    func killGroup() { kill(-pid, SIGKILL) }

    /// Takes the ended process away, with what it printed last.
    ///
    /// - Parameter limit: how many bytes may still be read: whoever is left of it may be printing without an end.
    func end(reading limit: Int = 1 << 20) async -> End {
        await ended()
        return await launcher.perform { $0.remove(pid, reading: limit) }
    }
}

extension Result where Failure == Errno {
    fileprivate init(_ body: () throws(Errno) -> Success) {
        do { self = .success(try body()) } catch { self = .failure(error) }
    }
}
