using System.Text.Json.Serialization;
using LoggingService.Files;
using LoggingService.Journal;
using LoggingService.Rendering;
using LoggingService.RoomLogs;

namespace LoggingService.Cli;

/// <summary>What a log directory says about a room. The names of its members are those of the JSON.</summary>
/// <param name="Links">The names of the links, which are those of the room's aliases.</param>
/// <param name="State"><c>logged</c>, <c>alias gone</c>, <c>parked</c> or <c>encrypted</c>.</param>
/// <param name="Events">The lines of all records.</param>
/// <param name="Bytes">The size of all files.</param>
/// <param name="LastEvent">Its time, by its homeserver.</param>
/// <param name="LastAlias">The last alias of a room without a link; <c>null</c> if it is not known.</param>
internal sealed record RoomSummary(
    string RoomId, IReadOnlyList<string> Links, string? Name, string State, long Events, long Bytes, DateOnly? FirstDay, DateOnly? LastDay,
    DateTimeOffset? LastEvent, string? LastAlias)
{
    private const int MaxAttempts = 10;

    /// <summary>Reads all rooms, in the order of their links and ids. What a running service removes meanwhile is left out.</summary>
    /// <exception cref="IOException">A folder can't be read.</exception>
    public static IReadOnlyList<RoomSummary> ReadAll(string root)
    {
        var entries = new DirectoryInfo(root).GetFileSystemInfos();
        var links = entries.Where(entry => entry.LinkTarget is not null).ToLookup(entry => entry.LinkTarget!, entry => entry.Name);
        return
        [
            .. entries.Where(entry => entry is DirectoryInfo { LinkTarget: null } && entry.Name.StartsWith('!'))
                .Select(entry => TryRead(root, entry.Name, [.. links[entry.Name].Order(StringComparer.Ordinal)]))
                .OfType<RoomSummary>()
                .OrderBy(room => room.Links.Count == 0)
                .ThenBy(room => room.Links.Count == 0 ? room.RoomId : room.Links[0], StringComparer.Ordinal),
        ];
    }

    /// <summary>Reads a room; <c>null</c> if it was removed.</summary>
    private static RoomSummary? TryRead(string root, string name, IReadOnlyList<string> links)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return Read(root, name, links);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                if (!Directory.Exists(Path.Combine(root, name)))
                {
                    return null;
                }

                if (attempt == MaxAttempts)
                {
                    throw;
                }

                // The service removed a day between the listing and the reading.
            }
        }
    }

    private static RoomSummary Read(string root, string name, IReadOnlyList<string> links)
    {
        var folder = Path.Combine(root, name);
        var files = new DirectoryInfo(folder).GetFiles().Where(file => file.LinkTarget is null).ToList();
        var days = DayFileName.In(folder).Where(file => file.IsRecord).Select(file => file.Day).Distinct().Order().ToList();
        var last = RoomRecords.FindLast(folder);
        var (events, isEncrypted) = ReadRecords(days.Select(day => Path.Combine(folder, DayFileName.Record(day).ToString())));
        var state = true switch
        {
            _ when Directory.Exists(Path.Combine(root, WriteAheadJournal.FolderName, name)) => "parked",
            _ when last is { IsNote: true, Type: Note.LoggingStopped } => "alias gone",
            _ => isEncrypted ? "encrypted" : "logged",
        };
        return new(
            last?.RoomId ?? name, links, RoomRecords.FindName(folder, long.MaxValue), state, events,
            files.Sum(file => file.Exists ? file.Length : 0),
            days.Count == 0 ? null : days[0], days.Count == 0 ? null : days[^1],
            last is null ? null : LogLine.Time(last, TimeZoneInfo.Local),
            links.Count == 0 ? RoomRecords.FindLastAlias(folder) : null);
    }

    private static (long Events, bool IsEncrypted) ReadRecords(IEnumerable<string> records)
    {
        var events = 0L;
        var isEncrypted = false;
        foreach (var line in records.SelectMany(RecordReader.Lines))
        {
            events++;
            isEncrypted = isEncrypted
                || (line.Bytes.Span.IndexOf("m.room.encryption"u8) >= 0
                    && RoomEvent.FromRecord(line.Bytes) is { StateKey: "", Type: "m.room.encryption" });
        }

        return (events, isEncrypted);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(IReadOnlyList<RoomSummary>))]
internal sealed partial class RoomSummaryJson : JsonSerializerContext;
