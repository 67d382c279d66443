import Appliance
import DurableFiles
import ServerConfigs

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
        case .missingCapability(let name):
            self.init(
                error: "root has no \(name) here", cause: "it takes that to give each server a user of its own",
                tryThis: "start it with the unit that install.sh makes, or as another user than root")
        case .switchedOff(let name):
            self.init(
                error: "\(name) is switched off in the settings", cause: "a container is to run it all the same",
                tryThis: "remove it: `docker compose up -d --remove-orphans`, or its unit's file and `systemctl daemon-reload`", code: .configuration)
        case .olderContainersRun(let state):
            self.init(
                error: "the version before is still running", cause: "this one has to change files in \(state)",
                tryThis: "stop it (`docker compose down`), run this again, and start the new one", code: .tryAgainLater)
        case .renderedByOlder(let found, let needed):
            self.init(
                error: "this image is newer than what was rendered for it",
                cause: "it needs version \(needed) of the state, and finds \(found.map(String.init) ?? "none")",
                tryThis: "run `snikket render --target compose` of the new version, as for the first start", code: .configuration)
        case .file(let error):
            self.init(
                error: "cannot use \(error.path)", cause: error.words,
                tryThis: error.advice(otherwise: "start as root, or pass --state with a folder of your own"))
        case .alreadyRunning(let state, let process):
            let number = process.map { " (process \($0))" } ?? ""
            self.init(
                error: "it is running already", cause: "another `snikket up`\(number) uses \(state)",
                tryThis: "look at `snikket status`, or stop the other one first")
        case .containersRun(let state):
            self.init(
                error: "it is running in containers already", cause: "they use \(state)",
                tryThis: "leave it to them: systemctl disable --now snikket; or stop them first: docker compose down, in \(state)/containers",
                code: .configuration)
        case .restoreUnfinished(let state):
            self.init(
                error: "a restore has not come to its end", cause: "it was interrupted while it put things in place in \(state)",
                tryThis: "run `snikket restore FILE` with the same backup again: it finishes that", code: .configuration)
        case .portTaken(let port, let name, let owner):
            self.init(
                error: "port \(port) (\(name)) is in use", cause: owner.map { "\($0) listens on it" } ?? "another program listens on it",
                tryThis: Self.advice(onPortOf: owner, isWeb: name == "HTTP" || name == "HTTPS"))
        case .portForbidden(let port, let name):
            self.init(
                error: "port \(port) (\(name)) is not for this user",
                cause: "only root, or who has CAP_NET_BIND_SERVICE, may listen on a port so low",
                tryThis: "run it with sudo, or with --ports-from 8000", code: .configuration)
        case .missingProgram(let path):
            self.init(error: "\(path) is missing", cause: "it belongs beside the program `snikket`", tryThis: "install snikket again")
        case .pathTooLong(let path):
            self.init(
                error: "the state directory's path is too long", cause: "a socket's path has at most 107 bytes: \(path)",
                tryThis: "choose a shorter --state")
        case .notPermitted(let socket):
            self.init(error: "this user may not ask snikket", cause: "permission denied: \(socket)", tryThis: "run the command with sudo")
        case .refused(let problem):
            self.init(error: problem.error, cause: problem.cause, tryThis: problem.tryThis, code: .tryAgainLater)
        case .failed(let problem): self.init(error: problem.error, cause: problem.cause, tryThis: problem.tryThis)
        case .wrongSettings(let problem):
            self.init(error: problem.error, cause: problem.cause, tryThis: problem.tryThis, code: .configuration)
        case .noAnswer(let socket):
            self.init(
                error: "snikket does not answer", cause: "something has \(socket), and gives no status", tryThis: "try again in a moment",
                code: .tryAgainLater)
        case .withoutSocket(let socket, let process):
            self.init(
                error: "snikket cannot be asked now", cause: "process \(process) uses its state, and nothing answers on \(socket)",
                tryThis: "try again in a moment; a running snikket makes the socket anew when somebody has removed it", code: .tryAgainLater)
        case .notRunning(let socket):
            self.init(
                error: "snikket is not running here", cause: "nothing answers on \(socket)",
                tryThis: "systemctl start snikket, or check --state")
        }
    }
}

extension Failure {
    /// What to do about a program that has a port of ours.
    private static func advice(onPortOf owner: String?, isWeb: Bool) -> String {
        guard let owner else { return "`sudo ss -lptn` names it: stop it, or set another port in snikket.conf" }
        guard isWeb, let front = FrontServer(program: String(owner.prefix { $0 != " " })) else {
            return "stop that program, or set another port in snikket.conf"
        }
        return
            "let it pass our names on: `sudo snikket render --target proxy=\(front.rawValue)` says how; or stop it, or set another port in snikket.conf"
    }
}
