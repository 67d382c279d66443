import ACME
import ArgumentParser
import Curl

/// Whether and where to look for an answer before the CA is asked.
struct SelfCheckOptions: ParsableArguments {
    @Flag(
        inversion: .prefixedNo, exclusivity: .chooseLast,
        help: "Fetch the challenges before the CA is asked. With --ca-bundle only when asked for: a private CA may see other names than this machine."
    )
    var selfCheck: Bool?

    @Option(help: ArgumentHelp("The port where the CA looks, for the self-check; 80 unless the CA is a test.", valueName: "port"))
    var httpPort: Int?

    @Option(
        name: .customLong("resolve"),
        help: ArgumentHelp("For the self-check: the CA finds NAME at this address and port; repeated.", valueName: "name:port:addr"))
    var resolutions: [String] = []

    func validate() throws {
        if let httpPort, !(1...65535).contains(httpPort) { throw ValidationError("--http-port has to be between 1 and 65535.") }
        for text in resolutions where HTTPSelfCheck.Resolution(text) == nil {
            throw ValidationError("'\(text)' is not NAME:PORT:ADDR.")
        }
    }

    /// Whether to look at what the CA will look at.
    func isWanted(isPrivateAuthority: Bool) -> Bool {
        selfCheck ?? (!isPrivateAuthority || httpPort != nil || !resolutions.isEmpty)
    }

    /// The check to make, nil for none.
    func check(isPrivateAuthority: Bool, over transport: CurlTransport) -> (any SelfCheck)? {
        guard isWanted(isPrivateAuthority: isPrivateAuthority) else { return nil }
        return HTTPSelfCheck(
            transport: transport, port: httpPort ?? 80, resolutions: resolutions.compactMap { HTTPSelfCheck.Resolution($0) })
    }
}
