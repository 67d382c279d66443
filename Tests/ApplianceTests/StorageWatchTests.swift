import Testing

@testable import Appliance

@Suite("Whether what people write can be kept")
struct StorageWatchTests {
    @Test("one or two bad looks say nothing, the third does, and one good one ends it")
    func threshold() {
        var watch = StorageWatch()
        #expect(watch.pause == .seconds(60))
        watch.note(["database: locked"], readOnly: nil)
        #expect(watch.problem == nil && watch.pause == .seconds(5))
        watch.note([], readOnly: nil)
        #expect(watch.pause == .seconds(60))
        for _ in 1...3 {
            #expect(watch.problem == nil)
            watch.note(["database: locked", "uploads: denied"], readOnly: nil)
        }
        #expect(watch.problem?.cause == "database: locked; uploads: denied" && watch.pause == .seconds(15))
        watch.note([], readOnly: nil)
        #expect(watch.problem == nil && watch.pause == .seconds(60))
    }

    @Test("a chat server that says nothing says neither that it began nor that it is over")
    func silence() {
        var watch = StorageWatch()
        for _ in 1...5 { watch.note(nil, readOnly: nil) }
        #expect(watch.problem == nil)
        for _ in 1...3 { watch.note(["database: locked"], readOnly: nil) }
        watch.note(nil, readOnly: nil)
        #expect(watch.problem != nil)
    }

    @Test("a disk that is read-only is believed at once, and named")
    func readOnly() {
        var watch = StorageWatch()
        watch.note(nil, readOnly: "/var/lib/snikket")
        #expect(watch.problem?.cause?.contains("the disk is read-only") == true && watch.problem?.cause?.contains("/var/lib/snikket") == true)
    }
}
