/// Why the appliance could not start or go on.
public enum ApplianceError: Error, Equatable {
    /// A user that the installation makes does not exist.
    case missingUser(String)
    /// A file or folder could not be made or changed.
    case file(path: String, problem: String)
    /// Another `snikket up` uses the same state directory.
    case alreadyRunning(state: String)
    /// Another program uses a port.
    case portTaken(port: Int, name: String, owner: String?)
    /// `snikket-certs` is not where it has to be.
    case missingProgram(path: String)
    /// No certificate, and there is nothing more to try by itself.
    case noCertificate(StatusReport.ProblemReport)
    /// A server did not become ready.
    case notReady(service: String, problem: String?)
    /// Nothing answers on the control socket.
    case notRunning(socket: String)
}
