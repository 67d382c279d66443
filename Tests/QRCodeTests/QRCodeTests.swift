import QRCode
import Testing

@Suite("QR codes")
struct QRCodeTests {
    @Test("a code has three finder patterns and a quiet zone")
    func finders() throws {
        let code = try QRCode("https://chat.example.org/invite/k2VG4Oowx83Q6yyz1gaPq2QD/")
        #expect(code.size >= 21 && (code.size - 17) % 4 == 0)
        // ISO/IEC 18004 §5.3.3: a dark 7x7 frame, a light ring, a dark 3x3 centre.
        for (x, y) in [(0, 0), (code.size - 7, 0), (0, code.size - 7)] {
            for offset in 0..<7 {
                #expect(code.isDark(x: x + offset, y: y) && code.isDark(x: x + offset, y: y + 6))
                #expect(code.isDark(x: x, y: y + offset) && code.isDark(x: x + 6, y: y + offset))
            }
            #expect(!code.isDark(x: x + 1, y: y + 1) && code.isDark(x: x + 3, y: y + 3))
        }
        #expect(!code.isDark(x: -1, y: 3) && !code.isDark(x: code.size, y: 3))
    }

    @Test("the SVG path draws exactly the dark modules")
    func svg() throws {
        let code = try QRCode("hello")
        let drawn = code.svgPath.split(separator: "M").map { run in
            run.split { "hvz- ".contains($0) }.compactMap { Int($0) }
        }
        // M x y h width v 1 h -width z
        #expect(drawn.allSatisfy { $0.count == 5 && $0[3] == 1 && $0[2] == $0[4] })
        var dark: Set<[Int]> = []
        for run in drawn where run.count == 5 {
            for x in run[0]..<run[0] + run[2] { dark.insert([x - QRCode.quietZone, run[1] - QRCode.quietZone]) }
        }
        for y in 0..<code.size {
            for x in 0..<code.size { #expect(dark.contains([x, y]) == code.isDark(x: x, y: y)) }
        }
        #expect(code.svgSize == code.size + 8)
    }

    @Test("the terminal's blocks read back as the same code, drawn dark with colours and light without", arguments: [true, false])
    func terminal(colors: Bool) throws {
        let code = try QRCode("xmpp:chat.example.org?register;preauth=abc")
        let lines = code.terminalText(colors: colors).split(separator: "\n")
        #expect(lines.count == (code.size + 5) / 2)
        for (row, line) in lines.enumerated() {
            #expect(line.hasPrefix("\u{1B}[") == colors)
            let cells = line.filter { "█▀▄ ".contains($0) }
            #expect(cells.count == code.size + 4)
            for (column, cell) in cells.enumerated() {
                let (x, y) = (column - 2, row * 2 - 2)
                let upper = "█▀".contains(cell) == colors
                let lower = "█▄".contains(cell) == colors
                #expect(upper == code.isDark(x: x, y: y) && lower == code.isDark(x: x, y: y + 1))
            }
        }
    }

    @Test("a text that is empty or too long is refused with its length")
    func tooLong() {
        #expect(throws: QRCodeError.unsuitable(bytes: 0)) { try QRCode("") }
        #expect(throws: QRCodeError.unsuitable(bytes: 4000)) { try QRCode(String(repeating: "a", count: 4000)) }
    }
}
