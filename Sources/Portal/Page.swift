import DurableFiles
import Templates

/// One page template with its texts already looked up.
struct Page: Sendable {
    private let template: Template
    private let texts: [String: Value]

    /// - Parameters:
    ///   - path: the template; each `t_KEY` in it is a text of the catalogue.
    ///   - texts: the catalogue.
    init(path: String, texts: Texts) throws(PortalError) {
        guard let bytes = try? File.read(path) else { throw .unreadable(path: path) }
        let source = String(decoding: bytes, as: UTF8.self)
        do {
            template = try Template(text: source, name: path, format: .html)
        } catch {
            throw .template(error)
        }
        var found: [String: Value] = [:]
        for name in Self.textNames(in: source) {
            found[name] = .text(try texts.named(String(name.dropFirst(2))))
        }
        self.texts = found
    }

    /// The page's own markup, with the values in their places.
    func fragment(_ values: [String: Value]) throws(PortalError) -> HTML {
        do {
            return try template.fragment(values.merging(texts) { value, _ in value })
        } catch {
            throw .template(error)
        }
    }

    /// The names `t_...` between braces.
    private static func textNames(in source: String) -> [String] {
        source.split(separator: "{{").compactMap { piece in
            let name = piece.prefix { $0 != "}" }.drop { $0 == " " }.prefix { $0 != " " }
            return name.hasPrefix("t_") ? String(name) : nil
        }
    }
}
