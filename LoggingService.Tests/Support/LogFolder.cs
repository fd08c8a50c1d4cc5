using System.Text;
using System.Text.Json;
using LoggingService.Events;

namespace LoggingService.Tests.Support;

/// <summary>Reads a log directory as any other program can.</summary>
internal static class LogFolder
{
    /// <summary>The event ids of a room's records, in order, without the notes; empty for an unknown room.</summary>
    public static IReadOnlyList<string> EventIds(string logs, string room) =>
        !Directory.Exists(Path.Combine(logs, room)) ? [] :
        [
            .. from file in Directory.GetFiles(Path.Combine(logs, room), "*.jsonl").Order(StringComparer.Ordinal)
               from line in File.ReadLines(file)
               where !Note.IsRecord(Encoding.UTF8.GetBytes(line))
               select JsonElement.Parse(line).GetProperty("event_id").GetString()!,
        ];

    /// <summary>
    /// Whether a room's records contain events, and its texts a line for each line of the records: a process writes them after its
    /// response.
    /// </summary>
    public static bool HasLogged(string logs, string room, IReadOnlyCollection<string> eventIds)
    {
        var folder = Path.Combine(logs, room);
        if (!Directory.Exists(folder))
        {
            return false;
        }

        var records = Directory.GetFiles(folder, "*.jsonl").Where(File.Exists).ToList();
        var content = string.Concat(records.Select(File.ReadAllText));
        return eventIds.All(id => content.Contains($"\"event_id\":\"{id}\"", StringComparison.Ordinal))
            && content.EndsWith('\n')
            && records.All(record => IsTextComplete(record));
    }

    /// <summary>
    /// Each text has one line for each event of its record, in the same order, ending with the event's message; notes have any line.
    /// </summary>
    public static void AssertLineForLine(string logs)
    {
        foreach (var record in Directory.GetDirectories(logs, "!*").SelectMany(folder => Directory.GetFiles(folder, "*.jsonl")))
        {
            var events = File.ReadLines(record).Select(line => JsonElement.Parse(line)).ToList();
            var lines = File.ReadAllLines(Path.ChangeExtension(record, ".log"));
            Assert.Equal(events.Count, lines.Length);
            var pushed = events.Zip(lines).Where(pair => !pair.First.TryGetProperty("note", out _)).ToList();
            Assert.Equal(
                pushed.Select(pair => pair.First.GetProperty("content").GetProperty("body").GetString()!),
                pushed.Select(pair => pair.Second[(pair.Second.IndexOf("> ", StringComparison.Ordinal) + 2)..]));
        }
    }

    private static bool IsTextComplete(string record)
    {
        var text = Path.ChangeExtension(record, ".log");
        return File.Exists(text) && File.ReadAllText(text).Count(c => c == '\n') == File.ReadAllText(record).Count(c => c == '\n');
    }

    /// <summary>The paths of the journal's segments.</summary>
    public static string[] Segments(string logs)
    {
        var journal = Path.Combine(logs, ".journal");
        return Directory.Exists(journal) ? [.. Directory.GetFiles(journal, "0*").Order(StringComparer.Ordinal)] : [];
    }

    /// <summary>The paths of a parked room's segments.</summary>
    public static string[] ParkedSegments(string logs, string room)
    {
        var parked = Path.Combine(logs, ".journal", room);
        return Directory.Exists(parked) ? [.. Directory.GetFiles(parked).Order(StringComparer.Ordinal)] : [];
    }

    /// <summary>A number that changes with every write to the journal, also when a recycled segment is overwritten.</summary>
    public static long JournalTimestamp(string logs) =>
        Segments(logs).Sum(path => File.Exists(path) ? new FileInfo(path).LastWriteTimeUtc.Ticks : 0);

    /// <summary>The path of the segment that the journal keeps for reuse.</summary>
    public static string Spare(string logs) => Path.Combine(logs, ".journal", "spare");

    /// <summary>
    /// Copies a log directory, links included, as a kill would leave it. The original may be in use: the journal is copied first, since
    /// the files may get its events meanwhile.
    /// </summary>
    public static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to, File.GetUnixFileMode(from));
        foreach (var entry in new DirectoryInfo(from).GetFileSystemInfos().OrderBy(entry => entry.Name != ".journal"))
        {
            var copy = Path.Combine(to, entry.Name);
            try
            {
                if (entry.LinkTarget is { } target)
                    File.CreateSymbolicLink(copy, target);
                else if (entry is DirectoryInfo)
                    Copy(entry.FullName, copy);
                else if (entry.Name != ".lock")
                    File.Copy(entry.FullName, copy);
            }
            catch (IOException e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                // A temporary file, or a segment that a checkpoint dropped: its events are in the files that are copied later.
            }
        }
    }
}
