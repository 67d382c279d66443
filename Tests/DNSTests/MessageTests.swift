import DNS
import Testing

@Suite("DNS messages (RFC 1035)")
struct MessageTests {
    @Test("DNS messages that are cut short, or point at themselves, are refused")
    func damaged() {
        var whole = DNSWriter()
        whole.write(header: 7, flags: 0x8400, [0, 1, 0, 0])
        whole.write(name: "Example.ORG")
        for value in [6, 1] as [UInt16] { whole.write(value) }
        whole.write(UInt32(60))
        whole.write(UInt16(1))
        whole.write([9])
        for length in 0...whole.bytes.count {
            var reader = DNSReader(Array(whole.bytes.prefix(length)))
            let record = reader.header().flatMap { _ in reader.record() }
            #expect((record?.name == "example.org.") == (length == whole.bytes.count))
        }
        for loop in [[0xc0, 0x00], [0xc0, 0x02], [0x01, 0x61, 0xc0, 0x00], [0x40]] as [[UInt8]] {
            var reader = DNSReader(loop)
            #expect(reader.name() == nil)
        }
    }
}
