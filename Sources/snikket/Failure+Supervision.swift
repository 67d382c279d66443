import Supervision

extension SupervisionError: Explained {
    var explanation: Failure { Failure(self) }
}

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
            self.init(error: "\(service) cannot read its files again while it runs", cause: "it reads them at its start only", tryThis: "restart it")
        case .cancelled:
            self.init(error: "stopped before it was done", cause: "it was told to stop", tryThis: "run it again")
        }
    }
}
