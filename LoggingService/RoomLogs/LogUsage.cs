using System.IO.Enumeration;
using LoggingService.Journal;

namespace LoggingService.RoomLogs;

/// <summary>How many files of each kind the log directory has, and their bytes; read from the folders.</summary>
internal sealed class LogUsage
{
    private readonly Dictionary<string, (long Files, long Bytes)> _kinds = Kinds.ToDictionary(kind => kind, _ => (0L, 0L));

    public static IReadOnlyList<string> Kinds { get; } = ["text", "record", "ids", "quarantine", "journal", "other"];

    /// <summary>The files by kind.</summary>
    public IReadOnlyDictionary<string, (long Files, long Bytes)> Files => _kinds;

    /// <summary>The rooms that have a folder.</summary>
    public int Rooms { get; private set; }

    /// <summary>When a record was last written; <c>null</c> if there is none.</summary>
    public DateTimeOffset? RecordWrittenAt { get; private set; }

    /// <summary>Reads the sizes of all files. What is removed meanwhile is skipped.</summary>
    public static LogUsage Read(string root)
    {
        var usage = new LogUsage();
        usage.AddFolder(root, _ => "other", recurse: false);
        foreach (var folder in Enumerate(root, recurse: false, (ref entry) => (Name: entry.FileName.ToString(), entry.IsDirectory)))
        {
            if (!folder.IsDirectory)
            {
                continue;
            }

            var path = Path.Combine(root, folder.Name);
            switch (folder.Name)
            {
                case WriteAheadJournal.FolderName:
                    usage.AddFolder(path, _ => "journal", recurse: true);
                    break;
                case Quarantine.Folder:
                    usage.AddFolder(path, _ => "quarantine", recurse: true);
                    break;
                default:
                    usage.Rooms += folder.Name.StartsWith('!') ? 1 : 0;
                    usage.AddFolder(path, KindOf, recurse: true);
                    break;
            }
        }

        return usage;
    }

    private static string KindOf(ReadOnlySpan<char> name)
    {
        if (name.EndsWith(".gz"))
        {
            name = name[..^3];
        }

        return name.EndsWith(".log") ? "text" : name.EndsWith(".jsonl") ? "record" : name.EndsWith(".ids") ? "ids" : "other";
    }

    private void AddFolder(string folder, Func<ReadOnlySpan<char>, string> kindOf, bool recurse)
    {
        var files = Enumerate(folder, recurse, (ref entry) => entry.IsDirectory
            ? (null, 0, default)
            : (Kind: kindOf(entry.FileName), entry.Length, WrittenAt: entry.LastWriteTimeUtc));
        foreach (var (kind, length, writtenAt) in files)
        {
            if (kind is null)
            {
                continue;
            }

            var (count, bytes) = _kinds[kind];
            _kinds[kind] = (count + 1, bytes + length);
            if (kind == "record" && !(writtenAt <= RecordWrittenAt))
            {
                RecordWrittenAt = writtenAt;
            }
        }
    }

    /// <summary>The entries of a folder, without links.</summary>
    private static FileSystemEnumerable<T> Enumerate<T>(string folder, bool recurse, FileSystemEnumerable<T>.FindTransform transform) =>
        new(folder, transform, new EnumerationOptions
        {
            RecurseSubdirectories = recurse,
            AttributesToSkip = FileAttributes.ReparsePoint,
            IgnoreInaccessible = true,
        });
}
