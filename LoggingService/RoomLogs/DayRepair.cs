using LoggingService.Files;
using LoggingService.Rendering;

namespace LoggingService.RoomLogs;

/// <summary>
/// Repairs the files of one day of a room: the record loses the lines of unsynced entries and torn lines, the text becomes a view of it,
/// line by line. First the text, then the record: a crash in between leaves a text that is too short, never one that shows what the record
/// lost.
/// </summary>
internal sealed partial class DayRepair(
    RoomFolder folder, DateOnly day, IReadOnlySet<(ulong Id, long ReceivedTs)> unsynced, IEnumerable<RoomEntry> entries, bool hasSyncFailed)
{
    private readonly string _record = folder.Record(day);
    private readonly string _text = folder.Text(day);

    /// <summary>Whether a day's text has a line for each line of its record, and both end with a line break.</summary>
    public static bool IsConsistent(RoomFolder folder, DateOnly day)
    {
        var lines = CountLines(folder.Record(day));
        return lines is not null && lines == CountLines(folder.Text(day));
    }

    public void Run()
    {
        var hasRecord = File.Exists(_record);
        if (hasRecord)
        {
            KnownEvents.Discard(folder.Path, day);
            Posix.OpenOrCreate(_text).Dispose();
        }
        else if (!File.Exists(_text))
        {
            return;
        }

        // Without a record, the ids of the day are those of lines that were removed: they stay known.
        var damaged = DamagedLines.Find(
            _record, e => e.ReceivedTs is { } ts && unsynced.Contains((RoomRepair.Hash(e.EventId), ts)), unsynced.Count > 0);
        damaged.Unreadable.ForEach(KeepUnexplained);
        var (lines, length) = CutText(damaged);
        if (hasRecord)
        {
            CutRecord(damaged);
        }

        if (lines < damaged.Kept)
        {
            RenderBehind(lines, length);
        }

        Posix.Sync(_record);
        Posix.Sync(_text);
    }

    /// <summary>
    /// Moves unreadable bytes to the quarantine, except zeros and parts of the lines of entries, which are appended again.
    /// </summary>
    private void KeepUnexplained(byte[] bytes)
    {
        foreach (var range in bytes.AsSpan().Split((byte)0))
        {
            var part = bytes.AsSpan(range);
            if (!part.IsEmpty && !IsExplained(part))
            {
                Quarantine.KeepDamaged(folder.Root, part);
                Log.IncompleteLineMoved(folder.Logger, _record);
            }
        }
    }

    private bool IsExplained(ReadOnlySpan<byte> part)
    {
        foreach (var entry in entries)
        {
            using var line = new MemoryStream();
            entry.Event!.WriteRecord(line);
            if (line.GetBuffer().AsSpan(0, (int)line.Length).IndexOf(part) >= 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Cuts the text to the lines that stay before the first dropped one, or sets it aside if it isn't the text of the record.
    /// </summary>
    /// <returns>How many lines and bytes stay; another program may append others at any time.</returns>
    private (int Lines, long Length) CutText(DamagedLines damaged)
    {
        var kept = 0;
        var end = 0L;
        byte[] last = [];
        var count = 0;
        foreach (var line in RecordReader.Lines(_text).Where(line => line.IsFinished))
        {
            count++;
            if (kept < damaged.KeptBefore)
            {
                kept++;
                end = line.Offset + line.Bytes.Length + 1;
                last = line.Bytes.ToArray();
            }
        }

        // More lines than those of the record and the entries: another program added some, or removed some from the record.
        var hasForeignLines = count > damaged.Kept + damaged.Unreadable.Count + unsynced.Count;
        if (hasForeignLines || (kept > 0 && !last.AsSpan().SequenceEqual(RenderLine(kept - 1, LineRenderer.ZoneOf(last) ?? folder.Zone))))
        {
            SetTextAside();
            return (0, 0);
        }

        if (hasSyncFailed)
        {
            AtomicFile.Replace(_text, Posix.LogFileMode, output => Copy(_text, output, end));
        }
        else if (new FileInfo(_text).Length > end)
        {
            Posix.Truncate(_text, end);
        }

        return (kept, end);
    }

    private void SetTextAside()
    {
        var kept = Enumerable.Range(0, int.MaxValue)
            .Select(n => n == 0 ? $"{_text}.old" : $"{_text}.old.{n}")
            .First(name => !File.Exists(name));
        Posix.Rename(_text, kept);
        Posix.OpenOrCreate(_text).Dispose();
        Posix.Sync(folder.Path);
        Log.TextMovedAside(folder.Logger, _text, Path.GetFileName(kept));
    }

    private void CutRecord(DamagedLines damaged)
    {
        if (hasSyncFailed || damaged.KeepsBehind || damaged.LacksLineBreak)
        {
            // Also for a missing line break: in place of it, a power cut could leave a zero behind the line, which made it unreadable.
            AtomicFile.Replace(_record, Posix.LogFileMode, output => WriteLines(output, damaged.KeptLines()));
        }
        else if (damaged.Dropped.Count > 0)
        {
            Posix.Truncate(_record, damaged.Dropped.Min());
        }
    }

    private static void WriteLines(Stream output, IEnumerable<ReadOnlyMemory<byte>> lines)
    {
        foreach (var line in lines)
        {
            output.Write(line.Span);
            output.Write("\n"u8);
        }
    }

    /// <summary>
    /// Renders the lines of the record that the text lacks. It is replaced whole: a torn line between others would not be noticed later.
    /// </summary>
    /// <param name="lines">How many lines of the text stay.</param>
    /// <param name="length">How many bytes they have; what another program appended behind them is dropped.</param>
    private void RenderBehind(int lines, long length)
    {
        AtomicFile.Replace(_text, Posix.LogFileMode, text =>
        {
            Copy(_text, text, length);
            var output = new LineBuffer();
            Render((renderer, recordLines) =>
            {
                foreach (var line in recordLines.Skip(lines))
                {
                    renderer.Render(output, line);
                    text.Write(output.Written);
                    output.Clear();
                }
            });
        });
    }

    private byte[] RenderLine(int index, TimeZoneInfo zone)
    {
        var output = new LineBuffer();
        Render((renderer, lines) => renderer.Render(output, lines.ElementAt(index), zone));
        return output.Written[..^1].ToArray();
    }

    private void Render(Action<LineRenderer, IEnumerable<RecordReader.Line>> render)
    {
        using var record = AppendFile.Open(_record);
        var known = KnownEvents.OpenHistory(folder.Path, day);
        render(new LineRenderer(folder, record.ReadAt, known, pending: null), RecordReader.Lines(_record));
    }

    private static long? CountLines(string path)
    {
        if (!File.Exists(path))
        {
            return 0;
        }

        using var file = Posix.OpenRead(path);
        var buffer = new byte[64 * 1024];
        var lines = 0L;
        var last = (byte)'\n';
        for (int read; (read = file.Read(buffer)) > 0; last = buffer[read - 1])
        {
            lines += buffer.AsSpan(0, read).Count((byte)'\n');
        }

        return last == '\n' ? lines : null;
    }

    private static void Copy(string path, Stream output, long length)
    {
        using var input = Posix.OpenRead(path);
        var buffer = new byte[64 * 1024];
        for (int read; length > 0 && (read = input.Read(buffer, 0, (int)Math.Min(buffer.Length, length))) > 0; length -= read)
        {
            output.Write(buffer, 0, read);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.IncompleteLineMoved, LogLevel.Warning, "{File} contained an incomplete line; moved it to the quarantine")]
        public static partial void IncompleteLineMoved(ILogger logger, string file);

        [LoggerMessage(EventIds.TextMovedAside, LogLevel.Warning, "Text {File} does not match its record; moved to {Kept} and re-rendered")]
        public static partial void TextMovedAside(ILogger logger, string file, string kept);
    }
}
