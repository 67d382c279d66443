import Testing

@testable import Appliance

@Suite("Disk space")
struct DiskSpaceTests {
    @Test("the scarcer of room and files decides, and is what is told")
    func scarcer() {
        func disk(megabytes: Int, files: Int) -> DiskSpace {
            DiskSpace(free: megabytes << 20, total: 100 << 30, freeFiles: files, totalFiles: 1_000_000)
        }
        #expect([499, 99].map { disk(megabytes: $0, files: 900_000).alarm } == [1, 2])
        #expect([49_999, 9_999].map { disk(megabytes: 9000, files: $0).alarm } == [1, 2])
        #expect(disk(megabytes: 9000, files: 50_000).alarm == 0)
        #expect(!disk(megabytes: 9000, files: 50_000).isAmple && !disk(megabytes: 500, files: 900_000).isAmple)
        #expect(disk(megabytes: 1000, files: 100_000).isAmple)
        #expect(disk(megabytes: 9000, files: 17).left.contains("only 17 more files can be made"))
        #expect(disk(megabytes: 17, files: 900_000).left.contains("17 MB of"))
    }

    @Test("file systems that make files as long as there is room are no alarm")
    func withoutLimit() {
        let disk = DiskSpace(free: 9 << 30, total: 100 << 30, freeFiles: 0, totalFiles: 0)
        #expect(disk.alarm == 0 && disk.isAmple)
    }

    @Test("what the kernel says of a real one")
    func real() throws {
        let disk = try #require(DiskSpace(of: "/"))
        #expect(disk.total > 0 && disk.free <= disk.total && disk.freeFiles <= disk.totalFiles)
        #expect(DiskSpace(of: "/nowhere/at/all") == nil)
    }
}
