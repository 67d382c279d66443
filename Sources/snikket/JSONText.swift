import FoundationEssentials

/// A value as JSON, keys in alphabetical order: one line for scripts, several on a terminal.
func jsonText(_ value: some Encodable) throws -> String {
    try jsonText(value, isPretty: Terminal.standardOutput.isInteractive)
}

/// A value as JSON on one line, wherever it is printed.
func jsonLine(_ value: some Encodable) throws -> String { try jsonText(value, isPretty: false) }

private func jsonText(_ value: some Encodable, isPretty: Bool) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
