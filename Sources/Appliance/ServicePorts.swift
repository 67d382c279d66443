import Settings
import Supervision

extension Settings {
    /// The chat server's ports on loopback.
    var innerPorts: [WantedPort] {
        let front = sharesHTTPSPort ? [ports.clientFront] + (federation ? [ports.serverFront] : []) : []
        return ([ports.internalHTTP] + front).map { WantedPort(.tcp, $0, address: "127.0.0.1") }
    }

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
        let own = service == .prosody ? innerPorts : []
        return addresses.flatMap { address in
            tcp.map { WantedPort(.tcp, $0, address: address) } + udp.map { WantedPort(.udp, $0, address: address) }
        } + own
    }
}
