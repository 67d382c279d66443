import Glibc
import Testing

@testable import Appliance

@Suite("what is printed")
struct PrinterTests {
    /// A pipe that is as small as the kernel makes one.
    private final class Pipe {
        let reading: CInt
        let writing: CInt
        private var bytes: [UInt8] = []
        /// F_SETPIPE_SZ (fcntl(2)), which Swift's Glibc leaves out.
        private static let setPipeSize: CInt = 1031

        init() {
            var ends: [CInt] = [0, 0]
            #expect(pipe(&ends) == 0)
            (reading, writing) = (ends[0], ends[1])
            #expect(fcntl(writing, Self.setPipeSize, 4096) == 4096)
        }

        deinit {
            close(reading)
            close(writing)
        }

        /// All lines, as soon as they are as they should be, or nothing more comes.
        func lines(until areComplete: ([Substring]) -> Bool) -> [Substring] {
            var chunk = [UInt8](repeating: 0, count: 4096)
            while true {
                let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
                var polled = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
                guard !areComplete(lines), poll(&polled, 1, 20_000) > 0, case let count = read(reading, &chunk, chunk.count), count > 0 else {
                    return lines
                }
                bytes += chunk[..<count]
            }
        }
    }

    /// How many lines a line stands for that says how many were left out.
    private static func leftOut(_ line: Substring) -> Int {
        line.hasPrefix("snikket: (") ? Int(line.dropFirst(10).prefix { $0.isNumber }) ?? 0 : 0
    }

    @Test("whoever says something does not wait for whoever does not read; what did not fit is counted in its place", .timeLimit(.minutes(1)))
    func unread() {
        let pipe = Pipe()
        let printer = Printer(bounds: (ours: 20_000, servers: 10_000), descriptors: (pipe.writing, pipe.writing))
        let (server, ours) = (String(repeating: "s", count: 99), String(repeating: "o", count: 99))
        // If it waited, it would do so for good.
        for _ in 0..<1_000 { printer.print(server, to: .errors, isServers: true) }
        printer.print("a word of ours", to: .errors)
        for _ in 0..<1_000 { printer.print(ours, to: .errors) }
        printer.settle(within: 1)
        #expect(printer.isInUse)

        func isWhole(_ lines: [Substring]) -> Bool { lines.count { Self.leftOut($0) == 0 } + lines.map(Self.leftOut).reduce(0, +) == 2_001 }
        let lines = pipe.lines(until: isWhole)
        #expect(isWhole(lines), "every line is there, or counted")
        let word = lines.firstIndex(of: "a word of ours") ?? 0
        #expect(word > 100 && Self.leftOut(lines[word - 1]) > 0, "there is room for what we say when there is none for what servers say")
        #expect(lines[..<word].allSatisfy { $0 == server || Self.leftOut($0) > 0 })
        #expect(
            lines[word...].contains { $0 == ours } && lines.last.map(Self.leftOut) ?? 0 > 0,
            "the last are missing, and that is said without another word")

        printer.print("afterwards", to: .output)
        #expect(pipe.lines { $0.last == "afterwards" }.last == "afterwards")
    }

    @Test("lines on both outputs come in the order in which they were said, and the last words are out when that is said", .timeLimit(.minutes(1)))
    func order() {
        let pipe = Pipe()
        // Somebody else has made it one that does not wait.
        _ = fcntl(pipe.writing, F_SETFL, O_NONBLOCK)
        let printer = Printer(descriptors: (pipe.writing, pipe.writing))
        #expect(!printer.isInUse)
        for number in 0..<2_000 { printer.print("\(number)", to: number % 2 == 0 ? .output : .errors) }
        #expect(pipe.lines { $0.count == 2_000 } == (0..<2_000).map { "\($0)" })
        printer.printLast(["the last", "words"])
        var polled = pollfd(fd: pipe.reading, events: Int16(POLLIN), revents: 0)
        #expect(poll(&polled, 1, 0) == 1)
        #expect(pipe.lines { $0.last == "words" }.suffix(2) == ["the last", "words"])
    }
}
