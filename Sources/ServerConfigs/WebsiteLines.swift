import Settings
import Templates

extension ServerFacts {
    /// What belongs into the configuration of the website that the domain is already (``Settings/isDomainElsewhere``).
    ///
    /// - Parameter server: one that serves websites (``FrontServer/isForWebsites``).
    /// - Throws: ``ServerConfigsError/template(_:)``, ``ServerConfigsError/file(_:)``.
    public func lines(forWebsiteOf server: FrontServer) throws(ServerConfigsError) -> String {
        let port = settings.publicHTTPPort == 80 ? "" : ":\(settings.publicHTTPPort)"
        let values: [String: Value] = [
            "domain": .text(settings.domain),
            "hostMeta": .text(settings.webURL + "/.well-known/host-meta"),
            "hostMetaJSON": .text(settings.webURL + "/.well-known/host-meta.json"),
            // Without TLS, as the authority asks.
            "challengeOrigin": .text("http://\(settings.webHost)\(port)"),
        ]
        let (file, format): (String, Format) =
            switch server {
            case .apache: ("apache.conf", .word)
            case .caddy: ("Caddyfile", .word)
            default: ("nginx.conf", .nginx)
            }
        return try locations.render(template: "proxy/website-\(file).template", format, values, leavingOut: true)
    }
}
