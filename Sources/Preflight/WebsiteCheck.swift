internal import Glibc
internal import Settings
internal import Supervision

/// Whether the website that the domain already is leads here what it has to: apps that look for the chat server on the web (XEP-0156), and the
/// certificate authority, which has to be shown that the domain is ours too.
struct WebsiteCheck: Sendable {
    let settings: Settings
    var curl = "/usr/bin/curl"

    func findings() async -> [Finding] {
        guard settings.isDomainElsewhere, !settings.isLoopbackOnly else { return [] }
        async let challenge = challenge()
        async let description = description()
        return await [challenge, description].compactMap(\.self)
    }

    private var remedy: String {
        "put the lines that `sudo snikket render --target website=nginx` prints (or apache, or caddy) into the website's configuration"
    }

    /// RFC 8555 §8.3: an authority follows redirects.
    private func challenge() async -> Finding? {
        guard settings.certificates.isFromAuthority else { return nil }
        switch settings.challenge {
        case .dns: return nil
        case .tlsALPN:
            return Finding(
                .website, .red, "\(settings.domain) is another website, and SNIKKET_CHALLENGE=tls-alpn-01 needs its port 443",
                try: "set SNIKKET_CHALLENGE=http-01, or dns-01")
        case .http: break
        }
        let path = "/.well-known/acme-challenge/snikket-check"
        let answer = await fetch("http://\(settings.domain)\(path)")
        if answer.last.hasPrefix("http://\(settings.webHost)") || answer.last.hasPrefix("https://\(settings.webHost)")
            || answer.body == settings.webHost
        {
            return Finding(.website, .green, "\(settings.domain) leads the certificate authority's challenges to \(settings.webHost)")
        }
        return Finding(
            .website, .red, "\(settings.domain) does not lead the certificate authority's challenges to \(settings.webHost)",
            try: remedy + "; or set SNIKKET_CHALLENGE=dns-01")
    }

    /// XEP-0156 §3.
    private func description() async -> Finding? {
        let address = "https://\(settings.domain)/.well-known/host-meta"
        let answer = await fetch(address)
        let isOurs = answer.body.contains("wss://\(settings.webHost)")
        if isOurs { return Finding(.website, .green, "\(address) tells apps of \(settings.webHost)") }
        // As long as nothing runs here, it can only be seen to lead here.
        if answer.last.hasPrefix("https://\(settings.webHost)") {
            return Finding(.website, .green, "\(address) leads to \(settings.webHost)")
        }
        return Finding(
            .website, .yellow, "\(address) does not tell apps of \(settings.webHost): those on the web do not find the chat server", try: remedy)
    }

    /// What is there in the end, and where that is. A certificate that is not good is none.
    private func fetch(_ address: String) async -> (body: String, last: String) {
        let arguments = [
            "--silent", "--location", "--max-redirs", "5", "--max-time", "6", "--max-filesize", "65536", "--write-out", "\n%{url_effective}",
        ]
        // Where nothing listens yet, curl says so after it has been led there.
        let said =
            await Tool.output(of: "/bin/sh", ["-c", "\"$0\" \"$@\" || :", curl] + arguments + [address], environment: Self.wayOut, seconds: 7) ?? ""
        guard let end = said.lastIndex(of: "\n") else { return ("", "") }
        return (String(said[..<end]), String(said[said.index(after: end)...]))
    }

    /// What a person has said of the way to the web from here, and of whom to believe there (curl(1)).
    private static var wayOut: [String: String] {
        let names = [
            "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "CURL_CA_BUNDLE", "SSL_CERT_FILE",
            "SSL_CERT_DIR",
        ]
        return names.reduce(into: [:]) { found, name in
            if let value = getenv(name) { found[name] = String(cString: value) }
        }
    }
}
