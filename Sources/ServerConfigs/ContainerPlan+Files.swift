import DurableFiles
import Settings
import Templates

/// A file that tells an engine which containers to run: its path below the folder for such files, and its text.
public struct DeploymentFile: Sendable, Equatable {
    public var name: String
    public var text: String
}

extension ContainerPlan {
    /// For `docker compose` and `podman-compose`.
    ///
    /// - Throws: ``ServerConfigsError/template(_:)`` when a path or a name cannot be said there, ``ServerConfigsError/file(_:)``.
    public func composeFile() throws(ServerConfigsError) -> DeploymentFile {
        var rows: [[String: Value]] = []
        for container in containers { rows.append(try container.composeValues) }
        let text = try locations.render(
            template: "compose/compose.yaml.template", .compose,
            [
                "containers": .rows(rows), "image": .text(image), "hasBridge": .flag(hasBridge), "usesIPv6": .flag(usesIPv6),
                "subnet": .text(subnet),
            ])
        return DeploymentFile(name: "compose.yaml", text: text)
    }

    /// A network for them that is nobody else's (RFC 4193): engines before Docker 27 have none of their own for IPv6. The 40 bits that make it one of a kind
    /// come from the domain, so that it stays the same (FNV-1a).
    public var subnet: String {
        let hash = settings.domain.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let digits = String(hash >> 24, radix: 16)
        let number = Array(String(repeating: "0", count: 10 - digits.count) + digits)
        return "fd\(String(number[0..<2])):\(String(number[2..<6])):\(String(number[6..<10]))::/64"
    }

    /// For Podman under systemd (podman-systemd.unit(5)).
    ///
    /// - Throws: ``ServerConfigsError/inexpressible(path:target:)``, ``ServerConfigsError/unfitImage(name:target:)`` and as ``composeFile()``.
    public func quadletFiles() throws(ServerConfigsError) -> [DeploymentFile] {
        // Another name than an image can have would be read as an option or another unit, or have variables put into it.
        guard let first = image.unicodeScalars.first, Self.begins(imageName: first), image.unicodeScalars.allSatisfy(Self.isIn(imageName:)),
            ![".image", ".build"].contains(where: image.hasSuffix)
        else { throw .unfitImage(name: image, target: "quadlet") }
        var files: [DeploymentFile] = []
        for container in containers {
            var values = try container.quadletValues
            values["image"] = .text(image)
            values["isRootless"] = .flag(isRootless)
            let text = try locations.render(template: "quadlet/container.template", .systemd, values)
            files.append(DeploymentFile(name: "snikket-\(container.name).container", text: text))
        }
        guard hasBridge else { return files }
        let text = try locations.render(template: "quadlet/network.template", .systemd, ["usesIPv6": .flag(usesIPv6)])
        return files + [DeploymentFile(name: "snikket.network", text: text)]
    }

    private static func begins(imageName scalar: UnicodeScalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "[": true
        default: false
        }
    }

    /// What the name of an image consists of (github.com/distribution/reference).
    private static func isIn(imageName scalar: UnicodeScalar) -> Bool { begins(imageName: scalar) || "]._-/:@+".unicodeScalars.contains(scalar) }
}

extension ContainerPlan.Container {
    /// `snikket health NAME`
    private var healthCheck: [String] { ["/usr/bin/snikket", "health", name] }

    fileprivate var composeValues: [String: Value] {
        get throws(ServerConfigsError) {
            [
                "name": .text(name), "command": .texts(["serve", name]), "user": .text("\(user.user):\(user.group)"),
                "capabilities": .texts(capabilities), "memory": .text("\(memory)m"), "processes": .number(processes),
                "usesHostNetwork": .flag(usesHostNetwork), "ports": .texts(ports), "memoryFolders": .texts(memoryFolders),
                "mounts": .rows(
                    mounts.map { ["source": .text($0.source), "target": .text($0.target), "isReadOnly": .flag($0.isReadOnly)] }),
                "healthCheck": .texts(["CMD"] + healthCheck), "needs": .texts(needs),
            ]
        }
    }

    fileprivate var quadletValues: [String: Value] {
        get throws(ServerConfigsError) {
            var lines: [[String: Value]] = []
            for mount in mounts {
                for path in [mount.source, mount.target] where path.unicodeScalars.contains(where: Self.separates) {
                    throw .inexpressible(path: path, target: "quadlet")
                }
                lines.append(["line": .text("\(mount.source):\(mount.target)" + (mount.isReadOnly ? ":ro" : ""))])
            }
            return [
                "name": .text(name), "description": .text("Snikket: \(name)"), "containerName": .text("snikket-\(name)"),
                "user": .text("\(user.user)"), "group": .text("\(user.group)"), "capabilities": .texts(capabilities),
                "usesHostNetwork": .flag(usesHostNetwork), "ports": .texts(ports), "memoryFolders": .texts(memoryFolders),
                "mounts": .rows(lines), "arguments": .text("--memory=\(memory)m --pids-limit=\(processes) --log-opt=max-size=10m --stop-timeout=30"),
                // Without this word Podman would give it to a shell.
                "healthCommand": .text("CMD " + healthCheck.joined(separator: " ")), "needs": .texts(needs.map { "snikket-\($0).service" }),
            ]
        }
    }
    /// What means something in a volume, or in the lines that Podman's generator makes of it. It names the folder twice: as a word of a command, where `$$`
    /// would be a dollar, and in `RequiresMountsFor=`, where it would stay two.
    private static func separates(_ scalar: UnicodeScalar) -> Bool {
        scalar.properties.isWhitespace || ":,$\"'\\".unicodeScalars.contains(scalar)
    }
}
