import Settings
import Supervision

extension Settings {
    /// The ports without which our web server is of no use.
    private var ownWebPorts: [Int] { (needsHTTPPort ? [ports.http] : []) + (webTLS ? [ports.https] : []) }

    /// The ports without which a server is of no use.
    func ports(neededBy service: Service) -> [WantedPort] {
        let tcp: [Int]
        var udp: [Int] = []
        switch service {
        case .prosody:
            let clients = [ports.xmppClient, ports.xmppClientTLS, ports.proxy65]
            tcp = federation ? clients + [ports.xmppServer, ports.xmppServerTLS] : clients
        case .nginx: tcp = ownWebPorts
        case .coturn:
            tcp = [ports.turn, ports.turnTLS]
            udp = [ports.turn]
        case .portal: tcp = []
        }
        let given = service == .nginx ? webAddresses : listenAddresses
        let addresses: [String?] = given.isEmpty ? [nil] : given
        let own = service == .prosody ? [WantedPort(.tcp, ports.internalHTTP, address: "127.0.0.1")] : []
        return addresses.flatMap { address in
            tcp.map { WantedPort(.tcp, $0, address: address) } + udp.map { WantedPort(.udp, $0, address: address) }
        } + own
    }
}
