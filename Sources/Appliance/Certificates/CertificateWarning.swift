import CertificateStore
import Settings

/// When administrators have to hear of a certificate that is not renewed.
struct CertificateWarning: Equatable {
    /// 0: nothing to tell; 1: renewal has failed for three days; 2, 3, 4: seven, three, one day before the end.
    var level: Int
    var text: String

    private static let day = 86_400

    /// - Parameters:
    ///   - isOwn: whether it is the person who renews it.
    ///   - now: seconds since 1970.
    init(of record: CertificateRecord, attempts: AttemptState, isOwn: Bool, domain: String, now: Int) {
        let left = record.notAfter - now
        let isFailing = attempts.failures > 0
        // One that lives for six days is always close to its end.
        let isNear = isFailing || (isOwn && left < (record.notAfter - record.notBefore) / 3)
        level =
            switch left {
            case ...Self.day where isNear: 4
            case ...(3 * Self.day) where isNear: 3
            case ...(7 * Self.day) where isNear: 2
            default: isFailing && now - (attempts.firstFailure ?? now) >= 3 * Self.day ? 1 : 0
            }
        guard level > 0 else {
            text = "The certificate of \(domain) is well again: it is good until \(RFC3339.text(record.notAfter).prefix(10))."
            return
        }
        let days = left / Self.day
        let end = left <= 0 ? "It has ended" : days < 1 ? "It ends in less than a day" : days == 1 ? "It ends in a day" : "It ends in \(days) days"
        var lines = [
            "The certificate of \(domain) could not be renewed. \(end), on \(RFC3339.text(record.notAfter).prefix(10)); then no app will connect any more."
        ]
        if isOwn, !isFailing { lines = ["The certificate of \(domain) has to be replaced. \(end), on \(RFC3339.text(record.notAfter).prefix(10))."] }
        if let problem = attempts.lastError {
            lines.append("What is wrong: \(problem.error)\(problem.cause.map { " (\($0))" } ?? "").")
            if let advice = problem.try { lines.append("What to do: \(advice).") }
        }
        lines.append("More is told by `snikket certificate show` on the server.")
        text = lines.joined(separator: "\n")
    }
}

extension Parts {
    /// Tells the administrators by chat when nobody but them can help.
    func warnAdministrators() async {
        guard let warning = await keeper.warning() else { return }
        await messages.tell("certificate", level: warning.level, warning.text)
    }
}

extension CertificateKeeper {
    /// nil when there is no certificate: then no chat server runs that could tell.
    func warning() -> CertificateWarning? {
        guard let record = (try? usable())?.record else { return nil }
        return CertificateWarning(of: record, attempts: attempts, isOwn: settings.certificates.isOwn, domain: settings.domain, now: now())
    }
}
