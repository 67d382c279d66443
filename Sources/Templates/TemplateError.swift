/// Why a template could not be read or rendered, and where.
public struct TemplateError: Error, Sendable, Equatable {
    /// The template's name.
    public var template: String
    /// The line in the template, from 1; the first line for a value that no line uses.
    public var line: Int
    /// What is wrong.
    public var problem: Problem

    /// What is wrong with a template or with the values given to it.
    public enum Problem: Sendable, Equatable {
        /// `{{` without `}}`, or something other than a name between them.
        case malformedTag
        /// `{{#if}}` or `{{#each}}` that is never closed.
        case unclosedBlock
        /// `{{/if}}`, `{{/each}}` or `{{else}}` that nothing opened.
        case unexpectedTag(String)
        /// The template uses a name that it was not given.
        case unknownName(String)
        /// A name was given that the template never uses.
        case unusedName(String)
        /// A value stands where this format cannot take one: inside quotes, a comment, a script, beside other text.
        case misplacedValue(String)
        /// A branch or a loop's body leaves a string, a tag or a line open.
        case unbalancedBlock(String)
        /// Text of the template that this reader does not understand, so that it cannot tell where values are safe.
        case unsupportedText(String)
        /// The format cannot express this value: a line break in a one-line value, NUL, `$` for nginx...
        case inexpressible(name: String, UnicodeScalar)
        /// The value is of the wrong kind for its place: rows where text is wanted, HTML in another format.
        case wrongKind(String)
        /// A link that is neither relative nor of a scheme that pages may link to.
        case unsafeLink(String)
        /// The value is longer than the format's reader takes.
        case tooLong(String)
    }
}
