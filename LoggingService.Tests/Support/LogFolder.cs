using System.Text.Json;

namespace LoggingService.Tests.Support;

/// <summary>Reads a log directory as any other program can.</summary>
internal static class LogFolder
{
    /// <summary>The event ids of a room's records, in order; empty for an unknown room.</summary>
    public static IReadOnlyList<string> EventIds(string logs, string room) =>
        !Directory.Exists(Path.Combine(logs, room)) ? [] :
        [
            .. from file in Directory.GetFiles(Path.Combine(logs, room), "*.jsonl").Order(StringComparer.Ordinal)
               from line in File.ReadLines(file)
               select JsonElement.Parse(line).GetProperty("event_id").GetString()!,
        ];

    /// <summary>Each text has one line for each event of its record, in the same order, ending with the event's message.</summary>
    public static void AssertLineForLine(string logs)
    {
        foreach (var record in Directory.GetDirectories(logs, "!*").SelectMany(folder => Directory.GetFiles(folder, "*.jsonl")))
        {
            var events = File.ReadLines(record).Select(line => JsonElement.Parse(line));
            var bodies = events.Select(e => e.GetProperty("content").GetProperty("body").GetString()!);
            var lines = File.ReadLines(Path.ChangeExtension(record, ".log"));
            Assert.Equal(bodies, lines.Select(line => line[(line.IndexOf("> ", StringComparison.Ordinal) + 2)..]));
        }
    }

    /// <summary>The paths of the journal's segments.</summary>
    public static string[] Segments(string logs)
    {
        var journal = Path.Combine(logs, ".journal");
        return Directory.Exists(journal) ? [.. Directory.GetFiles(journal, "0*").Order(StringComparer.Ordinal)] : [];
    }

    /// <summary>A number that changes with every write to the journal, also when a recycled segment is overwritten.</summary>
    public static long JournalTimestamp(string logs) =>
        Segments(logs).Sum(path => File.Exists(path) ? new FileInfo(path).LastWriteTimeUtc.Ticks : 0);

    /// <summary>The path of the segment that the journal keeps for reuse.</summary>
    public static string Spare(string logs) => Path.Combine(logs, ".journal", "spare");

    /// <summary>Copies a log directory, links included, as a kill would leave it. The original may be in use.</summary>
    public static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var entry in new DirectoryInfo(from).EnumerateFileSystemInfos())
        {
            var copy = Path.Combine(to, entry.Name);
            if (entry.LinkTarget is { } target)
                File.CreateSymbolicLink(copy, target);
            else if (entry is DirectoryInfo)
                Copy(entry.FullName, copy);
            else if (entry.Name != ".lock")
                File.Copy(entry.FullName, copy);
        }
    }
}
