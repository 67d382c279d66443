extension QRCode {
    /// Modules that have to stay light on each side (ISO/IEC 18004 §5.3.8).
    public static let quietZone = 4

    /// The length of a side in an SVG's view box: ``size`` and the quiet zone on both sides.
    public var svgSize: Int { size + 2 * Self.quietZone }

    /// The dark modules as an SVG path's `d`, one unit a module, the quiet zone counted in. Digits and path letters only.
    public var svgPath: String {
        var path = ""
        for y in 0..<size {
            var x = 0
            while x < size {
                guard isDark(x: x, y: y) else {
                    x += 1
                    continue
                }
                let start = x
                while isDark(x: x, y: y) { x += 1 }
                path += "M\(start + Self.quietZone) \(y + Self.quietZone)h\(x - start)v1h-\(x - start)z"
            }
        }
        return path
    }
}
