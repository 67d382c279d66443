import CertificateStore
import FoundationEssentials
import Glibc
import Settings
import Synchronization

/// An e-mail to the administrator's address, through the person's mail server. `snikket-certs` sends it: it is the one that links libcurl.
final class MailChannel: AdministratorChannel {
    private let server: MailServer
    private let settings: Settings
    private let program: CertificateProgram
    /// Not before this moment is it tried again, in seconds since 1970: a mail server is not to be asked every minute.
    private let nextAttempt = Mutex(0)

    init(server: MailServer, settings: Settings, program: CertificateProgram) {
        self.server = server
        self.settings = settings
        self.program = program
    }

    func tell(_ text: String) async -> Bool {
        guard nextAttempt.withLock({ $0 <= time(nil) || $0 > time(nil) + 900 }), let input = try? JSONEncoder().encode(mail(text)) else {
            return false
        }
        do {
            try await program.ask(.init(arguments: ["mail"], input: Array(input)), deadline: .seconds(90))
            return true
        } catch {
            nextAttempt.withLock { $0 = Int(time(nil)) + 900 }
            Announcer().problem(.init(error))
            return false
        }
    }

    private func mail(_ text: String) -> MailJob {
        let subject = text.split(whereSeparator: \.isNewline).first.map { String($0.prefix(120)) } ?? ""
        // Many servers take only mail from whoever logs in.
        let from = server.user.flatMap { $0.contains("@") ? $0 : nil } ?? settings.adminEmail
        return MailJob(
            server: server.address, user: server.user, password: server.password, requiresTLS: server.requiresTLS, verifies: server.verifies,
            from: from, to: settings.adminEmail, subject: "\(settings.siteName): \(subject)", text: text)
    }
}
