using System.Text.Json;

namespace LoggingService.Tests.Support;

/// <summary>What the logs say, read from the files as anybody could.</summary>
internal static class LogFolder
{
    /// <summary>The event ids of a room's records, in their order; none where there is no such room.</summary>
    public static IReadOnlyList<string> EventIds(string logs, string room) =>
        !Directory.Exists(Path.Combine(logs, room)) ? [] :
        [
            .. from file in Directory.GetFiles(Path.Combine(logs, room), "*.jsonl").Order(StringComparer.Ordinal)
               from line in File.ReadLines(file)
               select JsonElement.Parse(line).GetProperty("event_id").GetString()!,
        ];

    /// <summary>Each day's text has a line for each line of its record, and the line is that event's: its message at the end.</summary>
    public static void AssertLineForLine(string logs)
    {
        foreach (var record in Directory.GetDirectories(logs, "!*").SelectMany(folder => Directory.GetFiles(folder, "*.jsonl")))
        {
            var said = File.ReadLines(record).Select(line => JsonElement.Parse(line).GetProperty("content").GetProperty("body").GetString()!);
            var written = File.ReadLines(Path.ChangeExtension(record, ".log"));
            Assert.Equal(said, written.Select(line => line[(line.IndexOf("> ", StringComparison.Ordinal) + 2)..]));
        }
    }

    /// <summary>The journal's segments.</summary>
    public static string[] Segments(string logs) =>
        Directory.Exists(Path.Combine(logs, ".journal")) ? [.. Directory.GetFiles(Path.Combine(logs, ".journal"), "0*").Order(StringComparer.Ordinal)] : [];

    /// <summary>What changes when something is written to the journal, be it over what a segment had.</summary>
    public static long JournalTimestamp(string logs) => Segments(logs).Sum(path => File.Exists(path) ? new FileInfo(path).LastWriteTimeUtc.Ticks : 0);

    /// <summary>Where the journal keeps the segment that is to be written again.</summary>
    public static string Spare(string logs) => Path.Combine(logs, ".journal", "spare");

    /// <summary>Copies a log directory as a kill would leave it, links and all; the original may be in use.</summary>
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
