import ACME
import ArgumentParser
import Curl
import OpenSSL

/// Whether and where to look for an answer before the CA is asked.
struct SelfCheckOptions: ParsableArguments {
    @Flag(
        inversion: .prefixedNo, exclusivity: .chooseLast,
        help:
            "Look at the challenges before the CA is asked. With --ca-bundle only when asked for: a private CA may see other names than this machine."
    )
    var selfCheck: Bool?

    @Option(help: ArgumentHelp("The port where the CA looks, for the self-check of http-01; 80 unless the CA is a test.", valueName: "port"))
    var httpPort: Int?

    @Option(help: ArgumentHelp("The same for tls-alpn-01; 443 unless the CA is a test.", valueName: "port"))
    var tlsPort: Int?

    @Option(
        name: .customLong("resolve"),
        help: ArgumentHelp(
            "For the self-check: the CA finds NAME, one to certify or a DNS server, at this address and port; repeated.", valueName: "name:port:addr")
    )
    var resolutions: [String] = []

    @Option(help: ArgumentHelp("The resolver that finds the DNS servers for the self-check of dns-01, and CAA records.", valueName: "addr[:port]"))
    var dnsResolver: String?

    @Option(help: ArgumentHelp("How long to wait until every DNS server has the record, for the self-check of dns-01.", valueName: "seconds"))
    var dnsPatience = 120

    func validate() throws {
        for (name, port) in [("--http-port", httpPort), ("--tls-port", tlsPort)] {
            if let port, !(1...65535).contains(port) { throw ValidationError("\(name) has to be between 1 and 65535.") }
        }
        for text in resolutions where Resolution(text) == nil {
            throw ValidationError("'\(text)' is not NAME:PORT:ADDR.")
        }
        if let dnsResolver, Resolution("resolver:53:" + dnsResolver) == nil, endpoint == nil {
            throw ValidationError("'\(dnsResolver)' is no address with a port.")
        }
        guard dnsPatience >= 0 else { throw ValidationError("--dns-patience cannot be negative.") }
    }

    /// The resolver with its port; nil when none was given.
    private var endpoint: String? {
        guard let dnsResolver else { return nil }
        if let alone = Resolution("resolver:53:" + dnsResolver) {
            return alone.address.contains(":") ? "[\(alone.address)]:53" : "\(alone.address):53"
        }
        guard let colon = dnsResolver.lastIndex(of: ":"),
            Resolution("resolver:\(dnsResolver[dnsResolver.index(after: colon)...]):\(dnsResolver[..<colon])") != nil
        else { return nil }
        return dnsResolver
    }

    /// Whether to look at what the CA will look at.
    func isWanted(isPrivateAuthority: Bool) -> Bool {
        selfCheck ?? (!isPrivateAuthority || httpPort != nil || tlsPort != nil || dnsResolver != nil || !resolutions.isEmpty)
    }

    /// The check to make, nil for none.
    ///
    /// - Parameter type: the challenge's (RFC 8555 §9.7.8).
    func check(of type: String, isPrivateAuthority: Bool, over transport: CurlTransport) -> (any SelfCheck)? {
        guard isWanted(isPrivateAuthority: isPrivateAuthority) else { return nil }
        let resolutions = resolutions.compactMap { Resolution($0) }
        return switch type {
        case "http-01": HTTPSelfCheck(transport: transport, port: httpPort ?? 80, resolutions: resolutions)
        case "tls-alpn-01": TLSALPNSelfCheck(port: tlsPort ?? 443, resolutions: resolutions)
        case "dns-01": DNSSelfCheck(resolver: endpoint, resolutions: resolutions, patience: .seconds(dnsPatience))
        default: nil
        }
    }

    /// The look at CAA records, nil for none.
    func caa(isPrivateAuthority: Bool) -> CAACheck? {
        isWanted(isPrivateAuthority: isPrivateAuthority) ? CAACheck(resolver: endpoint) : nil
    }
}
