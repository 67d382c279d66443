import ArgumentParser
import CertificateStore
import OpenSSL

/// What a TLS endpoint serves.
struct Probe: Job {
    static let configuration = CommandConfiguration(
        commandName: "probe", abstract: "Look at the certificate that a server presents.")

    @Option(help: ArgumentHelp("Where to connect.", valueName: "addr:port"))
    var connect: String

    @Option(help: ArgumentHelp("The host name to ask for.", valueName: "name"))
    var name: String

    @Option(help: ArgumentHelp("Ask for TLS in an XMPP stream first: xmpp-client or xmpp-server.", valueName: "protocol"), transform: startTLS)
    var starttls: StartTLS?

    @Option(help: ArgumentHelp("The XMPP domain to ask for in the stream, when it is not --name (an internationalised one).", valueName: "domain"))
    var stream: String?

    @Option(help: ArgumentHelp("Roots to trust instead of the system's, PEM.", valueName: "file"))
    var caBundle: String?

    @Option(help: ArgumentHelp("How long to wait.", valueName: "seconds"))
    var timeout = 10

    func execute() async throws(CertificateFailure) {
        _ = try validated([name])
        if let stream, stream.contains(where: { "<>&'\"".contains($0) }) {
            throw CertificateFailure(
                kind: .configuration, error: "--stream \(stream) is no domain", cause: "it holds a character that no domain has", try: "give a domain"
            )
        }
        do {
            let served = try probe(
                address: connect, name: name.lowercased(), startTLS: starttls, stream: stream, roots: caBundle, seconds: min(max(timeout, 1), 600))
            emit(.probed(record: served.certificate.record, refusal: served.refusal))
        } catch {
            throw CertificateFailure(describing: error, address: connect)
        }
    }
}

private func startTLS(_ text: String) throws -> StartTLS {
    guard let value = StartTLS(rawValue: text) else { throw ValidationError("Give xmpp-client or xmpp-server.") }
    return value
}
