/// Writes the nodes of a template with the values of the scopes around them, the innermost last.
struct TemplateRenderer {
    let template: String
    let format: Format
    var output: [UInt8] = []

    init(template: String, format: Format) {
        self.template = template
        self.format = format
    }

    mutating func render(_ nodes: [Node], _ scopes: [[String: Value]]) throws(TemplateError) {
        for node in nodes {
            switch node {
            case .text(let text): output += text
            case .value(let name, let line, let place):
                let value = try find(name, line, scopes)
                do throws(Inexpressible) {
                    try format.write(value, place, to: &output)
                } catch {
                    throw failure(error.problem(of: name), line)
                }
            case .condition(let name, let line, let then, let otherwise):
                try render(try find(name, line, scopes).isTrue ? then : otherwise, scopes)
            case .loop(let name, let line, let body):
                let names = Node.names(in: body)
                for row in try rows(name, line, scopes) {
                    for name in row.keys.sorted() where !names.contains(name) { throw failure(.unusedName(name), line) }
                    try render(body, scopes + [row])
                }
            }
        }
    }

    private func rows(_ name: String, _ line: Int, _ scopes: [[String: Value]]) throws(TemplateError) -> [[String: Value]] {
        switch try find(name, line, scopes) {
        case .rows(let rows): rows
        case .list(let list): list.map { ["item": $0] }
        case .absent: []
        default: throw failure(.wrongKind(name), line)
        }
    }

    private func find(_ name: String, _ line: Int, _ scopes: [[String: Value]]) throws(TemplateError) -> Value {
        for scope in scopes.reversed() {
            if let value = scope[name] { return value }
        }
        throw failure(.unknownName(name), line)
    }

    private func failure(_ problem: TemplateError.Problem, _ line: Int) -> TemplateError {
        TemplateError(template: template, line: line, problem: problem)
    }
}
