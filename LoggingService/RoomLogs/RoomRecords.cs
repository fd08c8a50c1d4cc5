using LoggingService.Files;
using LoggingService.Homeserver;
using LoggingService.Rooms;

namespace LoggingService.RoomLogs;

/// <summary>What the records of rooms say about their aliases and names, read from the files.</summary>
internal static class RoomRecords
{
    /// <summary>
    /// The last line of a room's record that tells whether the room is logged (<see cref="Note.TellsIfLogged"/>), and was not fetched;
    /// <c>null</c> if there is none, or it can't be read.
    /// </summary>
    public static RoomEvent? FindLast(string root, string roomId) => FindLast(Path.Combine(root, FolderName.ForRoom(roomId)));

    /// <summary>As the other one, in a room's folder.</summary>
    public static RoomEvent? FindLast(string folder) => FindNewest(folder, ReadLast);

    /// <summary>
    /// The id of a folder's room, from its name or, where that was truncated, from a line of its records; <c>null</c> if neither says it,
    /// as in a folder that another program renamed.
    /// </summary>
    public static string? FindRoomId(string folder)
    {
        var name = Path.GetFileName(folder);
        return FolderName.ToRoomId(name) ?? FindNewest(folder, record => ReadFirstOf(record, name))?.RoomId;
    }

    /// <summary>The newest state event of a type with an empty state key; <c>null</c> if there is none, or it can't be read.</summary>
    public static RoomEvent? FindState(string folder, ReadOnlySpan<byte> type)
    {
        var needle = type.ToArray();
        return FindNewest(folder, record => ReadState(record, needle));
    }

    /// <summary>
    /// The room's name; <c>null</c> if it has none, if the name was removed (as the records of its day and later ones tell), or if they
    /// can't be read.
    /// </summary>
    /// <param name="maxBytes">No further record is searched behind these.</param>
    public static string? FindName(string folder, long maxBytes)
    {
        var removed = new HashSet<string>();
        var newest = FindNewest(folder, record => ReadName(record, removed), maxBytes);
        return newest is null || removed.Contains(newest.EventId) || (newest.Sender is { } sender && removed.Contains(sender))
            ? null
            : newest.Content["name"u8].AsString();
    }

    /// <summary>The newest note about an alias of the room, as far back as its newest day tells; <c>null</c> if there is none.</summary>
    public static RoomEvent? FindAliasNote(string folder)
    {
        try
        {
            if (DayFileName.In(folder).Where(name => name.IsRecord).Max(name => (DateOnly?)name.Day) is not { } day)
            {
                return null;
            }

            using var file = DayFile.Open(Path.Combine(folder, DayFileName.Record(day).ToString()));
            return RecordReader.Newest(file.ReadAt, file.Length, "\"type\":\"alias."u8.ToArray(), e => e.IsNote)?.Event;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The last alias of a room, as its notes or else its canonical alias tell; <c>null</c> if they don't.</summary>
    public static string? FindLastAlias(string folder) =>
        FindNewest(folder, ReadAliasNote) is { } note
            ? note.Content["alias"u8].AsString()
            : FindState(folder, "m.room.canonical_alias"u8)?.Content["alias"u8].AsString();

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
                yield return (state.RoomId, [.. AliasSearch.GetHints(state.Content)]);
            }
            else if (FindLast(folder)?.RoomId is { } roomId)
            {
                yield return (roomId, []);
            }
        }
    }

    /// <summary>What is found in the newest record that has it.</summary>
    private static RoomEvent? FindNewest(string folder, Func<string, RoomEvent?> read, long maxBytes = long.MaxValue)
    {
        try
        {
            return DayFileName.In(folder)
                .Where(name => name.IsRecord)
                .Select(name => name.Day)
                .Distinct()
                .OrderDescending()
                .Select(day => Path.Combine(folder, DayFileName.Record(day).ToString()))
                .TakeWhile(record => maxBytes == long.MaxValue || (maxBytes -= LengthOf(record)) >= 0)
                .Select(read)
                .FirstOrDefault(e => e is not null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static RoomEvent? ReadAliasNote(string record)
    {
        using var file = DayFile.Open(record);
        var found = RecordReader.Newest(
            file.ReadAt,
            file.Length,
            ",\"note\":true}"u8.ToArray(),
            e => e is { IsNote: true, Type: Note.AliasAdded or Note.AliasRemoved or Note.LoggingStopped }
                && e.Content["alias"u8].AsString() is not null,
            lookBack: long.MaxValue);
        return found?.Event;
    }

    /// <summary>The first event of the room of a folder; <c>null</c> also if the record can't be read: another one may be.</summary>
    private static RoomEvent? ReadFirstOf(string record, string folder)
    {
        try
        {
            return RecordReader.Lines(record)
                .Select(line => RoomEvent.FromRecord(line.Bytes) is { } e && FolderName.ForRoom(e.RoomId) == folder ? e.Copy() : null)
                .FirstOrDefault(e => e is not null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

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

    private static long LengthOf(string record)
    {
        using var file = DayFile.Open(record);
        return file.Length;
    }

    private static RoomEvent? ReadLast(string record)
    {
        using var file = DayFile.Open(record);
        return RecordReader.Newest(
            file.ReadAt, file.Length, "{"u8.ToArray(), e => e.FetchedTs is null && Note.TellsIfLogged(e), lookBack: long.MaxValue)?.Event;
    }
}
