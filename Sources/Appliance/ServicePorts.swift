import Settings
import Supervision

extension Settings {
    /// The ports without which a server is of no use.
    func ports(neededBy service: Service) -> [WantedPort] {
        let tcp: [Int]
        var udp: [Int] = []
        switch service {
        case .prosody:
            let clients = [ports.xmppClient, ports.xmppClientTLS, ports.proxy65]
            tcp = federation ? clients + [ports.xmppServer, ports.xmppServerTLS] : clients
        case .nginx: tcp = needsHTTPPort ? [ports.http, ports.https] : [ports.https]
        case .coturn:
            tcp = [ports.turn, ports.turnTLS]
            udp = [ports.turn]
        case .portal: tcp = []
        }
        let addresses: [String?] = listenAddresses.isEmpty ? [nil] : listenAddresses
        let own = service == .prosody ? [WantedPort(.tcp, ports.internalHTTP, address: "127.0.0.1")] : []
        return addresses.flatMap { address in
            tcp.map { WantedPort(.tcp, $0, address: address) } + udp.map { WantedPort(.udp, $0, address: address) }
        } + own
    }
}
