/// The kinds of file a template can make; each decides how a value is written (escaping by construction).
public enum Format: String, Sendable, CaseIterable {
    /// Lua: a value becomes a whole literal, its quotes included. A list becomes a table.
    case lua
    /// nginx: a value becomes one quoted word, a list several. `$` cannot be written: nginx has no way to escape it.
    case nginx
    /// coturn: a value is the rest of a `name=value` line.
    case coturn
    /// YAML 1.2: a value becomes a whole scalar, text always double-quoted. A list becomes a flow sequence.
    case yaml
    /// compose.yaml: as YAML, and `$`, which would begin a variable there, written as `$$`. A value may be a key too.
    case compose
    /// systemd units: the rest of a line, or quoted words after the keys that take words (`ExecStart=`, `Environment=`...).
    case systemd
    /// Whatever else reads bare words, also in its comments: a value is made of letters, digits and `.:/-_[]`, and nothing else can be written. A
    /// list is several of them with blanks between.
    case word
    /// HTML: text, or the value of a double-quoted attribute.
    case html
}
