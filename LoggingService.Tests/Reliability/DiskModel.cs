using System.Security.Cryptography;
using System.Text;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// The possible states on disk of a folder that a process writes to, as strictly as POSIX allows: file data is durable after an
/// fsync of the file, a directory entry after an fsync of its folder; until then any part of the changes may be lost. The root
/// folder itself is durable.
/// </summary>
internal sealed class DiskModel(string root)
{
    private readonly Node _root = new(NodeKind.Folder);
    private readonly Dictionary<long, Node> _open = [];
    private readonly Dictionary<StraceLog.Call, (Node Node, long Changes)> _runningSyncs = [];
    private long _changes;

    private enum NodeKind
    {
        File,
        Folder,
        Link,
    }

    /// <summary>A change that isn't durable yet. All changes are numbered in order.</summary>
    internal abstract record Change(long Number);

    /// <summary>What a power cut leaves of the changes that aren't durable.</summary>
    /// <param name="Survives">Whether a change of a folder's names survives.</param>
    /// <param name="File">The content of a file, from the durable content and the changes.</param>
    internal sealed record Outcome(Func<Change, bool> Survives, Func<byte[], IReadOnlyList<Change>, byte[]> File)
    {
        /// <summary>All changes survive.</summary>
        public static Outcome All { get; } = new(_ => true, Apply);
    }

    internal sealed record Written(long Number, long Offset, byte[] Bytes) : Change(Number);

    internal sealed record Resized(long Number, long Length) : Change(Number);

    private sealed record EntriesChanged(long Number, (string Name, Node? Node)[] Names) : Change(Number);

    private sealed class Node(NodeKind kind, string target = "")
    {
        public NodeKind Kind => kind;

        public string Target => target;

        public byte[] Bytes { get; set; } = [];

        public Dictionary<string, Node> Names { get; set; } = [];

        public Dictionary<string, Node> CurrentNames { get; } = [];

        public List<Change> Unsynced { get; } = [];
    }

    /// <summary>A disk whose content is the folder's, all durable.</summary>
    public static DiskModel FromFolder(string folder)
    {
        var disk = new DiskModel(folder);
        Read(new DirectoryInfo(folder), disk._root);
        return disk;
    }

    /// <summary>The number of changes, durable or not.</summary>
    public long Changes => _changes;

    /// <summary>Starts a new process, which has no open files.</summary>
    public void BeginProcess()
    {
        _open.Clear();
        _runningSyncs.Clear();
    }

    /// <summary>Applies a system call and returns whether it changed the possible states after a power cut.</summary>
    public bool Apply(StraceLog.Call call, bool isEnd)
    {
        switch (call.Name, isEnd)
        {
            case ("close", false):
                _open.Remove(call.Number(0));
                return false;
            case ("fsync" or "fdatasync", false):
                if (_open.TryGetValue(call.Number(0), out var node))
                    _runningSyncs[call] = (node, _changes);
                return false;
            case ("syncfs", false):
                _runningSyncs[call] = (_root, _changes);
                return false;
            case ("syncfs", true):
                return _runningSyncs.Remove(call, out var all) && call.Result == 0 && SyncAll(all.Node, all.Changes);
            case ("fsync" or "fdatasync", true):
                return _runningSyncs.Remove(call, out var synced) && call.Result == 0 && Sync(synced.Node, synced.Changes);
            case (_, true) when call.Result is >= 0:
                return ApplyCompleted(call);
            default:
                return false;
        }
    }

    /// <summary>Removes a name, durably, as another program would while the service does not run.</summary>
    public void Remove(string path)
    {
        var folder = Folder(path)!;
        folder.Names.Remove(Path.GetFileName(path));
        folder.CurrentNames.Remove(Path.GetFileName(path));
    }

    /// <summary>Writes the state after a power cut to a folder, unless that is <c>null</c>, and returns a hash of the state.</summary>
    public string Write(Outcome outcome, string? to)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Write(_root, outcome, to, hash);
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>The content of a file after changes.</summary>
    public static byte[] Apply(byte[] bytes, IEnumerable<Change> changes) => changes.Aggregate(bytes, Set);

    private static void Read(DirectoryInfo from, Node into)
    {
        foreach (var entry in from.EnumerateFileSystemInfos())
        {
            var kind = entry is DirectoryInfo ? NodeKind.Folder : NodeKind.File;
            var node = entry.LinkTarget is { } target ? new Node(NodeKind.Link, target) : new Node(kind);
            if (node.Kind == NodeKind.Folder)
                Read((DirectoryInfo)entry, node);
            else if (node.Kind == NodeKind.File)
                node.Bytes = File.ReadAllBytes(entry.FullName);
            into.Names[entry.Name] = node;
            into.CurrentNames[entry.Name] = node;
        }
    }

