import DurableFiles
import Glibc
import ServerConfigs
import Settings
import SystemPackage
import Templates
import Testing

@Suite("containers")
struct ContainerPlanTests {
    /// The settings that have golden copies: of every kind of network, authority, address and engine.
    enum Example: String, CaseIterable {
        case bridge, host, addresses, rootless

        func plan() throws -> ContainerPlan {
            let start = "SNIKKET_DOMAIN=chat.example\nSNIKKET_ADMIN_EMAIL=admin@chat.example\n"
            let rest =
                switch self {
                case .bridge, .rootless: ""
                case .host: "SNIKKET_CONTAINER_NETWORK=host\nSNIKKET_CONTAINER_IMAGE=registry.example/snikket:9\nSNIKKET_TWEAK_TURNSERVER=off\n"
                case .addresses:
                    "SNIKKET_TWEAK_LISTEN_ADDRESSES=192.0.2.7 2001:db8::7\nSNIKKET_TWEAK_IPV6=off\nSNIKKET_CERTIFICATE=files\n"
                        + "SNIKKET_CERTIFICATE_FULLCHAIN=/etc/ssl/chat/fullchain.pem\nSNIKKET_CERTIFICATE_KEY=/etc/ssl/chat/privkey.pem\n"
                }
            var plan = Self.plan(try Settings(parsing: start + rest, file: "snikket.conf"))
            if self == .rootless {
                // All of them are whoever runs the engine.
                plan.isRootless = true
                plan.certificates = Account(user: 1000, group: 1000)
                plan.accounts = plan.accounts.mapValues { _ in plan.certificates }
            }
            return plan
        }

        static func plan(_ settings: Settings, state: String = "/var/lib/snikket") -> ContainerPlan {
            let accounts = Service.allCases.enumerated().map { ($1, Account(user: 60_801 + UInt32($0), group: 60_801 + UInt32($0))) }
            return ContainerPlan(
                settings: settings,
                locations: Locations(
                    configuration: "/etc/snikket/snikket.conf", state: state, run: "/run/snikket", templates: Checkout.templates),
                version: "1.2.3", accounts: Dictionary(uniqueKeysWithValues: accounts), certificates: Account(user: 60_805, group: 60_805),
                hasIPv6: true)
        }
    }

    @Test("the rendered files are the golden ones", arguments: Example.allCases)
    func golden(example: Example) throws {
        let plan = try example.plan()
        for file in try [plan.composeFile()] + plan.quadletFiles() {
            let copy = Checkout.golden.appending("containers.\(example.rawValue).\(file.name)")
            if getenv("RECORD_GOLDEN") != nil { try Folder.write(file.text, to: copy.string) }
            #expect(try Folder.read(copy.string) == file.text, "\(file.name)")
        }
    }

    @Test("compose.yaml says through libyaml what was meant, and nothing else", arguments: Example.allCases)
    func meaning(example: Example) throws {
        let plan = try example.plan()
        #expect(try YAMLTree(plan.composeFile().text).interpolated() == Self.meant(by: plan))
    }

    @Test("what breaks YAML, and variables, come through in every text unchanged, or are refused")
    func nasty() throws {
        var nasty = NastySettings(seed: 6)
        var settings = try Example.bridge.plan().settings
        let fixed = [
            "'", "\"", ": ", " #", "${HOME}", "$HOME", "$$", "*a", "&a", "!!str x", "- x", "a\nb", "\t", "%", "@", "`", "{}", "[x", "", "~", "\u{1}",
            "\u{2028}",
        ]
        for text in fixed + (0..<300).map({ _ in nasty.text() }) {
            settings.containers.image = text
            // A folder as the person has named it; a slash would begin another.
            let plan = Example.plan(settings, state: "/srv/" + text)
            #expect(try YAMLTree(plan.composeFile().text).interpolated() == Self.meant(by: plan))
            try Self.expectUnchanged(in: plan, text)
        }
    }

