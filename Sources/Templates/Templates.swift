/// The kinds of file a template can make; each decides how a value is written (escaping by construction).
public enum Format: String, Sendable, CaseIterable {
    case lua, nginx, coturn, yaml, systemd, html
}
