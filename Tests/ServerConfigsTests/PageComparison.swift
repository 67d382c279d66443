import FoundationEssentials
import Subprocess
import SystemPackage
import Testing

/// Pages with nasty values, each beside the same page with plain placeholders: Python's html.parser has to find the same
/// elements and attributes in both, and where a placeholder was, exactly the value.
struct PageComparison: Encodable {
    /// One page, twice.
    struct Pair: Encodable {
        var name: String
        var nasty: String
        var plain: String
        /// From placeholders to values.
        var values: [String: String]
    }
    var pairs: [Pair] = []

    /// Compares them all; records an issue with what differs.
    func check(in folder: Folder) async throws {
        let program = folder.path + "/compare.py"
        let pages = folder.path + "/pages.json"
        try Folder.write(Self.program, to: program)
        try Folder.write(String(decoding: try JSONEncoder().encode(pairs), as: UTF8.self), to: pages)
        let result = try await run(
            .name("timeout"), arguments: ["-k", "1", "60", "python3", program, pages], output: .string(limit: 100_000), error: .combinedWithOutput)
        #expect(result.standardOutput == "\(pairs.count) pages are the same\n")
    }

    private static let program = """
        import json, sys
        from html.parser import HTMLParser
        class Reader(HTMLParser):
            def __init__(self): super().__init__(); self.found = []
            def handle_starttag(self, tag, attributes): self.found.append(('start', tag, attributes))
            def handle_startendtag(self, tag, attributes): self.found.append(('both', tag, attributes))
            def handle_endtag(self, tag): self.found.append(('end', tag))
            def handle_comment(self, text): self.found.append(('comment', text))
            def handle_decl(self, text): self.found.append(('declaration', text))
            def unknown_decl(self, text): self.found.append(('unknown', text))
            def handle_pi(self, text): self.found.append(('instruction', text))
            def handle_data(self, text):
                if self.found and self.found[-1][0] == 'text': text = self.found.pop()[1] + text
                self.found.append(('text', text))
        def read(page):
            reader = Reader(); reader.feed(page); reader.close(); return reader.found
        def filled(found, values):
            if isinstance(found, (list, tuple)): return type(found)(filled(part, values) for part in found)
            if isinstance(found, str):
                for placeholder, value in values.items(): found = found.replace(placeholder, value)
            return found
        pages = json.load(open(sys.argv[1], encoding='utf-8'))
        for page in pages:
            wanted, found = filled(read(page['plain']), page['values']), read(page['nasty'])
            for placeholder in page['values']: assert placeholder in page['plain'], (page['name'], placeholder)
            for one, other in zip(wanted, found):
                assert one == other, (page['name'], one, other)
            assert len(wanted) == len(found), page['name']
        print(len(pages), 'pages are the same')
        """
}
