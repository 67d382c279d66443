import Appliance
import Glibc

/// `snikket status --watch`: the table, again and again, also while the appliance is away.
struct StatusWatch {
    let client: ControlClient
    let terminal: Terminal
    let isJSON: Bool
    /// Milliseconds between two looks.
    private static let interval: Int32 = 2_000

    /// On a terminal it has the screen to itself and ends on `q` and Ctrl-C; elsewhere it prints one report after the other, and ends when nobody reads.
    func run() async throws {
        guard terminal.isInteractive, !isJSON else { return try await printOn() }
        let screen = try Screen()
        var last: (report: StatusReport, moment: Int)?
        while true {
            var absence: String?
            do throws(ApplianceError) {
                last = (try await client.status(within: .seconds(2)), now)
            } catch {
                absence = error.explanation.error
            }
            repeat {
                screen.draw(text(last, absence))
                switch screen.wait(milliseconds: Self.interval) {
                case .quit: return
                case .resized: continue
                case .time: break
                }
                break
            } while true
        }
    }

    private func text(_ last: (report: StatusReport, moment: Int)?, _ absence: String?) -> String {
        let colour = terminal.hasColour
        var lines: [String] = []
        if let absence {
            lines.append(Colour.red.paint("\(absence); looked at again every two seconds", if: colour))
            if let last { lines.append(Colour.dim.paint("how it was at \(RFC3339.text(last.moment)):", if: colour)) }
            lines.append("")
        }
        // What was true then keeps its times.
        if let last { lines.append(StatusTable(last.report, now: absence == nil ? now : last.moment, colour: colour).text) }
        lines += ["", Colour.dim.paint("q ends it", if: colour)]
        return lines.joined(separator: "\n")
    }

    private func printOn() async throws {
        while true {
            do throws(ApplianceError) {
                let report = try await client.status()
                let text =
                    isJSON ? String(decoding: (try? report.json()) ?? [], as: UTF8.self) : StatusTable(report, now: now, colour: false).text + "\n"
                guard terminal.printed(text) else { return }
            } catch {
                // Somebody may be piping this into a program: what is wrong is for the person beside it.
                Terminal.standardError.print("snikket: \(error.explanation.error)")
            }
            try await Task.sleep(for: .milliseconds(Int64(Self.interval)))
        }
    }

    private var now: Int { time(nil) }
}
