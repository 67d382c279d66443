import Supervision

extension Failure {
    /// Words for what a server did not do.
    init(_ error: SupervisionError) {
        switch error {
        case .notReady(let service, let state, let problem):
            self.init(
                error: "\(service) is not serving (\(state.name))", cause: problem.map { "it \($0)" },
                tryThis: "look at what it says: `snikket logs \(service)`", code: .tryAgainLater)
        case .notRunning(let service):
            self.init(
                error: "\(service) cannot read its files again", cause: "it is not running",
                tryThis: "look at `snikket status`", code: .tryAgainLater)
        case .cannotReload(let service):
            self.init(error: "\(service) cannot read its files again while it runs", tryThis: "restart it")
        case .cancelled:
            self.init(error: "stopped before it was done")
        }
    }

    /// Words for ports that others have, all at once.
    init(_ conflicts: [PortConflict]) {
        let owners = conflicts.map { conflict in
            let port = "\(conflict.wanted.transport.rawValue) port \(conflict.wanted.port)"
            return switch (conflict.process, conflict.pid) {
            case (let process?, let pid?): "\(port): \(process) (process \(pid))"
            case (_, let pid?): "\(port): process \(pid)"
            default: "\(port): a process of another user"
            }
        }
        self.init(
            error: conflicts.count == 1 ? "another program has a port that is needed" : "other programs have ports that are needed",
            cause: owners.joined(separator: ", "),
            tryThis: "stop them, or choose other ports in snikket.conf (SNIKKET_TWEAK_HTTP_PORT and the like)")
    }
}
