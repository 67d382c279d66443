import Testing

@testable import Supervision

@Suite("Files that an upgrade has replaced")
struct ReplacedFilesTests {
    @Test("a library that runs and is not there any more under its name is one, by its path")
    func replaced() {
        let line = "7f3c28a5d000-7f3c28ab7000 r-xp 0001d000 fe:00 661712                     /usr/lib/x86_64-linux-gnu/libssl.so.3 (deleted)"
        #expect(ReplacedFiles.path(ofReplaced: Array(line.utf8)) == "/usr/lib/x86_64-linux-gnu/libssl.so.3")
    }

    @Test(
        "what is there, what only holds data, and what a program made itself are none",
        arguments: [
            "7f3c28a5d000-7f3c28ab7000 r-xp 0001d000 fe:00 661712                     /usr/lib/x86_64-linux-gnu/libssl.so.3",
            "7f3c28a5d000-7f3c28ab7000 r--p 0001d000 fe:00 661712                     /usr/lib/x86_64-linux-gnu/libssl.so.3 (deleted)",
            "7f3c28a5d000-7f3c28ab7000 rw-s 00000000 00:01 1033                       /dev/zero (deleted)",
            "7f3c28a5d000-7f3c28ab7000 rwxp 00000000 00:01 1033                       /memfd:code (deleted)",
            "7f3c28a5d000-7f3c28ab7000 r-xp 00000000 00:01 1033                       /tmp/made-here.so (deleted)",
            "7ffc1a9fe000-7ffc1aa00000 r-xp 00000000 00:00 0                          [vdso]", " (deleted)", "",
        ])
    func others(line: String) {
        #expect(ReplacedFiles.path(ofReplaced: Array(line.utf8)) == nil)
    }

    @Test("we run what is on the disk ourselves")
    func ourselves() {
        #expect(ReplacedFiles.ofOurselves.isEmpty)
    }
}