    @Test("a unit is written only when all that people name in it comes through Podman's generator and systemd as it is")
    func units() throws {
        var settings = try Example.bridge.plan().settings
        // Tests/Containers/test_quadlet.py asks the generator.
        for folder in ["a", "%n", "ä€", "*a", "&a", "~", "#", ";", "{x}", "-a", "@`!?|<>"] {
            #expect(try Self.expectUnchanged(in: Example.plan(settings, state: "/srv/" + folder), folder), "\(folder)")
        }
        for folder in ["$x", "${HOME}", "a:b", "a,b", "a b", "a\u{a0}b", "a\u{2028}", "a'", "a\"", "a\\x20b", "a\nb", "\u{fffe}"] {
            #expect(try !Self.expectUnchanged(in: Example.plan(settings, state: "/srv/" + folder), folder), "\(folder)")
        }
        for image in ["snikket", "localhost/snikket:1.2.3", "[::1]:5000/Our-own/snikket_x@sha256:0123abcd"] {
            settings.containers.image = image
            #expect(try Self.expectUnchanged(in: Example.plan(settings), image), "\(image)")
        }
        for image in ["", "localhost/a${HOME}b:$x", "a$$b", "a b", "-a", ";", "%n", "ä", "a\u{2028}", "snikket.image", "snikket.build"] {
            settings.containers.image = image
            #expect(try !Self.expectUnchanged(in: Example.plan(settings), image), "\(image)")
        }
    }

    /// Expects that the image and every folder stand in the units as they are, but for systemd's own specifiers.
    ///
    /// - Returns: false when the units are refused.
    @discardableResult
    private static func expectUnchanged(in plan: ContainerPlan, _ text: String) throws -> Bool {
        do throws(ServerConfigsError) {
            let files = try plan.quadletFiles()
            for container in plan.containers {
                let unit = files.first { $0.name == "snikket-\(container.name).container" }?.text ?? ""
                func values(_ key: String) -> [String] {
                    unit.split(separator: "\n").filter { $0.hasPrefix(key) }.map { String($0.dropFirst(key.count)).replacing("%%", with: "%") }
                }
                #expect(values("Image=") == [plan.image], "\(text)")
                #expect(values("Volume=") == container.mounts.map { "\($0.source):\($0.target)" + ($0.isReadOnly ? ":ro" : "") }, "\(text)")
            }
            return true
        } catch {
            switch error {
            case .template, .inexpressible, .unfitImage: return false
            default: throw error
            }
        }
    }

    @Test("on a machine without IPv6 no engine is asked for a network with it")
    func withoutIPv6() throws {
        var plan = try Example.bridge.plan()
        let units = { try plan.quadletFiles().first { $0.name == "snikket.network" }?.text.contains("IPv6=yes") }
        #expect(try units() == true)
        plan.hasIPv6 = false
        #expect(try units() == false)
        let networks = try YAMLTree(plan.composeFile().text).interpolated()
        #expect(networks == Self.meant(by: plan))
    }

