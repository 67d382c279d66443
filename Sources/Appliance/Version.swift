/// The version of this program.
public enum Version {
    /// As in CHANGELOG.md (semver.org).
    public static let current = "0.1.0"
}
