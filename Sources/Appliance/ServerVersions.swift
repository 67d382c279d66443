import ServerConfigs
import Settings

/// The versions of the servers' programs: asked when somebody wants to know for the first time, and remembered until they are said to be others.
actor ServerVersions {
    private let programs: ServerPrograms
    private var known: [String: String]?

    init(_ programs: ServerPrograms) { self.programs = programs }

    /// What was installed has been replaced.
    func forget() { known = nil }

    /// By the servers' names.
    var all: [String: String] {
        get async {
            if let known { return known }
            // Two who ask at the same time for the first time hear the same.
            let versions = await programs.versions()
            let named = Dictionary(uniqueKeysWithValues: versions.map { ($0.key.rawValue, $0.value) })
            known = named
            return named
        }
    }
}
