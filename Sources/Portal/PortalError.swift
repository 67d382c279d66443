public import Templates

/// Why the portal could not start, or show a page.
public enum PortalError: Error, Equatable {
    /// A file of the templates could not be read.
    case unreadable(path: String)
    /// The catalogue of texts is not JSON of keys and texts.
    case malformedTexts(path: String)
    /// A page uses a text that the catalogue does not have.
    case missingText(key: String)
    /// A page's template is wrong.
    case template(TemplateError)
    /// The socket could not be made ready, with this errno.
    case socket(path: String, errno: Int32)
}
