/// A text with places for values. The format decides how a value is written; nothing in a template can switch that off.
///
///     {{ name }}                                  a value
///     {{#if name}} ... {{else}} ... {{/if}}       one or the other
///     {{#each rows}} ... {{/each}}                once a row; the row's names, then the ones outside
///     {{! why }}                                  nothing
///
/// A line that holds nothing but `#if`, `#each`, `else`, `/if`, `/each` or `!` leaves no line behind. Where a value may
/// stand is checked when the template is read: inside quotes or a comment it is an error, not a hole.
public struct Template: Sendable {
    /// Used in errors: the file's name.
    public let name: String
    /// What the template makes.
    public let format: Format
    let nodes: [Node]
    /// The names that it uses.
    public let names: Set<String>

    /// Reads a template.
    ///
    /// - Throws: ``TemplateError`` with the line of the first mistake.
    public init(text: String, name: String, format: Format) throws(TemplateError) {
        self.name = name
        self.format = format
        var parser = TemplateParser(text: text, name: name, format: format)
        nodes = try parser.parse()
        names = Node.names(in: nodes)
    }

    /// The text with every value in its place.
    ///
    /// - Throws: ``TemplateError`` for a name that is missing or never used, or a value that the format cannot express.
    public func render(_ values: [String: Value]) throws(TemplateError) -> String {
        for name in values.keys.sorted() where !names.contains(name) {
            throw TemplateError(template: self.name, line: 1, problem: .unusedName(name))
        }
        var renderer = TemplateRenderer(template: name, format: format)
        try renderer.render(nodes, [values])
        return String(decoding: renderer.output, as: UTF8.self)
    }

    /// A piece of a page, to be put into another HTML template as ``Value/html(_:)``.
    ///
    /// - Throws: ``TemplateError`` as ``render(_:)``, or when this is no HTML template.
    public func fragment(_ values: [String: Value]) throws(TemplateError) -> HTML {
        guard format == .html else { throw TemplateError(template: name, line: 1, problem: .wrongKind(format.rawValue)) }
        return HTML(description: try render(values))
    }
}

/// A template, read.
indirect enum Node: Sendable {
    case text([UInt8])
    case value(String, line: Int, Place)
    case condition(String, line: Int, then: [Node], otherwise: [Node])
    case loop(String, line: Int, body: [Node])

    /// Every name used, in whatever branch.
    static func names(in nodes: [Node]) -> Set<String> {
        var names: Set<String> = []
        for node in nodes {
            switch node {
            case .text: break
            case .value(let name, _, _): names.insert(name)
            case .condition(let name, _, let then, let otherwise):
                names.insert(name)
                names.formUnion(Self.names(in: then))
                names.formUnion(Self.names(in: otherwise))
            case .loop(let name, _, let body):
                names.insert(name)
                names.formUnion(Self.names(in: body))
            }
        }
        return names
    }
}

/// What surrounds a value, as far as it changes how the value is written.
enum Place: Sendable, Equatable {
    /// A Lua expression, an nginx word, a YAML scalar, the rest of a coturn or systemd line, HTML text.
    case whole
    /// A word of a systemd line that takes several.
    case systemdWord
    /// Inside a double-quoted HTML attribute.
    case attribute
    /// The beginning of an HTML attribute that holds an address.
    case link
}
