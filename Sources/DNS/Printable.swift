/// What strangers say ends on terminals and pages: no control characters, nothing that turns the direction of writing, one line, and no more
/// than a person would read.
public func printable(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.lazy.filter {
                switch $0.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: false
                default: true
                }
            }.prefix(1000)))
}
