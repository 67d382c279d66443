import DurableFiles
import Settings
import Templates

extension Locations {
    /// Reads and fills one of the templates that came with the program.
    ///
    /// - Parameter leavingOut: whether the template need not use every value, being one of several that are given the same ones.
    func render(
        template file: String, _ format: Format, _ values: [String: Value], leavingOut: Bool = false
    ) throws(ServerConfigsError) -> String {
        let text = String(decoding: try File.own(templates + "/" + file), as: UTF8.self)
        do throws(TemplateError) {
            let template = try Template(text: text, name: file, format: format)
            return try template.render(leavingOut ? values.filter { template.names.contains($0.key) } : values)
        } catch {
            throw .template(error)
        }
    }
}
