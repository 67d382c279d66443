public import DurableFiles
internal import FoundationEssentials
internal import Glibc

/// The certificates of the appliance on disk: `current` is the one in use, and changes in one step. No crypto here: what is
/// put in has been checked by the certificate program.
public struct CertificateStore: Sendable {
    /// `Locations.certificates`.
    public let folder: String

    public init(folder: String) { self.folder = folder }

    /// A certificate and its key, in place.
    public struct Stored: Sendable, Equatable {
        public var record: CertificateRecord
        /// PEM: the certificate, then its issuers.
        public var fullChain: String
        /// PEM, mode 0600.
        public var privateKey: String
    }

    /// The certificate in use; nil when there is none yet.
    public func current() throws(StoreError) -> Stored? {
        guard let name = SymbolicLink.target(of: "\(folder)/current") else { return nil }
        let unit = "\(folder)/\(name)"
        let (chain, key) = ("\(unit)/\(PairFolder.chainName)", "\(unit)/\(PairFolder.keyName)")
        // Without a record it is not from us, and as good as none.
        guard let bytes = try content("\(unit)/\(PairFolder.recordName)"), access(chain, F_OK) == 0, access(key, F_OK) == 0 else { return nil }
        // A damaged one too: then a new certificate is had, which mends it.
        guard let record = try? JSONDecoder().decode(CertificateRecord.self, from: Data(bytes)) else { return nil }
        return Stored(record: record, fullChain: chain, privateKey: key)
    }

    /// The certificate in use, if it holds every one of the names and has not ended. `now` in seconds since 1970.
    public func current(covering names: [String], now: Int) throws(StoreError) -> Stored? {
        guard let stored = try current(), stored.record.covers(names), stored.record.notAfter > now else { return nil }
        return stored
    }

    /// Puts a certificate into use. The caller holds the ``lock()``.
    @discardableResult
    public func install(chain: [UInt8], key: [UInt8], record: CertificateRecord) throws(StoreError) -> Stored {
        let bytes = try encoded(record)
        try onDisk { () throws(FileError) in
            try PairFolder(path: folder).replace(chain: chain, key: key, record: bytes, serial: record.serial, owner: nil)
        }
        guard let stored = try current() else { throw .damaged(path: folder) }
        return stored
    }

    /// Copies the certificate and its key into a server's own folder, as `fullchain.pem` and `privkey.pem`, mode 0600.
    /// Both change together. The owner owns the files, not the folder. Says whether they are others than before: then the server has to load them.
    public func deploy(_ stored: Stored, to destination: String, owner: Account?) throws(StoreError) -> Bool {
        let (chain, key) = try onDisk { () throws(FileError) in (try File.read(stored.fullChain), try File.read(stored.privateKey)) }
        let present = (try content("\(destination)/\(PairFolder.chainName)"), try content("\(destination)/\(PairFolder.keyName)"))
        if present.0 == chain, present.1 == key { return false }
        // A server must not be able to have its files written elsewhere, by us who may write everywhere.
        guard SymbolicLink.target(of: destination) == nil else { throw .file(FileError(.write, destination, errno: ENOTDIR)) }
        let record = try encoded(stored.record)
        try onDisk { () throws(FileError) in
            try PairFolder(path: destination, folderMode: 0o711).replace(
                chain: chain, key: key, record: record, serial: stored.record.serial, owner: owner)
        }
        return true
    }

    private func content(_ path: String) throws(StoreError) -> [UInt8]? {
        try onDisk { () throws(FileError) in try File.readIfThere(path) }
    }
}

/// JSON, one line, keys in order.
func encoded(_ value: some Encodable) throws(StoreError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value) else { throw .damaged(path: "") }
    return Array(data)
}
