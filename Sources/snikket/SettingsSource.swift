import Appliance
import Settings

/// The settings' file, read again whenever it is wished.
func settingsSource(_ locations: Locations, overrides: [(name: String, value: String)]) -> SettingsSource {
    SettingsSource(file: locations.configuration, read: { try readSettings(locations, overrides: overrides) }, explain: explained)
}

/// The words for an error, and whether it is the settings that are wrong.
@Sendable
func explained(_ error: any Error) -> (StatusReport.ProblemReport, isSettings: Bool) {
    let failure = (error as? Failure) ?? (error as? any Explained)?.explanation ?? Failure(error: "something unexpected happened", cause: "\(error)")
    return (.init(error: failure.error, cause: failure.cause, tryThis: failure.tryThis), failure.code == .configuration)
}
