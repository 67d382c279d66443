extension Settings.Option {
    static let portal: [Self] = [
        Self(
            "SNIKKET_WEB_LANGUAGES", .text, .none("all that there are"), .portal, effect: .later("the portal in other languages"),
            "The languages that the portal offers."),
        Self(
            "SNIKKET_WEB_MAX_AVATAR_SIZE", .whole(1...104_857_600, unit: "bytes"), .value("1048576"), .portal,
            effect: .later("profiles in the portal"),
            "The largest picture that somebody can choose for themselves."),
        Self(
            "SNIKKET_WEB_AVATAR_CACHE_TTL", .whole(0...31_536_000, unit: "seconds"), .value("1800"), .portal,
            effect: .later("profiles in the portal"),
            "How long a browser keeps somebody's picture."),
        Self(
            "SNIKKET_WEB_SHOW_METRICS", .flag, .value("on"), .portal, effect: .later("the portal's page about the system"),
            "Whether administrators see figures about the system."),
        Self(
            "SNIKKET_WEB_APPLE_STORE_URL", .uri("https"), .none("the app's page in the store"), .portal,
            effect: .later("the choice of apps on the invitation"),
            "The page of the app for iPhones."),
        Self(
            "SNIKKET_WEB_SECRET_KEY", .text, .none("made at the first start"), .portal,
            effect: .meaningless("the portal makes its own secret, and keeps it"), secret: true,
            "The secret that the portal's sessions are signed with."),
        Self(
            "SNIKKET_WEB_PROSODY_ENDPOINT", .text, .none("loopback"), .portal,
            effect: .meaningless("the portal always talks to the chat server beside it"),
            "Where the portal finds the chat server."),
        same("SNIKKET_WEB_DOMAIN", as: "SNIKKET_DOMAIN"),
        same("SNIKKET_WEB_SITE_NAME", as: "SNIKKET_SITE_NAME"),
        same("SNIKKET_WEB_TOS_URI", as: "SNIKKET_TOS_URI"),
        same("SNIKKET_WEB_PRIVACY_URI", as: "SNIKKET_PRIVACY_URI"),
        same("SNIKKET_WEB_ABUSE_EMAIL", as: "SNIKKET_ABUSE_EMAIL"),
        same("SNIKKET_WEB_SECURITY_EMAIL", as: "SNIKKET_SECURITY_EMAIL"),
        Self(
            "SNIKKET_WEB_PYENV", .text, .none("not used"), .portal, effect: .meaningless("the portal is not written in Python"),
            "The Python file that configures the portal."),
    ]

    static let hosting: [Self] = [
        Self(
            "TWEAK_SNIKKET_BOOTSTRAP_SECRET", .text, .none("switched off"), .hosting, effect: .later("hosting panels"), secret: true,
            "The secret with which a hosting panel fetches the first invitation."),
        Self(
            "TWEAK_SNIKKET_BOOTSTRAP_INDEX", .text, .none("switched off"), .hosting, effect: .later("hosting panels"),
            "The number of the first invitation that a hosting panel may fetch."),
        Self(
            "TWEAK_SNIKKET_BOOTSTRAP_TTL", .whole(1...31_536_000, unit: "seconds"), .value("2419200"), .hosting,
            effect: .later("hosting panels"),
            "How long the invitation of a hosting panel is valid."),
    ]

    static let official: [Self] = [
        Self(
            "PUID", .text, .none("each server has its own user"), .other,
            effect: .meaningless("each server runs as a user of its own, and the files are theirs"),
            "The user who owns the files."),
        Self(
            "PGID", .text, .none("each server has its own group"), .other,
            effect: .meaningless("each server runs as a user of its own, and the files are theirs"),
            "The group that owns the files."),
        Self(
            "SNIKKET_TWEAK_TEST_MODE", .text, .none("not used"), .other, effect: .meaningless("no version of Snikket reads it"),
            "A switch of Snikket's own tests."),
    ]

    /// An option of the official portal that repeats one of the service.
    private static func same(_ name: String, as other: String) -> Self {
        Self(
            name, .text, .none("what \(other) says"), .portal, effect: .meaningless("the portal uses \(other)"),
            "The portal's own copy of \(other).")
    }
}
