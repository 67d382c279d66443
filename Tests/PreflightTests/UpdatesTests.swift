import RealServers
import Testing

@testable import Preflight

@Suite("whether Debian's security updates arrive by themselves, as the real apt-config and dpkg tell")
struct UpdatesTests {
    /// What Debian 12's unattended-upgrades comes with.
    private static let origins = """
        Unattended-Upgrade::Origins-Pattern {
            "origin=Debian,codename=${distro_codename},label=Debian";
            "origin=Debian,codename=${distro_codename},label=Debian-Security";
            "origin=Debian,codename=${distro_codename}-security,label=Debian-Security";
        };

        """
    private static let on = "APT::Periodic::Update-Package-Lists \"1\";\nAPT::Periodic::Unattended-Upgrade \"1\";\n" + origins

    private static func finding(
        _ settings: String, isInstalled: Bool = true, prosody: String = "0.12.3-1+deb12u1"
    ) async throws -> Finding? {
        try await Scratch.with { scratch in
            let configuration = try scratch.write("apt.conf", "Dir::Etc::parts \"-\";\nDir::Etc::main \"-\";\n" + settings)
            let system = try scratch.write("os-release", "PRETTY_NAME=\"Debian\"\nVERSION_CODENAME=bookworm\n")
            _ = try scratch.write(
                "status",
                "Package: prosody\nStatus: install ok installed\nArchitecture: all\nMaintainer: a <a@example.org>\nVersion: \(prosody)\nDescription: x\n"
            )
            let check = UpdatesCheck(
                configuration: configuration, installer: isInstalled ? "/bin/true" : scratch.path + "/none", packages: scratch.path, system: system)
            return await check.findings().first
        }
    }

    @Test("switched on, they do")
    func good() async throws {
        #expect(try await Self.finding(Self.on)?.level == .green)
    }

    @Test("a machine without unattended-upgrades, or with it switched off, is told how to switch it on")
    func off() async throws {
        let cases: [(settings: String, isInstalled: Bool, remedy: String)] = [
            ("", false, "sudo apt install unattended-upgrades"), (Self.on, false, "sudo apt install unattended-upgrades"),
            (Self.origins, true, "sudo dpkg-reconfigure -plow unattended-upgrades"),
            (Self.on + "APT::Periodic::Unattended-Upgrade \"0\";", true, "sudo dpkg-reconfigure -plow unattended-upgrades"),
            (Self.on + "APT::Periodic::Update-Package-Lists \"0\";", true, "sudo dpkg-reconfigure -plow unattended-upgrades"),
            (Self.on + "APT::Periodic::Enable \"0\";", true, "take `APT::Periodic::Enable \"0\"` out of /etc/apt/apt.conf.d"),
        ]
        for (settings, isInstalled, remedy) in cases {
            let finding = try await Self.finding(settings, isInstalled: isInstalled)
            #expect(finding?.level == .yellow && finding?.remedy == remedy, "\(settings)")
        }
    }

    @Test("Prosody from backports gets none until the line that is given is added")
    func backports() async throws {
        let backported = "13.0.1-1~bpo12+1"
        let finding = try #require(try await Self.finding(Self.on, prosody: backported))
        #expect(finding.level == .yellow && finding.what.contains("not those of Prosody"))
        let line = try #require(finding.remedy?.split(separator: "'").dropFirst().first)
        #expect(try await Self.finding(Self.on + line, prosody: backported)?.level == .green)
        // What stands there as an example fits no archive that there is: theirs is oldstable-backports.
        let example = "Unattended-Upgrade::Origins-Pattern:: \"o=Debian Backports,a=${distro_codename}-backports,l=Debian Backports\";"
        #expect(try await Self.finding(Self.on + example, prosody: backported)?.level == .yellow)
        for origin in ["origin=*", "origin = ${distro_id} Backports", "o=Debian*,a=oldstable-backports", "n=bookworm-backports, c=main"] {
            #expect(UpdatesCheck.letsIn(origin, backportsOf: "bookworm"), "\(origin)")
        }
        for origin in ["", "origin=Debian", "n=bookworm", "o=Debian Backports,n=trixie-backports"] {
            #expect(!UpdatesCheck.letsIn(origin, backportsOf: "bookworm"), "\(origin)")
        }
    }
}
