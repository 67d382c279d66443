import Appliance

extension ApplianceError: Explained {
    var explanation: Failure { Failure(self) }
}

extension Failure {
    /// Words for what the appliance could not do.
    init(_ error: ApplianceError) {
        switch error {
        case .missingUser(let name):
            self.init(
                error: "the user \(name) does not exist", cause: "every server runs as a user of its own, and the installation makes them",
                tryThis: "sudo ./install.sh DOMAIN EMAIL, or start as another user than root")
        case .file(let path, let problem):
            self.init(error: "cannot use \(path)", cause: problem, tryThis: "start as root, or pass --state with a folder of your own")
        case .alreadyRunning(let state):
            self.init(
                error: "it is running already", cause: "another `snikket up` uses \(state)",
                tryThis: "look at `snikket status`, or stop the other one first")
        case .portTaken(let port, let name, let owner):
            self.init(
                error: "port \(port) (\(name)) is in use", cause: owner.map { "\($0) listens on it" } ?? "another program listens on it",
                tryThis: "stop that program, or set another port in snikket.conf")
        case .missingProgram(let path):
            self.init(error: "\(path) is missing", cause: "it belongs beside the program `snikket`", tryThis: "install snikket again")
        case .noCertificate(let problem):
            self.init(error: problem.error, cause: problem.cause, tryThis: problem.tryThis)
        case .notReady(let service, let problem):
            self.init(error: "\(service) does not become ready", cause: problem, tryThis: "snikket logs \(service)")
        case .notRunning(let socket):
            self.init(
                error: "snikket is not running here", cause: "nothing answers on \(socket)",
                tryThis: "systemctl start snikket, or check --state")
        }
    }
}
