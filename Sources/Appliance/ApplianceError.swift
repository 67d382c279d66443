public import DurableFiles

/// Why the appliance could not start or go on.
public enum ApplianceError: Error, Equatable {
    /// A user that the installation makes does not exist.
    case missingUser(String)
    /// The state directory's path is too long for the sockets in it.
    case pathTooLong(String)
    /// Root lacks a capability (capabilities(7)) that it needs to give each server a user of its own.
    case missingCapability(String)
    /// A file or folder could not be made or changed.
    case file(FileError)
    /// Another `snikket up` uses the same state directory; its number is not known when it has only just started.
    case alreadyRunning(state: String, process: Int?)
    /// Containers use the same state directory.
    case containersRun(state: String)
    /// A restore was interrupted while it put things in place: the state is neither the old one nor the new one.
    case restoreUnfinished(state: String)
    /// Another program uses a port.
    case portTaken(port: Int, name: String, owner: String?)
    /// A port is too low for whoever runs this.
    case portForbidden(port: Int, name: String)
    /// `snikket-certs` is not where it has to be.
    case missingProgram(path: String)
    /// A container is to run a server that the settings switch off.
    case switchedOff(String)
    /// The state has to be changed for this version, and something still uses it.
    case olderContainersRun(state: String)
    /// A container's image is of another version than the program that has rendered it: the versions of their states, the latter's if it is known.
    case renderedByOlder(found: Int?, needed: Int)
    /// Nothing answers on the control socket.
    case notRunning(socket: String)
    /// Something runs, and its control socket is not there.
    case withoutSocket(socket: String, process: Int)
    /// The control socket is another user's.
    case notPermitted(socket: String)
    /// The running appliance does not do what it was asked to.
    case refused(StatusReport.ProblemReport)
    /// It tried what it was asked to, and everything is as it was before.
    case failed(StatusReport.ProblemReport)
    /// The settings are wrong; nothing has changed.
    case wrongSettings(StatusReport.ProblemReport)
    /// Somebody has the control socket, and does not answer in time, or not as expected.
    case noAnswer(socket: String)
}
