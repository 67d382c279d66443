import CFuzzer
import Glibc

/// `fuzz TARGET [what libFuzzer takes]`: feeds one target until it breaks or the time is over.
@main
struct Fuzz {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count >= 2, let target = FuzzTarget.all.first(where: { $0.name == arguments[1] }) else {
            for target in FuzzTarget.all { print(target.name) }
            exit(arguments.count >= 2 ? 64 : 0)
        }
        chosen = target.body
        // libFuzzer sees no word of ours; it keeps the pointers for as long as it runs.
        var words: [UnsafeMutablePointer<CChar>?] = ([arguments[0]] + arguments.dropFirst(2)).map { strdup($0) }
        var count = Int32(words.count)
        words.append(nil)
        let start = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: words.count)
        start.initialize(from: words, count: words.count)
        var list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = start
        exit(
            LLVMFuzzerRunDriver(&count, &list) { data, size in
                feed(data, size)
            })
    }
}

/// libFuzzer's library has a main that calls this; ours takes its place, but the linker wants it all the same.
@_cdecl("LLVMFuzzerTestOneInput")
func feed(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    chosen(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
}

/// Set once before the loop begins. A C callback can capture nothing.
private nonisolated(unsafe) var chosen: ([UInt8]) -> Void = { _ in }
