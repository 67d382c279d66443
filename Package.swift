// swift-tools-version: 6.2

import PackageDescription

/// Set by Fuzz/run: the rooms are then built for libFuzzer, and instead of the tests there is a program that feeds them.
let isForFuzzing = Context.environment["SNIKKET_FUZZ"] != nil

/// The same language rules for every target, set once.
let rules: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .treatAllWarnings(as: .error),
    ] + (isForFuzzing ? [.unsafeFlags(["-sanitize=fuzzer,address", "-O"])] : [])

let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")

/// A room of the house: a library target under Sources/NAME.
func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: rules)
}

/// The tests of a room, under Tests/NAMETests.
func tests(of name: String, _ dependencies: [Target.Dependency] = [], excluding data: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.init(stringLiteral: name)] + dependencies, exclude: data, swiftSettings: rules)
}

/// The C library behind a room: includes and one inline function for each variadic or macro.
func shim(_ name: String, links libraries: String...) -> Target {
    .target(name: name, linkerSettings: libraries.map { .linkedLibrary($0) })
}

/// Fuzz/Targets is compiled into the fuzzer, or into the tests that feed it what the fuzzer has found; never into both at once.
let fuzzing: [Target] = {
    let rooms: [Target.Dependency] = ["ACME", "CertificateStore", "DNS", "Health", "OpenSSL", "Settings", "Templates"]
    guard isForFuzzing else {
        return [
            .testTarget(
                name: "FuzzTests", dependencies: rooms, path: "Fuzz", exclude: ["CFuzzer", "Corpus", "Dictionaries", "Program", "run"],
                sources: ["Targets", "Tests"], swiftSettings: rules)
        ]
    }
    return [
        .target(name: "CFuzzer", path: "Fuzz/CFuzzer"),
        .executableTarget(
            name: "fuzz", dependencies: rooms + ["CFuzzer"], path: "Fuzz", exclude: ["CFuzzer", "Corpus", "Dictionaries", "Tests", "run"],
            sources: ["Targets", "Program"], swiftSettings: rules,
            // gold, the default, breaks down over the sanitizer.
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]),
    ]
}()

/// How a program is linked that is to need little memory: one that is started for every look at a certificate, and one that is always there.
///
/// Equal functions are folded, relocations packed (all are read at every start), the C++ library of the Swift runtime is linked in
/// as far as it is used, and no symbol is exported. The functions that a run needs lie side by side: the kernel maps
/// sixteen pages around each one that is touched. `Benchmarks/order` writes their list; an old one costs memory and nothing else.
func lean(_ product: String) -> LinkerSetting {
    let flags = [
        "-use-ld=lld", "-Xlinker", "--icf=safe", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs", "-Xlinker", "--no-export-dynamic",
        "-Xlinker", "--remap-inputs=*/libstdc++.so=/dev/null", "-Xlinker", "-l:libstdc++.a",
        "-Xlinker", "--symbol-ordering-file=\(Context.packageDirectory)/Sources/\(product)/functions.order",
        "-Xlinker", "--no-warn-symbol-ordering",
    ]
    return .unsafeFlags(flags, .when(configuration: .release))
}

