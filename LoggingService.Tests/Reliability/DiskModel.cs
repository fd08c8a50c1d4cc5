using System.Security.Cryptography;
using System.Text;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// What a disk may hold of a folder while a process writes it, as strictly as POSIX has it: what a file holds is durable
/// after its fsync, its name after an fsync of its folder, and until then any part of what was done may be there or not.
/// </summary>
/// <param name="root">The folder, which is durable itself.</param>
internal sealed class DiskModel(string root)
{
    private readonly Node _root = new(NodeKind.Folder);
    private readonly Dictionary<long, Node> _open = [];
    private readonly Dictionary<StraceLog.Call, (Node Node, long Changes)> _syncing = [];
    private long _changes;

    private enum NodeKind
    {
        File,
        Folder,
        Link,
    }

    /// <summary>Something that was done and that no fsync has made durable yet.</summary>
    /// <param name="Number">They are counted, all together.</param>
    internal abstract record Change(long Number);

    /// <summary>Bytes that were written into a file.</summary>
    internal sealed record Written(long Number, long Offset, byte[] Bytes) : Change(Number);

    /// <summary>A file that was cut, or lengthened.</summary>
    internal sealed record Resized(long Number, long Length) : Change(Number);

    private sealed record Renamed(long Number, (string Name, Node? Node)[] Names) : Change(Number);

    private sealed class Node(NodeKind kind, string target = "")
    {
        public NodeKind Kind => kind;

        public string Target => target;

        public byte[] Bytes { get; set; } = [];

        public Dictionary<string, Node> Names { get; set; } = [];

        public Dictionary<string, Node> NamesNow { get; } = [];

        public List<Change> Unsynced { get; } = [];
    }

    /// <summary>The disk of a folder that has long been written.</summary>
    public static DiskModel Of(string folder)
    {
        var disk = new DiskModel(folder);
        Take(new DirectoryInfo(folder), disk._root);
        return disk;
    }

    /// <summary>How many changes there were, durable or not.</summary>
    public long Changes => _changes;

    /// <summary>Another process begins: it has no files open.</summary>
    public void Begin()
    {
        _open.Clear();
        _syncing.Clear();
    }

    /// <summary>Takes note of a call.</summary>
    /// <returns>Whether it changed what a power cut would leave.</returns>
    public bool Apply(StraceLog.Call call, bool isEnd)
    {
        switch (call.Name, isEnd)
        {
            case ("close", false):
                _open.Remove(call.Number(0));
                return false;
            case ("fsync" or "fdatasync", false):
                if (_open.TryGetValue(call.Number(0), out var syncing))
                    _syncing[call] = (syncing, _changes);
                return false;
            case ("syncfs", false):
                _syncing[call] = (_root, _changes);
                return false;
            case ("syncfs", true):
                return _syncing.Remove(call, out var all) && call.Result == 0 && SyncAll(all.Node, all.Changes);
            case ("fsync" or "fdatasync", true):
                return _syncing.Remove(call, out var synced) && call.Result == 0 && Sync(synced.Node, synced.Changes);
            case (_, true) when call.Result is >= 0:
                return Done(call);
            default:
                return false;
        }
    }

    /// <summary>Makes the folder as a power cut would leave it now.</summary>
    /// <param name="fate">What becomes of a change that is not durable: it, a part of it, or <c>null</c>.</param>
    /// <param name="to">Where; <c>null</c> to only learn the name of the result.</param>
    /// <returns>A name that two equal results have both.</returns>
    public string Leave(Func<Change, Change?> fate, string? to)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Leave(_root, fate, to, hash);
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static void Take(DirectoryInfo from, Node into)
    {
        foreach (var entry in from.EnumerateFileSystemInfos())
        {
            var node = new Node(entry.LinkTarget is not null ? NodeKind.Link : entry is DirectoryInfo ? NodeKind.Folder : NodeKind.File, entry.LinkTarget ?? "");
            if (node.Kind == NodeKind.Folder)
                Take((DirectoryInfo)entry, node);
            else if (node.Kind == NodeKind.File)
                node.Bytes = File.ReadAllBytes(entry.FullName);
            into.Names[entry.Name] = into.NamesNow[entry.Name] = node;
        }
    }

