import ACME
import ArgumentParser
import CertificateStore
import Curl
import FoundationEssentials
import Glibc

/// An e-mail to whoever administers the service. It is here because this is the program that links libcurl.
struct MailCommand: Job {
    static let configuration = CommandConfiguration(
        commandName: "mail", abstract: "Hand a message to a mail server; a JSON object on standard input says which.")

    func execute() async throws(CertificateFailure) {
        guard let job = try? JSONDecoder().decode(MailJob.self, from: Data(try read("-", what: "message"))) else {
            throw CertificateFailure(
                kind: .configuration, error: "standard input holds no message", cause: "it has to be one JSON object, as snikket writes it",
                try: "reinstall snikket, when it was snikket that asked")
        }
        // A line end would begin another command or header field.
        guard [job.from, job.to, job.subject].allSatisfy({ $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }) else {
            throw CertificateFailure(
                kind: .configuration, error: "an address or subject holds a control character", cause: "a line end would begin another field",
                try: "leave that out")
        }
        var mail = Mail(server: job.server, from: job.from, to: job.to, message: wireFormat(of: job))
        (mail.user, mail.password, mail.requiresTLS, mail.verifies) = (job.user, job.password, job.requiresTLS, job.verifies)
        do throws(TransportError) {
            try mail.send()
        } catch {
            throw CertificateFailure(
                kind: error.kind == .setup ? .configuration : .unreachable, error: "the mail server did not take the message",
                cause: "\(job.server): \(error.text)", try: "check SNIKKET_SMTP_URL")
        }
        emit(.mailed(to: job.to))
    }
}

/// The message (RFC 5322, RFC 2045), pure ASCII whatever the text is.
private func wireFormat(of job: MailJob) -> [UInt8] {
    let domain = job.from.split(separator: "@").last.map(String.init) ?? "localhost"
    let body = Data(job.text.utf8).base64EncodedString(options: [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed])
    let lines = [
        "From: <\(job.from)>", "To: <\(job.to)>", "Subject: \(encodedWords(job.subject))", "Date: \(mailDate(now()))",
        "Message-ID: <\(now()).\(getpid()).\(UInt32.random(in: 0...UInt32.max))@\(domain)>", "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64", "Auto-Submitted: auto-generated", "", body, "",
    ]
    return Array(lines.joined(separator: "\r\n").utf8)
}

/// RFC 2047: words of 45 bytes at most, none in the middle of a character.
private func encodedWords(_ text: String) -> String {
    var words: [[UInt8]] = [[]]
    for character in text {
        let bytes = Array(String(character).utf8.prefix(45))
        if words[words.count - 1].count + bytes.count > 45 { words.append([]) }
        words[words.count - 1] += bytes
    }
    return words.map { "=?utf-8?B?\(Data($0).base64EncodedString())?=" }.joined(separator: "\r\n ")
}

/// RFC 5322 §3.3, in UTC.
private func mailDate(_ seconds: Int) -> String {
    var time = time_t(seconds)
    var parts = tm()
    gmtime_r(&time, &parts)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let date = "\(days[Int(parts.tm_wday)]), \(parts.tm_mday) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900)"
    return "\(date) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) +0000"
}
