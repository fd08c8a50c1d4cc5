using LoggingService.Files;
using LoggingService.Homeserver;
using LoggingService.Rooms;

namespace LoggingService.RoomLogs;

/// <summary>What the records of rooms say about their aliases and names, read from the files.</summary>
internal static class RoomRecords
{
    private const int TailBytes = 8 * 1024;

    /// <summary>The last event in a room's record, which may be a note; <c>null</c> if there is none, or it can't be read.</summary>
    public static RoomEvent? FindLast(string root, string roomId) => FindLast(Path.Combine(root, FolderName.ForRoom(roomId)));

    /// <summary>As the other one, in a room's folder.</summary>
    public static RoomEvent? FindLast(string folder)
    {
        try
        {
            return Posix.Stat(folder) is not null && RoomFolder.NewestDayBefore(folder, DateOnly.MaxValue) is { } day
                ? ReadLast(Path.Combine(folder, DayFileName.Record(day).ToString()))
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The newest state event of a type with an empty state key; <c>null</c> if there is none, or it can't be read.</summary>
    public static RoomEvent? FindState(string folder, ReadOnlySpan<byte> type)
    {
        try
        {
            var needle = type.ToArray();
            return RecordsOf(folder).Select(record => ReadState(record, needle)).FirstOrDefault(e => e is not null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// The room's name; <c>null</c> if it has none, if the name was removed (as the records of its day and later ones tell), or if they
    /// can't be read.
    /// </summary>
    /// <param name="maxBytes">No further record is searched behind these.</param>
    public static string? FindName(string folder, long maxBytes)
    {
        try
        {
            var removed = new HashSet<string>();
            var newest = RecordsOf(folder)
                .TakeWhile(record => (maxBytes -= new FileInfo(record).Length) >= 0)
                .Select(record => ReadName(record, removed))
                .FirstOrDefault(e => e is not null);
            return newest is null || removed.Contains(newest.EventId) || (newest.Sender is { } sender && removed.Contains(sender))
                ? null
                : newest.Content["name"u8].AsString();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Whether a later event removes another one, or all events of its sender.</summary>
    public static bool IsRemovedBy(RoomEvent e, RoomEvent later) =>
        RemovedBy(later) is { } target && (target == e.EventId || target == e.Sender);

    /// <summary>The rooms to which no alias is linked, with the aliases that their records name.</summary>
    public static IEnumerable<(string RoomId, IReadOnlyList<RoomAlias> Hints)> FindUnlinked(string root)
    {
        var linked = new HashSet<string>();
        var rooms = new List<string>();
        foreach (var folder in new DirectoryInfo(root).EnumerateDirectories())
        {
            if (folder.LinkTarget is { } target)
            {
                linked.Add(target);
            }
            else if (folder.Name.StartsWith('!'))
            {
                rooms.Add(folder.Name);
            }
        }

        foreach (var name in rooms.Where(name => !linked.Contains(name)))
        {
            var folder = Path.Combine(root, name);
            if (FindState(folder, "m.room.canonical_alias"u8) is { } state)
            {
                yield return (state.RoomId, [.. RoomAliases.GetHints(state.Content)]);
            }
            else if (FindRoomId(folder) is { } roomId)
            {
                yield return (roomId, []);
            }
        }
    }

    private static string? FindRoomId(string folder)
    {
        try
        {
            return RecordsOf(folder).Select(record => ReadLast(record)?.RoomId).FirstOrDefault(roomId => roomId is not null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The newest day first.</summary>
    private static IEnumerable<string> RecordsOf(string folder) => DayFileName.In(folder)
        .Where(name => name.IsRecord)
        .OrderByDescending(name => name.Day)
        .Select(name => Path.Combine(folder, name.ToString()));

    private static RoomEvent? ReadState(string record, byte[] type)
    {
        RoomEvent? newest = null;
        foreach (var line in RecordReader.Lines(record))
        {
            // Most lines don't contain the type; one with JSON escapes is not found.
            if (line.Bytes.Span.IndexOf(type) >= 0
                && RoomEvent.FromRecord(line.Bytes) is { StateKey: "", TypeText: { } found } e
                && found.Span.SequenceEqual(type))
            {
                newest = e.Copy();
            }
        }

        return newest;
    }

    /// <summary>The newest event that sets the room's name.</summary>
    /// <param name="removed">Receives the ids of events, and of users all of whose events, that the record removes.</param>
    private static RoomEvent? ReadName(string record, HashSet<string> removed)
    {
        RoomEvent? newest = null;
        var removedHere = new HashSet<string>();
        foreach (var line in RecordReader.Lines(record))
        {
            var bytes = line.Bytes.Span;
            if ((bytes.IndexOf("m.room.name"u8) < 0 && bytes.IndexOf("redact"u8) < 0) || RoomEvent.FromRecord(line.Bytes) is not { } e)
            {
                continue;
            }

            if (e is { Type: "m.room.name", StateKey: "" })
            {
                // Of the sender only earlier events were removed.
                newest = e.Copy();
                removedHere.Remove(e.Sender ?? "");
            }
            else if (RemovedBy(e) is { } target)
            {
                removedHere.Add(target);
            }
        }

        removed.UnionWith(removedHere);
        return newest;
    }

    private static string? RemovedBy(RoomEvent e) =>
        EventKeys.Of(e) is { Relation: EventIdKind.Redaction, Target: { } target } ? target : null;

    private static RoomEvent? ReadLast(string record)
    {
        using var file = Posix.OpenRead(record);
        for (long size = TailBytes; ; size *= 4)
        {
            var start = Math.Max(0, file.Length - size);
            var tail = new byte[file.Length - start];
            file.Position = start;
            file.ReadAtLeast(tail, tail.Length, throwOnEndOfStream: false);
            for (var rest = tail.AsMemory(); ;)
            {
                var lineStart = rest.Span.LastIndexOf((byte)'\n') + 1;
                if (lineStart == 0 && start > 0)
                {
                    break;
                }

                if (RoomEvent.FromRecord(rest[lineStart..]) is { } last)
                {
                    return last.Copy();
                }

                if (lineStart == 0)
                {
                    return null;
                }

                rest = rest[..(lineStart - 1)];
            }
        }
    }
}
