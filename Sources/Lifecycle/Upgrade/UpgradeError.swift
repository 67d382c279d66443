public import DurableFiles

/// Why there was no upgrade.
public enum UpgradeError: Error, Sendable, Equatable {
    /// These programs are not those of the package.
    case notAPackage
    /// Neither the package nor anybody says where releases come from, or by which key they are known.
    case noReleases
    /// A file of the release could not be had; what was said.
    case unreachable(place: String, words: String)
    /// The release is not signed by its makers.
    case unsigned(place: String)
    /// The release is signed, and of another form.
    case malformed(place: String)
    /// The release has no package for this machine.
    case noPackage(architecture: String, offered: [String])
    /// The release is older than what is installed.
    case older(installed: String, offered: String)
    /// A package is not the one of the release.
    case altered(file: String)
    /// The package of what is installed is nowhere to be had, so that there would be no way back.
    case noWayBack(version: String)
    /// There is nothing to go back to.
    case nothingBefore
    /// What lies between the two versions has already been taken back or replaced.
    case movedOn(installed: String, recorded: String)
    /// An upgrade is under way.
    case underWay
    /// Somebody else looks for one, or prepares one.
    case busy
    /// Since it was prepared another version has been installed.
    case changedMeanwhile(installed: String, expected: String)
    /// Others install packages, and did not end in time. Nothing was installed.
    case packagesBusy
    /// A program did not do its part; what it said last.
    case program(String, words: String)
    /// A program did not end in time.
    case timedOut(String, seconds: Int)
    /// The new version does not work with these settings and this state; what it said.
    case rehearsal(words: String)
    /// A file was in the way.
    case file(FileError)

    /// Whether it stays like that until somebody does something.
    public var isLasting: Bool {
        switch self {
        case .unsigned, .malformed, .noPackage, .older, .altered, .noWayBack: true
        default: false
        }
    }
}
