using System.Text;
using LoggingService.Files;
using LoggingService.Journal;
using LoggingService.RoomLogs;

namespace LoggingService.Erasure;

/// <summary>
/// Erases input that could not be logged, and damaged bytes: whole, where they contain an id of what is erased. The quarantine must
/// be closed.
/// </summary>
internal sealed class QuarantineErasure(string root, IReadOnlyCollection<string> ids, DateOnly? before)
{
    private readonly List<byte[]> _ids =
        [.. ids.SelectMany(id => (string[])[id, JsonString.Encode(id)]).Distinct().Select(Encoding.UTF8.GetBytes)];

    /// <summary>Returns how many lines and files it found.</summary>
    /// <param name="notRead">Receives the files that can't be read.</param>
    public int Count(List<string> notRead) => Visit(isCounted: true, notRead);

    /// <exception cref="IOException">A file can't be written.</exception>
    public int Run() => Visit(isCounted: false, notRead: []);

    /// <summary>The entry if it stays.</summary>
    public JournalEntry? Rewrite(JournalEntry entry) =>
        (before is null || entry.Day < before) && Contains(entry.Bytes.Span) ? null : entry;

    private int Visit(bool isCounted, List<string> notRead)
    {
        var found = 0;
        var folder = Path.Combine(root, Quarantine.Folder);
        foreach (var path in Files(folder, "*").Concat(Files(Path.Combine(root, WriteAheadJournal.FolderName), "*.damaged")))
        {
            try
            {
                found += VisitFile(path, isCounted);
            }
            catch (Exception e) when (isCounted && e is IOException or UnauthorizedAccessException)
            {
                notRead.Add($"{Path.GetRelativePath(root, path)}: {e.Message}");
            }
            catch (DamagedFileException)
            {
                // It was counted as not read.
            }
        }

        if (found > 0 && !isCounted)
        {
            Posix.Sync(folder);
        }

        return found;
    }

    private int VisitFile(string path, bool isCounted)
    {
        if (DayFileName.Parse(Path.GetFileName(path)) is { IsRecord: true } record)
        {
            return before is null || record.Day < before ? VisitLines(path, isCounted) : 0;
        }

        if (before is not null || !Contains(File.ReadAllBytes(path)))
        {
            return 0;
        }

        if (!isCounted)
        {
            File.Delete(path);
        }

        return 1;
    }

    private static string[] Files(string folder, string pattern) =>
        Directory.Exists(folder) ? Directory.GetFiles(folder, pattern) : [];

    private int VisitLines(string path, bool isCounted)
    {
        var replaced = new HashSet<int>();
        var index = 0;
        foreach (var line in RecordReader.Lines(path))
        {
            if (Contains(line.Bytes.Span) || Contains(Decode(line.Bytes)))
            {
                replaced.Add(index);
            }

            index++;
        }

        if (replaced.Count > 0 && !isCounted)
        {
            using var lines = new LinesStream(
                RecordReader.Lines(path).Select((line, i) => replaced.Contains(i) ? Erased(line.Bytes) : line.Bytes));
            AtomicFile.Replace(path, Posix.LogFileMode, lines.CopyTo);
        }

        return replaced.Count;
    }

    private static byte[] Decode(ReadOnlyMemory<byte> line) =>
        RawJson.TryParse(line, out var json, out _) && json["base64"u8].AsString() is { } base64 ? Convert.FromBase64String(base64) : [];

    private static ReadOnlyMemory<byte> Erased(ReadOnlyMemory<byte> line)
    {
        var receivedTs = RawJson.TryParse(line, out var json, out _) ? json["received_ts"u8].AsInteger() : null;
        return Encoding.ASCII.GetBytes($$"""{"received_ts":{{receivedTs ?? 0}},"reason":"erased"}""");
    }

    private bool Contains(ReadOnlySpan<byte> bytes)
    {
        foreach (var id in _ids)
        {
            if (bytes.IndexOf(id) >= 0)
            {
                return true;
            }
        }

        return false;
    }
}
