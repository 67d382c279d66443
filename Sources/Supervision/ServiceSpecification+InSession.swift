import CLinux
import Glibc
public import SystemPackage

extension ServiceSpecification {
    /// Starts the program as a part of what we do: in our session, so that it can ask on our terminal and Ctrl-C reaches it, with descriptors of ours.
    /// It is killed when the thread ends that calls this, so nothing goes on working on what nobody waits for.
    ///
    /// - Parameter descriptors: what it has open, its standard input, output and error first; at most eight.
    /// - Returns: the process's number, which is to be waited for (waitpid(2)).
    /// - Throws: why the program could not be begun: then there is no process.
    public func startInSession(descriptors: [Int32]) throws(Errno) -> Int32 {
        var descriptor: Int32 = -1
        let pid = Privileges(for: self).withProgram(
            executable, arguments: arguments, environment: environment.map { "\($0.key)=\($0.value)" }, folder: workingDirectory,
            descriptors: descriptors, staysInSession: true
        ) { snikket_start($0, &descriptor) }
        guard pid > 0 else { throw Errno(rawValue: -pid) }
        close(descriptor)
        return pid
    }
}
