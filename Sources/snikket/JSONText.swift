import FoundationEssentials

/// A value as JSON, keys in alphabetical order: one line for scripts, several on a terminal.
func jsonText(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if Terminal.standardOutput.isInteractive { encoder.outputFormatting.insert(.prettyPrinted) }
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
