import CertificateStore
import ServerConfigs
import Supervision
import Testing

@testable import Appliance

@Suite("how far everything has come, in words")
struct ProgressTests {
    @Test(
        "every step of the certificate's program has words for people",
        arguments: [
            ("beginning", "on its way"), ("directory", "asking the authority"), ("account", "asking the authority"), ("order", "ordering it"),
            ("authorizations", "ordering it"), ("challenges a.example", "preparing the proof that the names are ours for a.example"),
            ("validation groups.a.example", "the authority looks at the proof for groups.a.example"), ("finalize", "being made"),
            ("certificate", "being made"), ("authority", "being made"), ("another authority", "asking another authority"),
        ])
    func words(step: String, words: String) {
        #expect(Parts.words(ofStep: step) == words)
    }

    @Test("a moment is a time of the day, with its date when it is another day's, and nothing when it is over")
    func clock() {
        let now = 1_767_323_045  // 2026-01-02T03:04:05Z
        #expect(Progress.State.clock(now + 60, now: now) == "at 03:05:05 UTC")
        #expect(Progress.State.clock(now + 86_400, now: now) == "on 2026-01-03 at 03:04:05 UTC")
        #expect(Progress.State.clock(now + 2, now: now) == nil)
        #expect(Progress.State.clock(now - 60, now: now) == nil)
    }

    @Test("who rings twice is heard once, and who rings while it is heard is heard again")
    func news() async {
        let news = News()
        news.ring()
        news.ring()
        var rings = news.rings.makeAsyncIterator()
        await rings.next()
        news.ring()
        await rings.next()
    }
}
