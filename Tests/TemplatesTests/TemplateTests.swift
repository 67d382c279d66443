import Templates
import Testing

@Suite("templates")
struct TemplateTests {
    func problem(_ text: String, _ format: Format, _ values: [String: Value]) -> TemplateError? {
        do throws(TemplateError) {
            _ = try Template(text: text, name: "t", format: format).render(values)
            return nil
        } catch {
            return error
        }
    }

    @Test("conditions and loops leave no lines of their own")
    func blocks() throws {
        let text = """
            a = {{ a }}
            {{#if more}}
              b = {{ b }}
            {{else}}
              none
            {{/if}}
            {{! why }}
            {{#each rows}}
            {{ name }} of {{ a }}
            {{/each}}
            {{#each list}}{{ item }};{{/each}}
            """
        let template = try Template(text: text, name: "t", format: .lua)
        let values: [String: Value] = [
            "a": 1, "more": true, "b": "x", "rows": .rows([["name": "n"], ["name": true]]), "list": .texts(["p", "q"]),
        ]
        #expect(try template.render(values) == "a = 1\n  b = \"x\"\n\"n\" of 1\ntrue of 1\n\"p\";\"q\";")
        var other = values
        other["more"] = false
        #expect(try template.render(other).contains("\n  none\n"))
    }

    @Test("an unknown name says its template and line, an unused one is an error too")
    func names() {
        let unknown = problem("\n\n{{ b }}", .lua, [:])
        #expect(unknown?.template == "t" && unknown?.line == 3 && unknown?.problem == .unknownName("b"))
        #expect(problem("x", .lua, ["b": 1])?.problem == .unusedName("b"))
        #expect(
            problem("{{#each r}}\n{{ a }}\n{{/each}}", .lua, ["r": .rows([["a": 1, "b": 2]])])?.problem == .unusedName("b"))
    }

    @Test(
        "a template that is not closed, or closes what is not open, is refused",
        arguments: ["{{ a", "{{#if a}}x", "{{#each a}}x{{/if}}", "x{{/if}}", "{{else}}", "{{ a b }}", "{{ }}", "{{#while a}}"])
    func malformed(text: String) {
        #expect(problem(text, .lua, ["a": true]) != nil)
    }

    @Test(
        "a value where it would not be escaped is refused",
        arguments: [
            (Format.lua, "x = \"{{ a }}\""), (.lua, "-- {{ a }}"), (.lua, "x = [[ {{ a }} ]]"), (.lua, "x = '{{ a }}'"), (.lua, "--[[ {{ a }} ]]"),
            (.nginx, "# {{ a }}"), (.nginx, "set $x \"{{ a }}\";"), (.nginx, "set $x pre{{ a }};"), (.nginx, "set $x {{ a }}post;"),
            (.nginx, "listen unix:{{ a }};"),
            (.coturn, "# x={{ a }}"), (.coturn, "x={{ a }} y"), (.coturn, "{{ a }}=x"), (.coturn, "{{ a }}"),
            (.yaml, "a: \"{{ a }}\""), (.yaml, "a: x{{ a }}"), (.yaml, "{{ a }}: x"), (.yaml, "# a: {{ a }}"), (.yaml, "a: {{ a }} b: c"),
            (.compose, "a: \"{{ a }}\""), (.compose, "a: x{{ a }}"), (.compose, "{{ a }} b: c"), (.compose, "{{ a }}\n"), (.compose, "x{{ a }}: b"),
            (.systemd, "# {{ a }}"), (.systemd, "Description=x {{ a }}"), (.systemd, "{{ a }}=x"), (.systemd, "ExecStart=\"{{ a }}\""),
            (.html, "<p class={{ a }}>"), (.html, "<p {{ a }}>"), (.html, "<{{ a }}>"), (.html, "<script>{{ a }}</script>"),
            (.html, "<style>{{ a }}</style>"), (.html, "<p onclick=\"{{ a }}\">"), (.html, "<p style=\"{{ a }}\">"), (.html, "<!-- {{ a }} -->"),
            (.html, "<p class='{{ a }}'>"), (.html, "<a href=\"javascript:x{{#if a}}\">{{/if}}"),
        ])
    func misplaced(format: Format, text: String) {
        #expect(problem(text, format, ["a": "v"]) != nil)
    }

    @Test("a branch that leaves a string open is refused")
    func unbalanced() {
        #expect(problem("x = {{#if a}}\"{{/if}} {{ b }}", .lua, ["a": true, "b": "c"])?.problem == .unbalancedBlock("a"))
    }

    @Test(
        "what a format cannot express is an error, never changed",
        arguments: [
            (Format.lua, "{{ a }}", "\0"), (.nginx, "x {{ a }};", "$"), (.nginx, "x {{ a }};", "\n"), (.coturn, "x={{ a }}", "a\nb"),
            (.coturn, "x={{ a }}", " a"), (.coturn, "x={{ a }}", "a "), (.coturn, "x={{ a }}", "=a"), (.coturn, "x={{ a }}", ""),
            (.yaml, "a: {{ a }}", "\0"), (.compose, "{{ a }}: x", "\0"),
            (.systemd, "Description={{ a }}", "a\nb"), (.systemd, "Description={{ a }}", "a\\"), (.html, "{{ a }}", "\u{1}"),
            (.html, "<a href=\"{{ a }}\">", "javascript:alert(1)"), (.html, "<a href=\"{{ a }}\">", " javascript:alert(1)"),
            (.html, "<a href=\"  {{ a }}\">", "JavaScript:x"), (.html, "<a href=\"{{ a }}\">", "data:text/html,x"),
        ])
    func inexpressible(format: Format, text: String, value: String) {
        #expect(problem(text, format, ["a": .text(value)]) != nil)
    }

    @Test("rows, nothing and HTML cannot be written as text")
    func kinds() {
        #expect(problem("{{ a }}", .lua, ["a": .rows([])])?.problem == .wrongKind("a"))
        #expect(problem("{{ a }}", .lua, ["a": .absent])?.problem == .wrongKind("a"))
        #expect(problem("x={{ a }}", .coturn, ["a": true])?.problem == .wrongKind("a"))
    }

    @Test("only a rendered piece of a page goes into another one unescaped")
    func fragments() throws {
        let piece = try Template(text: "<b>{{ name }}</b>", name: "piece", format: .html).fragment(["name": "<i>"])
        let page = try Template(text: "<p title=\"{{ t }}\">{{ body }}</p>", name: "page", format: .html)
        #expect(try page.render(["t": "\"<", "body": .html(piece)]) == "<p title=\"&quot;&lt;\"><b>&lt;i&gt;</b></p>")
        #expect(throws: TemplateError.self) { try page.render(["t": .html(piece), "body": "x"]) }
        #expect(throws: TemplateError.self) { try Template(text: "x", name: "l", format: .lua).fragment([:]) }
    }
}