    private bool ApplyCompleted(StraceLog.Call call)
    {
        switch (call.Name)
        {
            case "openat":
                return Open(call);
            case "mkdir":
                return SetEntry(call.Text(0), new Node(NodeKind.Folder));
            case "symlink":
                return SetEntry(call.Text(1), new Node(NodeKind.Link, call.Text(0)));
            case "unlink" or "rmdir":
                return SetEntry(call.Text(0), null);
            case "rename":
                return Rename(call.Text(0), call.Text(1));
            case "pwrite64":
                return _open.TryGetValue(call.Number(0), out var written)
                    && Add(written, new Written(NextNumber(), call.Number(3), call.Bytes(1)[..(int)call.Result!]));
            case "ftruncate":
                return _open.TryGetValue(call.Number(0), out var resized) && Add(resized, new Resized(NextNumber(), call.Number(1)));
            case "sendto" or "recvfrom" or "close":
                return false;
            default:
                // An unknown call on the folder must not count as one without effect.
                var isInside = call.Word(0).StartsWith('"')
                    ? IsInside(call.Text(0))
                    : long.TryParse(call.Word(0), out var file) && _open.ContainsKey(file);
                return isInside ? throw new NotSupportedException($"{call}") : false;
        }
    }

    private bool Open(StraceLog.Call call)
    {
        _open.Remove(call.Result!.Value);
        var path = call.Text(1);
        if (path == root)
        {
            _open[call.Result.Value] = _root;
            return false;
        }

        if (!IsInside(path) || Folder(path) is not { } folder)
            return false;
        var isNew = !folder.CurrentNames.TryGetValue(Path.GetFileName(path), out var node);
        if (isNew)
        {
            node = new Node(NodeKind.File);
            SetEntry(path, node);
        }

        _open[call.Result.Value] = node!;
        return (call.Word(2).Contains("O_TRUNC", StringComparison.Ordinal) && Add(node!, new Resized(NextNumber(), 0))) || isNew;
    }

    private long NextNumber()
    {
        _changes++;
        return _changes;
    }

    private bool IsInside(string path) => path.StartsWith(root + "/", StringComparison.Ordinal);

    private Node? Folder(string path)
    {
        if (!IsInside(path))
            return null;
        var node = _root;
        foreach (var name in path[(root.Length + 1)..].Split('/')[..^1])
            node = node.CurrentNames[name];
        return node.Kind == NodeKind.Folder ? node : throw new NotSupportedException($"{path}, through a link");
    }

    private bool SetEntry(string path, Node? node) =>
        Folder(path) is { } folder && Add(folder, new EntriesChanged(NextNumber(), [(Path.GetFileName(path), node)]));

    private bool Rename(string from, string to)
    {
        if (Folder(from) is not { } folder)
            return false;
        if (Folder(to) != folder)
            throw new NotSupportedException($"a rename from {from} to {to}");
        var node = folder.CurrentNames[Path.GetFileName(from)];
        return Add(folder, new EntriesChanged(NextNumber(), [(Path.GetFileName(from), null), (Path.GetFileName(to), node)]));
    }

    private static bool Add(Node node, Change change)
    {
        node.Unsynced.Add(change);
        if (change is EntriesChanged entries)
            Set(node.CurrentNames, entries);
        return true;
    }

    private static bool Sync(Node node, long changes)
    {
        foreach (var change in node.Unsynced.TakeWhile(change => change.Number <= changes))
        {
            if (change is EntriesChanged entries)
                Set(node.Names, entries);
            else
                node.Bytes = Set(node.Bytes, change);
        }

        return node.Unsynced.RemoveAll(change => change.Number <= changes) > 0;
    }

    private static bool SyncAll(Node node, long changes) =>
        Sync(node, changes) | node.CurrentNames.Values.Aggregate(false, (any, inside) => any | SyncAll(inside, changes));

    private static void Set(Dictionary<string, Node> names, EntriesChanged entries)
    {
        foreach (var (name, node) in entries.Names)
        {
            if (node is null)
                names.Remove(name);
            else
                names[name] = node;
        }
    }

    private static byte[] Set(byte[] bytes, Change change)
    {
        var written = change as Written;
        var length = written is null ? ((Resized)change).Length : Math.Max(bytes.Length, written.Offset + written.Bytes.Length);
        var changed = new byte[length];
        bytes.AsSpan(0, (int)Math.Min(bytes.Length, length)).CopyTo(changed);
        written?.Bytes.CopyTo(changed, written.Offset);
        return changed;
    }

    private static void Write(Node node, Outcome outcome, string? to, IncrementalHash hash)
    {
        switch (node.Kind)
        {
            case NodeKind.Link:
                hash.AppendData(Encoding.UTF8.GetBytes(node.Target));
                if (to is not null)
                    File.CreateSymbolicLink(to, node.Target);
                break;
            case NodeKind.File:
                var bytes = node.Unsynced.Count == 0 ? node.Bytes : outcome.File(node.Bytes, node.Unsynced);
                hash.AppendData(BitConverter.GetBytes(bytes.LongLength));
                hash.AppendData(bytes);
                if (to is not null)
                    File.WriteAllBytes(to, bytes);
                break;
            default:
                var names = new Dictionary<string, Node>(node.Names);
                foreach (var change in node.Unsynced.Where(outcome.Survives))
                    Set(names, (EntriesChanged)change);
                if (to is not null)
                    Directory.CreateDirectory(to);
                foreach (var (name, inside) in names.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    hash.AppendData(Encoding.UTF8.GetBytes($"{inside.Kind}/{name}/"));
                    Write(inside, outcome, to is null ? null : Path.Combine(to, name), hash);
                }

                hash.AppendData("/"u8);
                break;
        }
    }
}
