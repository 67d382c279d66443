import DurableFiles
import Lifecycle

extension UpgradeError: Explained {
    var explanation: Failure { Failure(self) }
}

extension StateError: Explained {
    var explanation: Failure { Failure(self) }
}

extension Failure {
    /// Why there was no upgrade.
    init(_ error: UpgradeError) {
        switch error {
        case .notAPackage:
            self.init(
                error: "there is no package to upgrade", cause: "these programs were not installed from one",
                tryThis: "run the newer install.sh", code: .configuration)
        case .noReleases:
            self.init(
                error: "nobody says where releases come from", cause: "this package was not built for a release, and knows no key",
                tryThis: "install a release with its install.sh", code: .configuration)
        case .unreachable(let place, let words):
            self.init(
                error: "\(place) could not be fetched", cause: words, tryThis: "look at this machine's connection, and try again",
                code: .tryAgainLater)
        case .unsigned(let place):
            self.init(
                error: "the release at \(place) is not signed by its makers", cause: "somebody has changed it, or it was cut off on its way",
                tryThis: "install nothing from there; try again later")
        case .malformed(let place):
            self.init(
                error: "the release at \(place) is not understood", cause: "it has a form that this version does not know",
                tryThis: "run the newest install.sh")
        case .noPackage(let architecture, let offered):
            self.init(
                error: "there is no package for this machine",
                cause: "it is \(architecture), and the release has: \(offered.joined(separator: ", "))",
                tryThis: "wait for a release that has one")
        case .older(let installed, let offered):
            self.init(
                error: "snikket \(installed) is installed, and the release is \(offered)",
                cause: "an older one can have mistakes that are known", tryThis: "`snikket rollback` goes back to the version before the last upgrade"
            )
        case .altered(let file):
            self.init(
                error: "\(file) is not the one of the release",
                cause: "its checksum or its version is another: it was changed, or cut off on its way",
                tryThis: "try again later")
        case .noWayBack(let version):
            self.init(
                error: "there would be no way back", cause: "the package of \(version), or what it needs of the state, is nowhere to be had",
                tryThis: "make a backup, and install the new package with apt-get")
        case .nothingBefore:
            self.init(
                error: "there is no version to go back to", cause: "no upgrade has been made here, or it was taken back already",
                tryThis: "to have an older one all the same, install its package with apt-get")
        case .movedOn(let installed, let recorded):
            self.init(
                error: "the last upgrade is not what is installed", cause: "it was to \(recorded), and \(installed) is installed",
                tryThis: "install the package that you want with apt-get")
        case .underWay:
            self.init(
                error: "an upgrade is under way", cause: "it was begun before, and goes on by itself", tryThis: "`snikket upgrade` shows it",
                code: .tryAgainLater)
        case .busy:
            self.init(
                error: "another `snikket upgrade` is at work", cause: "it looks for a release, or has just ended an upgrade",
                tryThis: "try again in a minute", code: .tryAgainLater)
        case .changedMeanwhile(let installed, let expected):
            self.init(
                error: "something else was installed meanwhile",
                cause: "it was prepared for snikket \(expected), and now \(installed) is installed", tryThis: "run it again")
        case .packagesBusy:
            self.init(
                error: "other packages are being installed", cause: "apt or dpkg is at work, and has been for minutes",
                tryThis: "wait until it is done, and try again", code: .tryAgainLater)
        case .program(let name, let words):
            self.init(error: "\(name) did not do its part", cause: words, tryThis: "mend what it says, and try again")
        case .timedOut(let name, let seconds):
            self.init(
                error: "\(name) did not end in \(seconds) seconds", cause: "this machine is busy, or its disk hangs",
                tryThis: "look at what keeps this machine busy, and try again",
                code: .tryAgainLater)
        case .rehearsal(let words):
            self.init(error: "the new version does not work with these settings and this state", cause: words, tryThis: "report it, with these words")
        case .file(let error): self.init(error)
        }
    }

    /// Why a state cannot be used.
    init(_ error: StateError) {
        switch error {
        case .newer(let found, let known):
            self.init(
                error: "the state was made by a newer snikket", cause: "its version is \(found), and this snikket knows versions up to \(known)",
                tryThis: "install the newer snikket again; `snikket rollback` would have taken the state back, too", code: .configuration)
        case .busy(let state):
            self.init(
                error: "the state could not be put back", cause: "a server, a backup or a restore uses \(state)", tryThis: "wait until it is done",
                code: .tryAgainLater)
        case .migration(let version, let error):
            self.init(
                error: "the state could not be brought to version \(version)", cause: "\(error.path): \(error.words)",
                tryThis: error.advice(otherwise: "`snikket rollback` goes back"))
        case .file(let error): self.init(error)
        }
    }
}

extension UpgradeRecord {
    /// The step, as it is told while it is done.
    var words: String {
        switch step {
        case .waiting: "about to begin"
        case .backingUp: "making a backup"
        case .rehearsing: "trying \(new.version) with these settings and a copy of this state"
        case .installing: "installing \(new.version)"
        case .watching: "waiting until everything serves"
        case .goingBack: "going back to \(old.version)" + (reason.map { ": \($0)" } ?? "")
        case .done: "snikket \(new.version) is installed" + (wasRunning ? ", and everything serves" : "")
        case .wentBack: "snikket \(old.version) is back" + (isRollback ? "" : ", as it was")
        case .abandoned: "nothing was changed"
        }
    }

    /// What is going to be done, a line each.
    var plan: [String] {
        var lines: [String] = []
        if makesBackup { lines.append("a backup is made, in \(UpgradePlaces().backups)") }
        if !isRollback { lines.append("\(new.version) tries itself with the settings and with copies of what it would change in the state") }
        let version = isRollback ? old.version : new.version
        lines.append(
            "the package \(version) is installed"
                + (wasRunning ? ", and the service restarted: seconds in which apps wait" : "; the service does not run, and is not started"))
        if wasRunning, !isRollback {
            lines.append("if not everything serves within two minutes, \(old.version) comes back by itself, with its state")
        }
        return lines
    }

    /// - Throws: ``Failure`` when it did not end as wished.
    func judge() throws {
        let wished: Step = isRollback ? .wentBack : .done
        guard step != wished || reason != nil else { return }
        if step == .abandoned {
            throw Failure(
                error: isRollback ? "snikket \(new.version) stays" : "snikket \(new.version) was not installed", cause: reason,
                tryThis: "nothing was changed; mend that, and try again")
        }
        throw Failure(
            error: isRollback ? "snikket \(old.version) is back, and not well" : "snikket \(new.version) did not stay: \(old.version) is back",
            cause: reason,
            tryThis: isRollback ? "snikket status" : "report it, with these words and `journalctl -u snikket-upgrade -u snikket`")
    }
}
