import Settings
import Testing

@Suite("Ports")
struct PortTests {
    @Test("a port used twice names the option that was set and the other one")
    func usedTwice() {
        #expect(
            problems(with: "SNIKKET_TWEAK_HTTPS_PORT=5222") == [
                Problem(line: 3, option: "SNIKKET_TWEAK_HTTPS_PORT", kind: .portUsedTwice(port: 5222, by: "SNIKKET_TWEAK_XMPP_CLIENT_PORT"))
            ])
        #expect(
            problems(with: "SNIKKET_TWEAK_HTTPS_PORT=9000", "SNIKKET_PROXY65_PORT=9000") == [
                Problem(line: 4, option: "SNIKKET_PROXY65_PORT", kind: .portUsedTwice(port: 9000, by: "SNIKKET_TWEAK_HTTPS_PORT"))
            ])
        #expect(
            problems(with: "SNIKKET_PROXY65_PORT=5280") == [
                Problem(line: 3, option: "SNIKKET_PROXY65_PORT", kind: .portUsedTwice(port: 5280, by: "SNIKKET_TWEAK_INTERNAL_HTTP_PORT"))
            ])
    }

    @Test("ports that have changed places are no problem")
    func swapped() throws {
        let settings = try settings("SNIKKET_TWEAK_HTTP_PORT=443", "SNIKKET_TWEAK_HTTPS_PORT=80")
        #expect(settings.ports.http == 443)
        #expect(settings.ports.https == 80)
    }

    @Test("the ports of a TURN server on another machine are free on this one")
    func externalTURN() throws {
        #expect(try settings("SNIKKET_TWEAK_TURNSERVER=0", "SNIKKET_TWEAK_TURNSERVER_PORT=443").ports.turn == 443)
        #expect(
            problems(with: "SNIKKET_TWEAK_TURNSERVER_PORT=443").map(\.kind) == [.portUsedTwice(port: 443, by: "SNIKKET_TWEAK_HTTPS_PORT")])
    }

    @Test("a TURN server on another machine is told of with its secret, and without one that is a problem")
    func externalSecret() throws {
        let (off, host, secret) = (
            "SNIKKET_TWEAK_TURNSERVER=off", "SNIKKET_TWEAK_TURNSERVER_DOMAIN=turn.example.org", "SNIKKET_TWEAK_TURNSERVER_SECRET=hush"
        )
        #expect(try settings(off, host, secret).turn.host == "turn.example.org")
        #expect(
            problems(with: off, host) == [
                Problem(line: 4, option: "SNIKKET_TWEAK_TURNSERVER_SECRET", kind: .missingBeside(option: "SNIKKET_TWEAK_TURNSERVER_DOMAIN"))
            ])
        // Nobody is told of one, or it is ours.
        #expect(problems(with: off).isEmpty)
        #expect(problems(with: host).isEmpty)
    }

    @Test("IPv4 or IPv6 can be switched off, and not both")
    func protocols() throws {
        #expect(try settings("SNIKKET_IPV4=off").ownAddress == "::1")
        #expect(try settings("SNIKKET_TWEAK_IPV6=off").ownAddress == "127.0.0.1")
        #expect(
            problems(with: "SNIKKET_IPV4=off", "SNIKKET_TWEAK_IPV6=off") == [
                Problem(line: 3, option: "SNIKKET_IPV4", kind: .leavesNothing(beside: "SNIKKET_TWEAK_IPV6"))
            ])
    }

    @Test("the range for calls is a range, and holds no other port of the TURN server")
    func range() {
        #expect(
            problems(with: "SNIKKET_TWEAK_TURNSERVER_MIN_PORT=50000", "SNIKKET_TWEAK_TURNSERVER_MAX_PORT=40000") == [
                Problem(line: 3, option: "SNIKKET_TWEAK_TURNSERVER_MIN_PORT", kind: .rangeReversed(lowest: 50000, highest: 40000))
            ])
        #expect(
            problems(with: "SNIKKET_TWEAK_TURNSERVER_MAX_PORT=40000").map(\.kind) == [.rangeReversed(lowest: 49152, highest: 40000)])
        #expect(
            problems(with: "SNIKKET_TWEAK_TURNSERVER_MIN_PORT=3000") == [
                Problem(
                    line: 3, option: "SNIKKET_TWEAK_TURNSERVER_MIN_PORT",
                    kind: .rangeHoldsPort(port: 3478, of: "SNIKKET_TWEAK_TURNSERVER_PORT")),
                Problem(
                    line: 3, option: "SNIKKET_TWEAK_TURNSERVER_MIN_PORT",
                    kind: .rangeHoldsPort(port: 5349, of: "SNIKKET_TWEAK_TURNSERVER_TLS_PORT")),
            ])
        #expect(
            problems(with: "SNIKKET_TWEAK_TURNSERVER_TLS_PORT=50000").map(\.kind)
                == [.rangeHoldsPort(port: 50000, of: "SNIKKET_TWEAK_TURNSERVER_TLS_PORT")])
    }
}
