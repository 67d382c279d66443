internal import CertificateStore
internal import DurableFiles
internal import Glibc
internal import Settings

/// The certificate: whether there is one for every name, for how long, and what went wrong last.
struct CertificateCheck: Sendable {
    let settings: Settings
    let folder: String
    let isRunning: Bool
    var now = Int(time(nil))

    /// Both as far as they can be read.
    struct Facts: Sendable, Equatable {
        var record: CertificateRecord?
        var attempts = AttemptState()
        /// Whether nobody lets us look.
        var isHidden = false
    }

    func facts() -> Facts {
        let store = CertificateStore(folder: folder)
        var facts = Facts()
        do throws(StoreError) {
            facts.record = try store.current()?.record
            facts.attempts = try store.attempts()
        } catch {
            if case .file(let problem) = error { facts.isHidden = problem.errno == EACCES }
        }
        // A folder that may not be entered shows nothing, and says nothing.
        if facts.record == nil, access(folder, X_OK) != 0, errno == EACCES { facts.isHidden = true }
        return facts
    }

    func findings(_ facts: Facts) -> [Finding] {
        if facts.isHidden { return [Finding(.certificate, .yellow, "only root can look at the certificate", try: "sudo snikket check")] }
        return ownFiles() + [state(facts)] + failure(facts)
    }

    private func ownFiles() -> [Finding] {
        guard case .files(let chain, let key) = settings.certificates else { return [] }
        return [chain, key].compactMap { path in
            guard access(path, R_OK) != 0 else { return nil }
            return Finding(
                .certificate, .red, "\(path): \(errorText(errno))", try: "put your certificate there, or correct the option in snikket.conf")
        }
    }

    private func state(_ facts: Facts) -> Finding {
        guard let record = facts.record else {
            return Finding(.certificate, isRunning ? .yellow : .green, isRunning ? "there is no certificate yet" : "none yet: `snikket up` gets it")
        }
        guard record.covers(settings.certificateNames) else {
            let missing = settings.certificateNames.filter { !record.covers([$0]) }
            return Finding(.certificate, .yellow, "the certificate in use is not for \(listed(missing)): `snikket up` gets another one")
        }
        let days = (record.notAfter - now) / 86_400
        let what = "for all names, by \(record.issuer), \(days == 1 ? "one day" : "\(days) days") left"
        let remedy = isRunning ? "sudo snikket certificate renew" : "start snikket: it renews by itself"
        if record.notAfter <= now { return Finding(.certificate, .red, "the certificate has ended", try: remedy) }
        // Renewal begins long before.
        if record.notAfter - now < (record.notAfter - record.notBefore) / 10 { return Finding(.certificate, .yellow, what, try: remedy) }
        return Finding(.certificate, .green, what)
    }

    private func failure(_ facts: Facts) -> [Finding] {
        guard let error = facts.attempts.lastError else { return [] }
        let count = facts.attempts.failures
        return [
            Finding(
                .certificate, .yellow,
                "the last attempt to get one failed\(count > 1 ? " (\(count) in a row)" : ""): \(error.error)"
                    + (error.cause.map { ": \($0)" } ?? ""),
                try: error.try)
        ]
    }
}