    private bool Done(StraceLog.Call call)
    {
        switch (call.Name)
        {
            case "openat":
                return Open(call);
            case "mkdir":
                return Name(call.Text(0), new Node(NodeKind.Folder));
            case "symlink":
                return Name(call.Text(1), new Node(NodeKind.Link, call.Text(0)));
            case "unlink":
                return Name(call.Text(0), null);
            case "rename":
                return Rename(call.Text(0), call.Text(1));
            case "pwrite64":
                return _open.TryGetValue(call.Number(0), out var written) && Add(written, new Written(++_changes, call.Number(3), call.Bytes(1)[..(int)call.Result!]));
            case "ftruncate":
                return _open.TryGetValue(call.Number(0), out var resized) && Add(resized, new Resized(++_changes, call.Number(1)));
            case "sendto" or "recvfrom" or "close":
                return false;
            default:
                // A way to write that isn't thought of here must not pass for one that changes nothing.
                var isOurs = call.Word(0).StartsWith('"') ? IsInside(call.Text(0)) : long.TryParse(call.Word(0), out var file) && _open.ContainsKey(file);
                return isOurs ? throw new NotSupportedException($"{call}") : false;
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
        var isNew = !folder.NamesNow.TryGetValue(Path.GetFileName(path), out var node);
        if (isNew)
            Name(path, node = new Node(NodeKind.File));
        _open[call.Result.Value] = node!;
        return (call.Word(2).Contains("O_TRUNC", StringComparison.Ordinal) && Add(node!, new Resized(++_changes, 0))) || isNew;
    }

    private bool IsInside(string path) => path.StartsWith(root + "/", StringComparison.Ordinal);

    private Node? Folder(string path)
    {
        if (!IsInside(path))
            return null;
        var node = _root;
        foreach (var name in path[(root.Length + 1)..].Split('/')[..^1])
            node = node.NamesNow[name];
        return node.Kind == NodeKind.Folder ? node : throw new NotSupportedException($"{path}, through a link");
    }

    private bool Name(string path, Node? node) => Folder(path) is { } folder && Add(folder, new Renamed(++_changes, [(Path.GetFileName(path), node)]));

    private bool Rename(string from, string to)
    {
        if (Folder(from) is not { } folder)
            return false;
        if (Folder(to) != folder)
            throw new NotSupportedException($"a rename from {from} to {to}");
        return Add(folder, new Renamed(++_changes, [(Path.GetFileName(from), null), (Path.GetFileName(to), folder.NamesNow[Path.GetFileName(from)])]));
    }

    private static bool Add(Node node, Change change)
    {
        node.Unsynced.Add(change);
        if (change is Renamed renamed)
            Set(node.NamesNow, renamed);
        return true;
    }

    private static bool Sync(Node node, long changes)
    {
        foreach (var change in node.Unsynced.TakeWhile(change => change.Number <= changes))
        {
            if (change is Renamed renamed)
                Set(node.Names, renamed);
            else
                node.Bytes = Set(node.Bytes, change);
        }

        return node.Unsynced.RemoveAll(change => change.Number <= changes) > 0;
    }

    private static bool SyncAll(Node node, long changes) =>
        Sync(node, changes) | node.NamesNow.Values.Aggregate(false, (any, inside) => any | SyncAll(inside, changes));

    private static void Set(Dictionary<string, Node> names, Renamed renamed)
    {
        foreach (var (name, node) in renamed.Names)
        {
            if (node is null)
                names.Remove(name);
            else
                names[name] = node;
        }
    }

    private static byte[] Set(byte[] bytes, Change change)
    {
        var length = change is Written written ? Math.Max(bytes.Length, written.Offset + written.Bytes.Length) : ((Resized)change).Length;
        var changed = new byte[length];
        bytes.AsSpan(0, (int)Math.Min(bytes.Length, length)).CopyTo(changed);
        (change as Written)?.Bytes.CopyTo(changed, ((Written)change).Offset);
        return changed;
    }

    private static void Leave(Node node, Func<Change, Change?> fate, string? to, IncrementalHash hash)
    {
        var changes = node.Unsynced.Select(fate).OfType<Change>();
        switch (node.Kind)
        {
            case NodeKind.Link:
                hash.AppendData(Encoding.UTF8.GetBytes(node.Target));
                if (to is not null)
                    File.CreateSymbolicLink(to, node.Target);
                break;
            case NodeKind.File:
                var bytes = changes.Aggregate(node.Bytes, Set);
                hash.AppendData(BitConverter.GetBytes(bytes.LongLength));
                hash.AppendData(bytes);
                if (to is not null)
                    File.WriteAllBytes(to, bytes);
                break;
            default:
                var names = new Dictionary<string, Node>(node.Names);
                foreach (var change in changes)
                    Set(names, (Renamed)change);
                if (to is not null)
                    Directory.CreateDirectory(to);
                foreach (var (name, inside) in names.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    hash.AppendData(Encoding.UTF8.GetBytes($"{inside.Kind}/{name}/"));
                    Leave(inside, fate, to is null ? null : Path.Combine(to, name), hash);
                }

                hash.AppendData("/"u8);
                break;
        }
    }
}
