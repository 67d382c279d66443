import Lifecycle
import Settings
import Synchronization

/// What administrators hear of a newer release of this program that has not come by itself: once of each version.
struct ReleaseNotice: Equatable {
    /// 1: there is one; 2: it mends a security problem of what is installed.
    var level: Int
    /// The version: another one is told of, whatever was waiting before.
    var versions: Set<String>
    var text: String

    init(of release: WaitingRelease, domain: String) {
        level = release.isSecurity ? 2 : 1
        versions = [release.version]
        let remedy =
            release.isHeld
            ? "look with `snikket status` what does not serve: the release comes by itself once everything does"
            : "`snikket upgrade` on the server says what is new, asks, and installs it"
        text = """
            snikket \(release.version) is there for the server of \(domain)\(release.isSecurity ? ", and mends security problems of what is installed" : "").
            What to do: \(remedy).
            """
    }
}

extension Parts {
    /// - Parameter release: what waits; nil when nothing does, or nobody wants to hear of it.
    func tell(of release: WaitingRelease?) async {
        waitingRelease.withLock { $0 = release }
        guard let notice = release.map({ ReleaseNotice(of: $0, domain: settings.domain) }) else {
            return await messages.tell("release", level: 0, "No release of snikket is waiting any more for the server of \(settings.domain).")
        }
        await messages.tell("release", level: notice.level, parts: notice.versions, notice.text)
    }
}
