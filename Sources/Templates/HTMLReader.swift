/// HTML: text, tags, attributes, comments, and the elements whose text is no HTML (script, style).
struct HTMLReader: Equatable {
    private enum State: Equatable {
        case text
        case tagOpen
        case tagName(String)
        case tag
        case attributeName
        case afterEquals
        case value(quote: UInt8, empty: Bool)
        case unquoted
        case declaration(String)
        case comment(hyphens: Int)
        case raw(element: String, tail: String)
    }
    private var state = State.text
    private var element = ""
    private var attribute = ""

    /// Attributes that hold an address.
    private static let links: Set<String> = [
        "href", "src", "action", "formaction", "poster", "cite", "background", "data", "ping", "manifest", "xlink:href",
    ]

    /// Elements whose text is not HTML: nothing in it would be unescaped.
    private static let rawElements: Set<String> = ["script", "style", "iframe", "xmp", "noembed", "noframes"]

    mutating func placeForValue() -> Place? {
        switch state {
        case .text: return .whole
        case .value(Byte.quote, let empty):
            // Scripts and styles in attributes have a syntax of their own; lists of addresses too.
            if attribute.hasPrefix("on") || ["style", "srcdoc", "srcset"].contains(attribute) { return nil }
            state = .value(quote: Byte.quote, empty: false)
            if element == "meta", attribute == "content" { return .attribute }
            return Self.links.contains(attribute) && empty ? .link : .attribute
        default: return nil
        }
    }

    mutating func read(_ byte: UInt8) -> Bool {
        let letter = String(decoding: [byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte], as: UTF8.self)
        switch state {
        case .text: if byte == Byte.less { state = .tagOpen }
        case .tagOpen:
            if byte == Byte.exclamation {
                state = .declaration("")
            } else if Byte.isLetter(byte) || byte == Byte.slash {
                state = .tagName(letter)
            } else {
                return false
            }
        case .tagName(let name):
            if Byte.isSpace(byte) || byte == Byte.slash {
                (element, state) = (name, .tag)
            } else if byte == Byte.greater {
                closeTag(name)
            } else {
                state = .tagName(name + letter)
            }
        case .tag:
            if byte == Byte.greater {
                closeTag(element)
            } else if !Byte.isSpace(byte), byte != Byte.slash {
                (attribute, state) = (letter, .attributeName)
            }
        case .attributeName:
            if byte == Byte.equals {
                state = .afterEquals
            } else if byte == Byte.greater {
                closeTag(element)
            } else if Byte.isSpace(byte) || byte == Byte.slash {
                state = .tag
            } else {
                attribute += letter
            }
        case .afterEquals:
            if byte == Byte.quote || byte == Byte.apostrophe {
                state = .value(quote: byte, empty: true)
            } else if byte == Byte.greater {
                return false
            } else {
                state = .unquoted
            }
        // Blanks before an address are cut by its reader, so they do not count.
        case .value(let quote, let empty): state = byte == quote ? .tag : .value(quote: quote, empty: empty && Byte.isSpace(byte))
        case .unquoted:
            if Byte.isSpace(byte) { state = .tag } else if byte == Byte.greater { closeTag(element) }
        case .declaration(let text):
            if text + letter == "--" { state = .comment(hyphens: 0) } else { state = byte == Byte.greater ? .text : .declaration(text + letter) }
        case .comment(let hyphens):
            if byte == Byte.greater, hyphens >= 2 { state = .text } else { state = .comment(hyphens: byte == Byte.hyphen ? hyphens + 1 : 0) }
        case .raw(let element, let tail):
            let end = "</" + element + ">"
            let text = String((tail + letter).suffix(end.count))
            state = text == end ? .text : .raw(element: element, tail: text)
        }
        if state == .tag { attribute = "" }
        if state == .text { (element, attribute) = ("", "") }
        return true
    }

    private mutating func closeTag(_ name: String) {
        state = Self.rawElements.contains(name) ? .raw(element: name, tail: "") : .text
    }
}
