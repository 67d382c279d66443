import DurableFiles
public import Settings

extension ServerPrograms {
    /// What each server's program says its version is, in a word; one that does not say it in time is not there.
    public func versions() async -> [Service: String] {
        var versions: [Service: String] = [:]
        versions[.prosody] = try? await checkProsodyVersion()
        // `nginx version: nginx/1.22.1`
        versions[.nginx] = await said(by: nginx, "-v", of: .nginx).flatMap { $0.split(separator: "/").last.map(String.init) }
        versions[.coturn] = await said(by: turnserver, "--version", of: .coturn)
        return versions
    }

    /// The first line that a program prints.
    private func said(by program: String, _ argument: String, of service: Service) async -> String? {
        guard let result = try? await Checker(service: service, seconds: 5).run(program, [argument], as: nil), result.succeeded else { return nil }
        return result.lines.first { !$0.isEmpty }.map { String($0.prefix(80)) }
    }
}