let package = Package(
    name: "snikket",
    products: [
        .executable(name: "snikket", targets: ["snikket"]),
        .executable(name: "snikket-certs", targets: ["snikket-certs"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.5.1"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        // The commands.
        .executableTarget(
            name: "snikket",
            dependencies: [
                "Appliance", "CertificateStore", "DurableFiles", "Lifecycle", "Preflight", "Settings", "ServerConfigs", "Supervision",
                "ChatServer", "QRCode", "Portal",
                arguments,
                system, log,
            ],
            exclude: ["functions.order"], swiftSettings: rules, linkerSettings: [lean("snikket")]),
        .executableTarget(
            name: "snikket-certs",
            dependencies: ["ACME", "CertificateStore", "Curl", "DNS", "DurableFiles", "OpenSSL", "ProcessMemory", arguments, system],
            exclude: ["functions.order"], swiftSettings: rules, linkerSettings: [lean("snikket-certs")]),

        // The rooms, from the top down.
        room(
            "Appliance",
            [
                "CLinux", "CertificateStore", "ChatServer", "DurableFiles", "Health", "Lifecycle", "LocalHTTP", "Portal", "ProcessMemory",
                "ServerConfigs",
                "Settings", "Supervision",
                lifecycle, log, nio, nioHTTP, nioPosix, signals, system,
            ]),
        room(
            "Portal",
            [
                "ChatServer", "DurableFiles", "LocalHTTP", "ProcessMemory", "QRCode", "Settings", "Templates", httpTypes, hummingbird, lifecycle, log,
                nio,
                nioPosix, signals, system,
            ]),
        room("ChatServer", ["DurableFiles", "LocalHTTP", system]),
        room("Health", ["LocalHTTP", nio, nioPosix]),
        room("Preflight", ["CLinux", "CertificateStore", "DNS", "DurableFiles", "ServerConfigs", "Settings", "Supervision", system]),
        room("LocalHTTP", [nio, nioPosix, nioHTTP]),
        room("Lifecycle", ["CLinux", "DurableFiles", "Supervision", subprocess, system]),
        room("Supervision", ["CLinux", "DurableFiles", log, subprocess, system]),
        room("ServerConfigs", ["DurableFiles", "Settings", "Supervision", "Templates", system]),
        room("Templates"),
        room("CertificateStore", ["DurableFiles"]),
        room("Settings", ["CIDN2"]),
        room("QRCode", ["CQREncode"]),
        room("ProcessMemory", ["CMalloc"]),
        room("DurableFiles", ["CLinux"]),
        room("DNS"),

        // Certificates: the only rooms that see libcurl and OpenSSL.
        room("ACME", ["DNS"]),
        room("Curl", ["ACME", "CCurl"]),
        room("OpenSSL", ["ACME", "COpenSSL"]),

        shim("CCurl", links: "curl"),
        shim("COpenSSL", links: "ssl", "crypto"),
        shim("CIDN2", links: "idn2"),
        shim("CQREncode", links: "qrencode"),
        shim("CYAML", links: "yaml"),
        shim("CMalloc"),
        shim("CLinux"),

        tests(of: "Settings", ["snikket", subprocess, system]),
        tests(of: "Templates", ["CYAML", subprocess, system]),
        tests(
            of: "ServerConfigs", ["CYAML", "ChatServer", "DurableFiles", "Portal", "RealServers", "Settings", "Templates", subprocess, system],
            excluding: ["Golden"]),
        tests(of: "DurableFiles"),
        tests(of: "CertificateStore", ["DurableFiles", system]),
        tests(of: "DNS", ["PebbleFixture"]),
        tests(of: "ACME", ["Curl", "DNS", "OpenSSL", "CertificateStore", "PebbleFixture", "snikket-certs", subprocess, system]),
        .target(
            name: "PebbleFixture", dependencies: ["OpenSSL", "RealServers", subprocess, system], path: "Tests/PebbleFixture", swiftSettings: rules),
        tests(of: "Supervision", ["DurableFiles", "Health", "LocalHTTP", "RealServers", "supervised-parent", log, subprocess, system]),
        tests(of: "Preflight", ["CertificateStore", "DNS", "DurableFiles", "RealServers", "Settings", "Supervision", subprocess, system]),
        tests(of: "LocalHTTP", [nio, nioPosix, nioHTTP]),
        tests(of: "Health", ["LocalHTTP", "RealServers", subprocess, system]),
        tests(of: "ChatServer", ["DurableFiles", "LocalHTTP", "ProsodyFixture", system]),
        // Real servers for tests, and a program that a test can kill together with what it supervises.
        .target(name: "RealServers", dependencies: [subprocess, system], path: "Tests/RealServers", swiftSettings: rules),
        .target(
            name: "ProsodyFixture", dependencies: ["ChatServer", "LocalHTTP", subprocess, system], path: "Tests/ProsodyFixture",
            swiftSettings: rules),
        .executableTarget(
            name: "supervised-parent", dependencies: ["DurableFiles", "Supervision", system], path: "Tests/SupervisedParent", swiftSettings: rules),
        tests(of: "Lifecycle", ["DurableFiles", "RealServers", subprocess]),
        tests(of: "QRCode"),
        tests(of: "Portal", ["ChatServer", "DurableFiles", "LocalHTTP", "ProsodyFixture", "Settings", "Templates", lifecycle, log, system]),
        tests(
            of: "Appliance",
            [
                "CertificateStore", "ChatServer", "DurableFiles", "Health", "Lifecycle", "LocalHTTP", "RealServers", "ServerConfigs", "Settings",
                "snikket", "snikket-certs", "Supervision", nio, nioPosix, subprocess, system,
            ]),
    ] + fuzzing
)
