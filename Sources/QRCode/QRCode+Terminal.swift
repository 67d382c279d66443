extension QRCode {
    /// The code in half blocks, two modules a character cell, for a terminal; ends with a line feed.
    ///
    /// - Parameter colors: whether to set black and white with escape sequences (ECMA-48), so that it can be scanned from dark and
    ///   from light terminals. Without them the light modules are drawn, which suits a dark terminal.
    public func terminalText(colors: Bool) -> String {
        // Two modules of quiet zone are enough for phones, and fit 80 columns.
        let margin = 2
        let (start, end) = colors ? ("\u{1B}[38;5;16;48;5;231m", "\u{1B}[0m") : ("", "")
        var text = ""
        for y in stride(from: -margin, to: size + margin, by: 2) {
            text += start
            for x in -margin..<size + margin {
                // What is drawn in the foreground: dark modules in black, or light ones in the terminal's own colour.
                let upper = isDark(x: x, y: y) == colors
                let lower = isDark(x: x, y: y + 1) == colors
                text += upper ? (lower ? "█" : "▀") : (lower ? "▄" : " ")
            }
            text += end + "\n"
        }
        return text
    }
}
