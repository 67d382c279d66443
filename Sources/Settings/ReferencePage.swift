extension Settings.Option {
    /// The reference page of all options, in Markdown: docs/settings.md.
    public static var referencePage: String {
        var page = """
            # Settings

            Everything that can be set in `snikket.conf` (by default `/etc/snikket/snikket.conf`). Two lines are enough:

                SNIKKET_DOMAIN=chat.example.org
                SNIKKET_ADMIN_EMAIL=you@example.org

            One `OPTION=VALUE` a line. Lines that begin with `#` are comments, and so is what follows a `#` with a space before
            it. A value may stand in double quotes (a backslash escapes `"`, `\\` and `$` there) or in single quotes (where it
            does not); `$` has no other meaning. Control characters and line breaks are refused everywhere, and so is an option
            that is not on this page. A `snikket.conf` of the Docker-based Snikket works unchanged; what has no meaning here is
            accepted, and `snikket config show` says why.

            `snikket config explain OPTION` shows one of these on the terminal. This page is made from the same declarations, by
            `snikket config list --markdown`.


            """
        for section in Section.allCases {
            page += "## \(section.rawValue)\n\n"
            for option in all where option.section == section { page += option.entry }
        }
        while page.hasSuffix("\n\n") { page.removeLast() }
        return page
    }

    private var entry: String {
        let kind = bounds.map { "\(type): \($0)" } ?? type
        var lines = ["### \(name)", "", summary, "", "- Value: \(kind)", "- Default: \(fallbackWords(quoting: "`"))"]
        switch effect {
        case .now: lines.append("- Takes effect: \(momentOfEffect)")
        case .later(let what): lines.append("- Takes effect in a later version, with \(what)")
        case .meaningless(let why): lines.append("- Has no meaning here: \(why)")
        }
        return lines.joined(separator: "\n") + "\n\n"
    }

    /// What holds when the option is not set, in words.
    ///
    /// - Parameter quote: what stands around a value.
    public func fallbackWords(quoting quote: String = "") -> String {
        switch fallback {
        case .required: "none, it has to be set"
        case .value(let value): quote + value + quote
        case .none(let words): words
        case .derived(let words, _): words
        }
    }
}
