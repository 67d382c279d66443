import Lifecycle
import Settings
import Testing

@testable import Appliance

@Suite("When a server is started again for an upgrade")
struct ReplacementWatchTests {
    private let begin = ContinuousClock.now
    private let library: Set = ["/usr/lib/x86_64-linux-gnu/libssl.so.3"]

    /// One that remembers, in one place.
    private final class Watch {
        private var watch = ReplacementWatch()

        func toRestart(_ replaced: ReplacementWatch.Replaced) -> [Service] { watch.toRestart(replaced) }
        func hasStarted(_ service: Service, _ replaced: ReplacementWatch.Replaced) { watch.hasStarted(service, replaced) }
        func isTimeToLook(_ mark: PackageManager.Mark?, isAtWork: Bool, isQuiet: Bool = false, at now: ContinuousClock.Instant) -> Bool {
            watch.isTimeToLook(mark, isAtWork: isAtWork, isQuiet: isQuiet, at: now)
        }
    }

    @Test("only what has been found twice, with the same files")
    func twice() {
        let watch = Watch()
        #expect(watch.toRestart([.nginx: ["/usr/sbin/nginx"]]) == [])
        #expect(watch.toRestart([.nginx: library.union(["/usr/sbin/nginx"]), .coturn: library]) == [])
        #expect(
            watch.toRestart([.nginx: library.union(["/usr/sbin/nginx"]), .coturn: library]).sorted { $0.rawValue < $1.rawValue } == [.coturn, .nginx])
    }

    @Test("what a start did not mend is not tried again, until something else is replaced or all was well")
    func hopeless() {
        let watch = Watch()
        for _ in 0..<2 { _ = watch.toRestart([.nginx: library]) }
        watch.hasStarted(.nginx, [.nginx: library])
        for _ in 0..<3 { #expect(watch.toRestart([.nginx: library]) == []) }
        #expect(watch.toRestart([:]) == [])
        #expect(watch.toRestart([.nginx: library]) == [])
        #expect(watch.toRestart([.nginx: library]) == [.nginx])
    }

    @Test("it is looked at once at first, then when a package has come or gone, soon after something was found, and every ten minutes")
    func looks() throws {
        let watch = Watch()
        let mark = PackageManager.mark
        try #require(mark != nil)
        #expect(watch.isTimeToLook(mark, isAtWork: false, at: begin))
        _ = watch.toRestart([:])
        #expect(!watch.isTimeToLook(mark, isAtWork: false, at: begin + .seconds(30)))
        #expect(watch.isTimeToLook(nil, isAtWork: false, at: begin + .seconds(60)))
        _ = watch.toRestart([.coturn: library])
        #expect(watch.isTimeToLook(nil, isAtWork: false, at: begin + .seconds(90)))
        _ = watch.toRestart([.coturn: library])
        #expect(!watch.isTimeToLook(nil, isAtWork: false, at: begin + .seconds(120)))
        #expect(watch.isTimeToLook(nil, isAtWork: false, at: begin + .seconds(690)))
    }

    @Test("what waits for a quiet hour is looked at again when it has come")
    func quiet() {
        let watch = Watch()
        for second in [0, 30] {
            #expect(watch.isTimeToLook(nil, isAtWork: false, at: begin + .seconds(second)))
            _ = watch.toRestart([.nginx: library])
        }
        #expect(!watch.isTimeToLook(nil, isAtWork: false, at: begin + .seconds(60)))
        #expect(watch.isTimeToLook(nil, isAtWork: false, isQuiet: true, at: begin + .seconds(90)))
        #expect(watch.toRestart([.nginx: library]) == [.nginx])
        watch.hasStarted(.nginx, [:])
        #expect(!watch.isTimeToLook(nil, isAtWork: false, isQuiet: true, at: begin + .seconds(120)))
    }

    @Test("not while packages are being installed")
    func atWork() {
        let watch = Watch()
        #expect(!watch.isTimeToLook(PackageManager.mark, isAtWork: true, at: begin))
        #expect(watch.isTimeToLook(PackageManager.mark, isAtWork: false, at: begin + .seconds(30)))
    }
}
