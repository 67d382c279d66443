import Appliance
import ArgumentParser
import DurableFiles
import ServerConfigs
import Settings

extension RenderCommand {
    /// What is made of the settings.
    enum Target: String, ExpressibleByArgument, CaseIterable {
        /// The servers' files on this machine.
        case host
        /// Containers for `docker compose` and `podman-compose`.
        case compose
        /// Containers for Podman under systemd.
        case quadlet
    }

    /// Makes the folders of the containers, and the files that their engine reads.
    func renderContainers(_ settings: Settings, _ locations: Locations) throws {
        guard overrides.values.isEmpty else {
            // They read snikket.conf, and nothing else.
            throw Failure(error: "containers take no --set", tryThis: "put it into \(locations.configuration)", code: .usage)
        }
        let ground = try ContainerGround(settings: settings, locations: locations)
        let files = target == .compose ? [try ground.containers.composeFile()] : try ground.containers.quadletFiles()
        let folder = output.map(absolutePath) ?? (target == .compose ? File.folder(of: locations.configuration) + "/containers" : Self.quadlets)
        if diff {
            let rendered = files.map { RenderedFile(path: "\(folder)/\($0.name)", text: $0.text, service: .nginx) }
            return print(try rendered.difference(), terminator: "")
        }
        try ground.prepare()
        do throws(FileError) {
            try Folder.make(folder, mode: 0o755)
            for file in files {
                let (path, bytes) = ("\(folder)/\(file.name)", Array(file.text.utf8))
                let isNew = try File.readIfThere(path) != bytes
                if isNew { try File.write(bytes, to: path, mode: 0o644) }
                print("\(path): \(isNew ? "written" : "unchanged")")
            }
        } catch {
            throw Failure(error)
        }
    }

    /// podman-systemd.unit(5)
    private static let quadlets = "/etc/containers/systemd"
}
