@testable import Settings
@testable import Templates

/// snikket.conf: what is read can be written again and means the same.
@Sendable func readSettings(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    let file = ConfigurationFile(parsing: text)
    for assignment in file.assignments {
        let line = ConfigurationFile.line(setting: assignment.name, to: assignment.value)
        let again = ConfigurationFile(parsing: line)
        promise(again.problems.isEmpty, "a value cannot be written: \(line.debugDescription)")
        promise(again.assignments.map(\.value) == [assignment.value], "a value is read back as another one: \(line.debugDescription)")
    }
    do throws(SettingsError) {
        _ = try Settings(parsing: text, file: "snikket.conf")
    } catch {
        promise(!error.problems.isEmpty, "refused without a reason")
    }
}

/// A template of anything, and anything as a value: the first byte chooses the format, NUL separates the template from the value.
@Sendable func readTemplates(_ input: [UInt8]) {
    guard let kind = input.first else { return }
    let format = Format.allCases[Int(kind) % Format.allCases.count]
    let parts = input.dropFirst().split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let value = String(decoding: parts.count > 1 ? parts[1] : [], as: UTF8.self)
    let values: [Value] = [.text(value), .list([.text(value), .flag(true)]), .rows([["item": .text(value)]]), .absent]
    if let template = try? Template(text: String(decoding: parts[0], as: UTF8.self), name: "fuzz", format: format) {
        for value in values {
            _ = try? template.render(Dictionary(uniqueKeysWithValues: template.names.map { ($0, value) }))
        }
    }
    // An attribute or a word that ends is one that a value could end.
    if format == .html, let page = try? Template(text: "<p title=\"{{a}}\">{{b}}</p>", name: "fuzz", format: .html),
        let text = try? page.render(["a": .text(value), "b": .text(value)])
    {
        promise(text.utf8.count { $0 == UInt8(ascii: "<") } == 2, "a value opened a tag")
        promise(text.utf8.count { $0 == UInt8(ascii: "\"") } == 2, "a value ended an attribute")
    }
    if let configuration = try? Template(text: "name {{a}};\n", name: "fuzz", format: .nginx),
        let text = try? configuration.render(["a": .text(value)])
    {
        promise(!text.contains("$"), "nginx would put a variable in")
    }
}
