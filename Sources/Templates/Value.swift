/// What is put into a template. There is no case for raw text: what a template writes besides its own text is always escaped.
public enum Value: Sendable, Equatable {
    /// Any text; escaped by the template's ``Format``.
    case text(String)
    /// A whole number.
    case number(Int)
    /// True or false: for conditions, and the literals `true` and `false` where a format has them.
    case flag(Bool)
    /// Several values: a Lua table, nginx words, a YAML sequence; or a loop, in which each is called `item`.
    case list([Value])
    /// What a loop goes over: each row has the names that the loop's body uses.
    case rows([[String: Value]])
    /// A piece of a page, made by ``Template/fragment(_:)``; allowed in HTML text only, and not escaped again.
    case html(HTML)
    /// Nothing: false as a condition, and an error where it would have to be written.
    case absent

    /// The text, or ``absent``.
    public static func optional(_ text: String?) -> Value { text.map(Value.text) ?? .absent }

    /// The number, or ``absent``.
    public static func optional(_ number: Int?) -> Value { number.map(Value.number) ?? .absent }

    /// A list of texts.
    public static func texts(_ texts: [String]) -> Value { .list(texts.map(Value.text)) }

    /// What `{{#if name}}` sees: not false, not empty, not absent.
    var isTrue: Bool {
        switch self {
        case .flag(let flag): flag
        case .text(let text): !text.isEmpty
        case .number, .html: true
        case .list(let list): !list.isEmpty
        case .rows(let rows): !rows.isEmpty
        case .absent: false
        }
    }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    /// Text, from a literal.
    public init(stringLiteral value: String) { self = .text(value) }
    /// A number, from a literal.
    public init(integerLiteral value: Int) { self = .number(value) }
    /// A flag, from a literal.
    public init(booleanLiteral value: Bool) { self = .flag(value) }
}

/// Rendered HTML. Only ``Template/fragment(_:)`` makes one, so whatever is in it was escaped.
public struct HTML: Sendable, Equatable, CustomStringConvertible {
    /// The markup.
    public let description: String
}
