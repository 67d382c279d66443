import FoundationEssentials
import Testing

@Suite("what the fuzzer knows")
struct CorpusTests {
    /// Fuzz/Corpus of this checkout.
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Corpus/"

    @Test("every input that was ever worth keeping is read without a crash or a broken promise", arguments: FuzzTarget.all)
    func corpus(_ target: FuzzTarget) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder + target.name)
        #expect(!names.isEmpty)
        for name in names.sorted() {
            let input = Array(try Data(contentsOf: URL(filePath: Self.folder + target.name + "/" + name)))
            target.body(input)
            // Whatever is cut short must be refused just as well.
            for length in [0, 1, input.count / 2, max(input.count - 1, 0)] { target.body(Array(input.prefix(length))) }
        }
    }

    @Test("no input lies in the corpus of a target that does not exist")
    func strays() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder)
        #expect(Set(folders) == Set(FuzzTarget.all.map(\.name)))
    }
}
