import Settings
import Testing

@Suite("where metrics are offered")
struct MetricsListenTests {
    @Test("nowhere, unless it is wished")
    func off() throws {
        #expect(try settings().metricsListen == nil)
        #expect(try settings("SNIKKET_TWEAK_PROMETHEUS=0").metricsListen == nil)
    }

    @Test(
        "on loopback and private addresses",
        arguments: [
            ("SNIKKET_TWEAK_PROMETHEUS=1", "127.0.0.1", 5282), ("SNIKKET_METRICS_LISTEN=127.0.0.1", "127.0.0.1", 5282),
            ("SNIKKET_METRICS_LISTEN=10.1.2.3:9105", "10.1.2.3", 9105), ("SNIKKET_METRICS_LISTEN=[::1]:9105", "::1", 9105),
            ("SNIKKET_METRICS_LISTEN=fd00::1", "fd00::1", 5282), ("SNIKKET_METRICS_LISTEN=192.168.0.1", "192.168.0.1", 5282),
            ("SNIKKET_METRICS_LISTEN=172.31.0.1:1", "172.31.0.1", 1), ("SNIKKET_METRICS_LISTEN=100.64.0.9", "100.64.0.9", 5282),
        ])
    func privately(line: String, address: String, port: Int) throws {
        #expect(try settings(line).metricsListen == ListenAddress(address: address, port: port))
    }

    @Test("one address beside the official switch is the one that counts")
    func both() throws {
        let address = try settings("SNIKKET_TWEAK_PROMETHEUS=1", "SNIKKET_METRICS_LISTEN=10.0.0.1:9000").metricsListen
        #expect(address == ListenAddress(address: "10.0.0.1", port: 9000))
    }

    @Test(
        "never where the internet may reach it",
        arguments: [
            "0.0.0.0", "0.0.0.0:9000", "[::]:9000", "203.0.113.5", "8.8.8.8:53", "172.32.0.1", "172.15.0.1", "192.169.0.1", "100.128.0.1",
            "2001:db8::1", "[::ffff:127.0.0.1]:80",
        ])
    func publicly(value: String) {
        #expect(problems(with: "SNIKKET_METRICS_LISTEN=\(value)") == [Problem(line: 3, option: "SNIKKET_METRICS_LISTEN", kind: .notPrivate(value))])
    }

    @Test(
        "no name, no port out of bounds, and no port that a server has",
        arguments: ["localhost", "localhost:9000", "127.0.0.1:0", "127.0.0.1:65536", ":9000", "9000"])
    func wrong(value: String) {
        #expect(problems(with: "SNIKKET_METRICS_LISTEN=\(value)").map(\.kind) == [.notAnAddress(value)])
        let taken = problems(with: "SNIKKET_METRICS_LISTEN=127.0.0.1:5280")
        #expect(taken.map(\.kind) == [.portUsedTwice(port: 5280, by: "SNIKKET_TWEAK_INTERNAL_HTTP_PORT")])
    }
}
