internal import Glibc
internal import ServerConfigs
internal import Settings

/// Whether Debian's servers are here, new enough.
struct ProgramsCheck {
    let settings: Settings
    /// Where nginx's module for TLS on a shared port is (libnginx-mod-stream).
    var streamModule = "/usr/lib/nginx/modules/ngx_stream_module.so"
    var folders: [String]?

    func findings() async -> [Finding] {
        let programs: ServerPrograms
        do throws(ServerConfigsError) {
            programs = if let folders { try ServerPrograms.installed(in: folders) } else { try ServerPrograms.installed() }
        } catch {
            guard case .missingProgram(_, let program, let package) = error else { return [] }
            return [Finding(.programs, .red, "the program \(program) is not installed", try: "apt install \(package)")]
        }
        if settings.sortsHTTPSConnections, access(streamModule, F_OK) != 0 {
            return [
                Finding(
                    .programs, .red, "nginx lacks its module `stream`, which SNIKKET_CHALLENGE=tls-alpn-01 needs",
                    try: "apt install libnginx-mod-stream")
            ]
        }
        do throws(ServerConfigsError) {
            let version = try await programs.checkProsodyVersion()
            return [Finding(.programs, .green, "Prosody \(version), nginx and coturn are installed")]
        } catch {
            switch error {
            case .tooOld(_, let version, let needed, let install):
                return [Finding(.programs, .red, "Prosody \(version) is too old: \(needed) is needed", try: install)]
            case .unknownVersion(_, let said):
                return [
                    Finding(.programs, .yellow, "which version Prosody has cannot be told: it says '\(said.prefix(40))'", try: "prosodyctl about")
                ]
            default: return [Finding(.programs, .yellow, "which version Prosody has cannot be told", try: "prosodyctl about")]
            }
        }
    }
}
