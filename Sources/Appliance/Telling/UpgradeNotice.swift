import Lifecycle
import Settings

/// What administrators hear of upgrades that are waiting.
struct UpgradeNotice: Equatable {
    /// 0: nothing is waiting; 1: something is; 2: something that mends a security problem is.
    var level: Int
    /// The packages and versions that mend security problems, or may: another one of these is told of, whatever was waiting before.
    var forSecurity: Set<String>
    var text: String

    init(of upgrades: [PendingUpgrade], domain: String) {
        forSecurity = Set(upgrades.filter { $0.isSecurity || $0.isBackport }.map { "\($0.package) \($0.available)" })
        level = upgrades.isEmpty ? 0 : upgrades.contains(where: \.isSecurity) ? 2 : 1
        guard level > 0 else {
            text = "\(domain) is up to date again: no upgrade is waiting."
            return
        }
        let rows = upgrades.map {
            "\($0.package) \($0.available) (now \($0.installed))\($0.isSecurity ? ", for security" : $0.isBackport ? ", perhaps for security" : "")"
        }
        text = """
            An upgrade is waiting on the server of \(domain)\(level == 2 ? ", which mends security problems" : ""): \(rows.joined(separator: "; ")).
            What to do: `apt upgrade` on the server. Each server that it concerns is then started again by itself.
            """
    }
}

extension Parts {
    /// Looks once a day whether an upgrade is waiting, and tells the administrators. Never returns by itself.
    func watchForUpgrades() async throws {
        // Not while everything else is starting: apt takes some seconds of processor time.
        try await Task.sleep(for: .seconds(600))
        while true {
            if settings.checksForUpdates, PackageManager.isThere {
                do throws(LifecycleError) {
                    let upgrades = try await PackageManager(account: accounts.certificates).pendingUpgrades()
                    let notice = UpgradeNotice(of: upgrades, domain: settings.domain)
                    await messages.tell("upgrade", level: notice.level, parts: notice.forSecurity, notice.text)
                } catch {
                    // The machine's package manager is the administrator's: whoever works with it sees what it has.
                    say.progress("whether an upgrade is waiting could not be found out: \(error)")
                }
            }
            try await Task.sleep(for: .seconds(86_400))
        }
    }
}