    @Test("what is set and done by no container is said, once for each, and nothing of what is off or not set")
    func notices() throws {
        let start = "SNIKKET_DOMAIN=chat.example\nSNIKKET_ADMIN_EMAIL=admin@chat.example\n"
        let options = { (text: String) in Example.plan(try Settings(parsing: start + text, file: "snikket.conf")).notices.map(\.option) }
        #expect(
            try options(
                "SNIKKET_METRICS_LISTEN=10.0.0.1:9105\nSNIKKET_BACKUP_SCHEDULE=daily\nSNIKKET_SMTP_URL=smtp://mail.example\nSNIKKET_UPGRADES=all\n")
                == ["SNIKKET_BACKUP_SCHEDULE", "SNIKKET_UPGRADES", "SNIKKET_SMTP_URL", "SNIKKET_METRICS_LISTEN"])
        #expect(
            try options("SNIKKET_QUIET_HOURS=3-5\nSNIKKET_TWEAK_PROMETHEUS=1\nSNIKKET_UPDATE_CHECK=1\n")
                == ["SNIKKET_UPDATE_CHECK", "SNIKKET_QUIET_HOURS", "SNIKKET_TWEAK_PROMETHEUS"])
        #expect(try options("SNIKKET_BACKUP_SCHEDULE=off\nSNIKKET_UPGRADES=no\nSNIKKET_TWEAK_PROMETHEUS=0\nSNIKKET_UPDATE_CHECK=0\n").isEmpty)
    }

    @Test("nobody is root, no capability is had in a network of its own, and only ports below 1024 take one in the machine's")
    func rights() throws {
        for example in Example.allCases {
            for container in try example.plan().containers {
                #expect(container.user.user > 0 && container.user.group > 0)
                #expect(container.capabilities == (example == .host && container.name == "nginx" ? ["NET_BIND_SERVICE"] : []))
                #expect(container.usesHostNetwork == (example == .host || container.name == "coturn"))
            }
        }
    }

    @Test("nobody can write what another one reads, but the certificates' copies, sockets and challenges")
    func separation() throws {
        let containers = try Example.bridge.plan().containers
        for one in containers {
            for mount in one.mounts where !mount.isReadOnly {
                let readers = containers.filter { $0.name != one.name && $0.mounts.contains { $0.source == mount.source } }
                #expect(readers.allSatisfy { $0.mounts.contains { $0.source == mount.source && $0.isReadOnly } }, "\(mount)")
            }
            // Each has its own secrets, and nobody has all of the state.
            #expect(!one.mounts.contains { ["/var/lib/snikket", "/var/lib/snikket/secrets", "/var/lib/snikket/containers"].contains($0.source) })
        }
        let holders = containers.filter { $0.mounts.contains { $0.source == "/var/lib/snikket/certificates" } }
        #expect(holders.map(\.name) == ["certificates"])
    }

    /// What compose.yaml has to say.
    private static func meant(by plan: ContainerPlan) -> YAMLTree {
        var services: [String: YAMLTree] = [:]
        for container in plan.containers { services[container.name] = service(container, plan) }
        var document: [String: YAMLTree] = ["name": .scalar("snikket"), "services": .map(services)]
        if plan.settings.containers.network == .bridge {
            let usesIPv6 = plan.settings.ipv6 && plan.hasIPv6
            var network: [String: YAMLTree] = ["enable_ipv6": .scalar("\(usesIPv6)")]
            if usesIPv6 { network["ipam"] = .map(["config": .list([.map(["subnet": .scalar(plan.subnet)])])]) }
            document["networks"] = .map(["default": .map(network)])
        }
        return .map(document)
    }

    private static func service(_ container: ContainerPlan.Container, _ plan: ContainerPlan) -> YAMLTree {
        var service: [String: YAMLTree] = [
            "image": .scalar(plan.image), "command": .texts(["serve", container.name]),
            "user": .scalar("\(container.user.user):\(container.user.group)"), "read_only": .scalar("true"), "cap_drop": .texts(["ALL"]),
            "security_opt": .texts(["no-new-privileges"]), "restart": .scalar("unless-stopped"), "stop_grace_period": .scalar("30s"),
            "mem_limit": .scalar("\(container.memory)m"), "pids_limit": .scalar("\(container.processes)"), "tmpfs": .texts(container.memoryFolders),
            "volumes": .list(
                container.mounts.map {
                    .map([
                        "type": .scalar("bind"), "source": .scalar($0.source), "target": .scalar($0.target),
                        "read_only": .scalar("\($0.isReadOnly)"), "bind": .map(["create_host_path": .scalar("false")]),
                    ])
                }),
            "healthcheck": .map([
                "test": .texts(["CMD", "/usr/bin/snikket", "health", container.name]), "interval": .scalar("30s"), "timeout": .scalar("10s"),
                "retries": .scalar("3"), "start_period": .scalar("60s"),
            ]),
            "logging": .map(["driver": .scalar("json-file"), "options": .map(["max-size": .scalar("10m")])]),
        ]
        if !container.capabilities.isEmpty { service["cap_add"] = .texts(container.capabilities) }
        if !container.ports.isEmpty { service["ports"] = .texts(container.ports) }
        if container.usesHostNetwork {
            service["network_mode"] = .scalar("host")
        } else {
            service["sysctls"] = .map(["net.ipv4.ip_unprivileged_port_start": .scalar("0")])
        }
        if !container.needs.isEmpty {
            service["depends_on"] = .map(
                Dictionary(uniqueKeysWithValues: container.needs.map { ($0, YAMLTree.map(["condition": .scalar("service_healthy")])) }))
        }
        return .map(service)
    }
}
