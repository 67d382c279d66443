/// Where things lie on this machine. All paths are absolute.
public struct Locations: Sendable, Equatable {
    /// The settings: /etc/snikket/snikket.conf.
    public var configuration: String
    /// What has to survive: /var/lib/snikket.
    public var state: String
    /// What is rendered anew at each start: /run/snikket, or `run` in the state directory when that is not the default one.
    public var run: String
    /// The templates that came with the program.
    public var templates: String

    public init(configuration: String, state: String, run: String, templates: String) {
        self.configuration = configuration
        self.state = state
        self.run = run
        self.templates = templates
    }

    /// The chat server's data: owned by its user.
    public var prosodyData: String { state + "/prosody" }
    /// Certificates, and the internal authority: owned by the certificate program's user.
    public var certificates: String { state + "/certificates" }
    /// The ACME accounts: owned by the certificate program's user.
    public var acme: String { state + "/acme" }
    /// The portal's own state: owned by its user.
    public var portal: String { state + "/portal" }
    /// Generated secrets: root only, 0700, each file 0600.
    public var secrets: String { state + "/secrets" }
    /// What the servers printed, one file each.
    public var logs: String { state + "/logs" }
    /// Where a server's rendered files and its copy of the certificate lie: `run/NAME`.
    public func run(of service: Service) -> String { "\(run)/\(service.rawValue)" }
    /// What a server writes itself while it runs: sockets, temporary files. This folder is its user's own; everything else in
    /// ``run(of:)`` belongs to whoever runs `snikket up`, so that no server can lead us astray with links.
    public func work(of service: Service) -> String { run(of: service) + "/work" }
    /// Where http-01 challenges are put and nginx looks for them (RFC 8555 §8.3). The folder itself is what is
    /// served as `/.well-known/acme-challenge/`.
    public var challenges: String { run + "/acme-challenge" }
    /// The folder of the socket on which the certificate program answers tls-alpn-01 challenges (RFC 8737): its user's own, and nginx's to enter.
    public var responder: String { run + "/acme-tls" }
    /// That socket; there only while a certificate is being asked for.
    public var responderSocket: String { responder + "/socket" }
    /// The control socket of `snikket up`, in a folder that only its user can enter.
    public var controlSocket: String { control + "/socket" }
    /// The folder of the control socket.
    public var control: String { run + "/control" }
    /// The chat server's HTTP socket, where servers are in containers of their own and cannot share a loopback.
    public var chatSocket: String { work(of: .prosody) + "/http.sock" }
    /// The portal's HTTP socket, behind nginx.
    public var portalSocket: String { work(of: .portal) + "/portal.sock" }
}
