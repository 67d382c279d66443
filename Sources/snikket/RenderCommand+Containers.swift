import Appliance
import DurableFiles
import Glibc
import ServerConfigs
import Settings

extension RenderCommand {
    /// Makes the folders of the containers, and the files that their engine reads.
    func renderContainers(for engine: RenderTarget.Engine, _ settings: Settings, _ locations: Locations) throws {
        guard overrides.values.isEmpty else {
            throw Failure(
                error: "containers take no --set", cause: "they read snikket.conf, and nothing else",
                tryThis: "put it into \(locations.configuration)", code: .usage)
        }
        if settings.containers.network == .bridge, settings.sharesHTTPSPort || settings.isBehindProxy {
            // On a network of its own nginx has no loopback with the others, and sees the engine where the other web server is.
            throw Failure(
                error: "this takes the machine's network for all containers",
                cause: settings.sharesHTTPSPort ? "SNIKKET_ALL_ON_HTTPS_PORT is on" : "another web server stands in front",
                tryThis: "set SNIKKET_CONTAINER_NETWORK=host", code: .configuration)
        }
        let ground = try ContainerGround(settings: settings, locations: locations)
        let files = engine == .compose ? [try ground.containers.composeFile()] : try ground.containers.quadletFiles()
        let folder = output.map(absolutePath) ?? (engine == .compose ? File.folder(of: locations.configuration) + "/containers" : Self.quadlets)
        if diff {
            let rendered = files.map { RenderedFile(path: "\(folder)/\($0.name)", text: $0.text, service: .nginx) }
            return print(try rendered.difference(), terminator: "")
        }
        try ground.prepare()
        for notice in ground.containers.notices { print("\(notice.option): \(notice.reason)") }
        do throws(FileError) {
            try Folder.make(folder, mode: 0o755)
            var isChanged = false
            for file in files {
                let (path, bytes) = ("\(folder)/\(file.name)", Array(file.text.utf8))
                let isNew = try File.readIfThere(path) != bytes
                isChanged = isChanged || isNew
                if isNew { try File.write(bytes, to: path, mode: 0o644) }
                print("\(path): \(isNew ? "written" : "unchanged")")
            }
            let isRemoved = engine == .quadlet ? try removeUnits(in: folder, but: files.map(\.name)) : false
            guard isChanged || isRemoved else { return }
            // Servers take over what is in their settings; what is written here only their engine can.
            print(
                engine == .compose
                    ? "now: docker compose up -d --remove-orphans"
                    : "now: systemctl daemon-reload, and restart the units that were written" + (isRemoved ? " and stop those that were removed" : "")
            )
        } catch {
            throw Failure(error)
        }
    }

    /// Takes away what an earlier run has written and is not meant any more. Returns whether there was anything.
    private func removeUnits(in folder: String, but meant: [String]) throws(FileError) -> Bool {
        var isAny = false
        for name in Folder.names(in: folder) where name.hasPrefix("snikket") && !meant.contains(name) {
            let path = "\(folder)/\(name)"
            guard try File.read(path).starts(with: Array("# Written by `snikket render --target quadlet`".utf8)) else { continue }
            guard unlink(path) == 0 else { throw FileError(.write, path, errno: errno) }
            print("\(path): removed")
            isAny = true
        }
        return isAny
    }

    /// Where Podman looks for root's units, and for somebody else's (podman-systemd.unit(5)).
    private static var quadlets: String {
        guard geteuid() != 0, let home = getenv("HOME") else { return "/etc/containers/systemd" }
        return String(cString: home) + "/.config/containers/systemd"
    }
}
