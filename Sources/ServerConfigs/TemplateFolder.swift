import DurableFiles
import Settings
import Templates

extension Locations {
    /// Reads and fills one of the templates that came with the program.
    func render(template file: String, _ format: Format, _ values: [String: Value]) throws(ServerConfigsError) -> String {
        let text = String(decoding: try File.own(templates + "/" + file), as: UTF8.self)
        do throws(TemplateError) {
            return try Template(text: text, name: file, format: format).render(values)
        } catch {
            throw .template(error)
        }
    }
}
