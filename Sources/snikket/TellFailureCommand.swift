import Appliance
import ArgumentParser
import DurableFiles
import Glibc
import Settings

/// `snikket tell-failure`: nobody else is there any more who could. systemd runs it (`snikket-failed.service`); people do not.
struct TellFailureCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "tell-failure", abstract: "Send the e-mail that the service has ended for good (run by systemd).", shouldDisplay: false)

    @OptionGroup var common: CommonOptions

    /// Without settings for e-mail that can be read nothing is to be done, and that is no failure.
    func execute() async throws {
        guard let bytes = try? File.read(common.config), let settings = Settings(salvagedFrom: String(decoding: bytes, as: UTF8.self)) else { return }
        let accounts = geteuid() == 0 ? try Accounts.installed() : .own
        let notice = EndNotice(settings: settings, programs: try programFolder(), accounts: accounts)
        let reason = reason()
        guard try await notice.send(error: reason.error, cause: reason.cause, tryThis: reason.tryThis) else { throw ExitCode.failure }
    }

    /// Nearly always it is the settings: `snikket up` has said what it is, to a journal that nobody reads.
    private func reason() -> Failure {
        do {
            _ = try readSettings(file: common.config)
            return Failure(error: "it has said why in the journal", tryThis: "sudo journalctl -u snikket -n 50")
        } catch {
            return Failure(describing: error)
        }
    }
}
